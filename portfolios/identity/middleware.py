"""Ends sessions that nobody uses or that lasted long enough, and tells a page that polls when its session is over."""

from collections.abc import Callable
from typing import cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.urls import Resolver404, resolve

from portfolios.identity.sessions import SessionStore


class SessionLifeMiddleware:
    """Comes after AuthenticationMiddleware. A page that refreshes itself keeps no session alive: people do."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        session = cast(SessionStore, request.session)
        session.meet(request)
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            if session.is_over:
                session.flush()
                request.user = AnonymousUser()
            elif not is_quiet(request):
                session.note_use()
        response = self.get_response(request)
        return sent_to_sign_in(request) if is_polled_in_vain(request, response) else response


def is_quiet(request: HttpRequest) -> bool:
    """A page asking by itself, with nobody at the keyboard."""
    try:
        return resolve(request.path_info).url_name in settings.SESSION_QUIET_ROUTES
    except Resolver404:
        return True


def is_polled_in_vain(request: HttpRequest, response: HttpResponse) -> bool:
    """The sign-in page has no place in the middle of another page."""
    if "HX-Request" not in request.headers:
        return False
    return response.headers.get("Location", "").startswith(f"{resolve_url(settings.LOGIN_URL)}?")


def sent_to_sign_in(request: HttpRequest) -> HttpResponse:
    page = request.headers.get("HX-Current-URL", "").removeprefix(f"{request.scheme}://{request.get_host()}")
    back = urlencode({"next": page if page.startswith("/") and not page.startswith("//") else "/"})
    return HttpResponse(headers={"HX-Redirect": f"{resolve_url(settings.LOGIN_URL)}?{back}"})
