"""Pages that stay fresh: the page asks for itself again, and the answer is 304 while nothing has moved."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe
from django.views.decorators.vary import vary_on_headers

from reporting.context import clocks_for
from reporting.selectors.pulse import pulse_of_user

Page = Callable[..., HttpResponse]


def user_etag(request: HttpRequest, **_of: Any) -> str:
    """Of the address asked for; a whole page and its moving part are two answers."""
    part = request.headers.get("HX-Request", "")
    return pulse_of_user(request.user, clocks_for(request), f"{part} {request.get_full_path()}")


def fresh_page(view: Page) -> Page:
    """For whoever is signed in: htmx's own requests carry an ETag, a page as a whole is always made anew.

    A whole page holds a form's secret and the messages of the last deed, which no ETag knows.
    """
    live = cache_control(private=True, no_cache=True)(condition(etag_func=user_etag)(view))

    def shown(request: HttpRequest, **of: Any) -> HttpResponse:
        return (live if "HX-Request" in request.headers else view)(request, **of)

    return login_required(require_safe(vary_on_headers("HX-Request")(wraps(view)(shown))))
