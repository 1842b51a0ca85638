"""The console: halts, the programs of the house, prices, inboxes and books, on one page."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from reporting.selectors.console import console_of
from reporting.views.asked import visitor
from trading.forms import HaltForm

Parts = Callable[[], Mapping[str, Any]]


@login_required
@require_safe
@never_cache
def console(request: HttpRequest, examine: Parts, queues: Parts) -> HttpResponse:
    """`examine` and `queues` come from the floor above, which alone knows the programs. A refused form is kept."""
    asked = request.GET
    form = HaltForm(asked if asked.get("tried") == "halt" else None, initial={"over": asked.get("over", "")})
    over = form["over"].value() or ""
    context = {
        "console": console_of(
            visitor(request), before=asked.get("before", ""), earlier=asked.get("earlier", ""), chosen=over
        ),
        "form": form,
        "over": over,
        "tried": asked.get("tried", ""),
        "why": asked.get("why", ""),
        "parts": examine(),
        "queues": queues(),
    }
    return render(request, "reporting/console.html", context)
