"""Holding a replayed market and letting it walk on."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from portfolios.models import Portfolio
from trading.market.models import MarketClock
from trading.market.services import set_running


@login_required
@require_POST
def pause_feed(request: HttpRequest, source: str) -> HttpResponseBase:
    return run_feed(request, source, running=False)


@login_required
@require_POST
def resume_feed(request: HttpRequest, source: str) -> HttpResponseBase:
    return run_feed(request, source, running=True)


def run_feed(request: HttpRequest, source: str, *, running: bool) -> HttpResponse:
    """For staff, and for who steers a portfolio on that source: its market is theirs to hold."""
    clock = get_object_or_404(MarketClock, source=source)
    if not (request.user.is_staff or Portfolio.objects.steered_by(request.user).filter(source=source).exists()):
        raise PermissionDenied
    set_running(source=clock.source, running=running)
    messages.success(
        request, "The replay runs on." if running else "The replay is paused. Nothing moves until you resume it."
    )
    return redirect("overview")
