"""The pages of settings, of a portfolio and of a cell, and the part of them that moves while somebody types."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portfolios.models import Portfolio, Position
from portfolios.presets import PRESETS
from reporting.selectors.settings import settings_page
from reporting.views.asked import visible_portfolio, visible_position


@login_required
@require_safe
@never_cache
def portfolio_settings(request: HttpRequest, public_id: UUID) -> HttpResponse:
    return shown(request, visible_portfolio(request, public_id), None, "reporting/settings.html")


@login_required
@require_safe
@never_cache
def position_settings(request: HttpRequest, public_id: UUID) -> HttpResponse:
    position = visible_position(request, public_id)
    return shown(request, position.portfolio, position, "reporting/settings.html")


@login_required
@require_safe
@never_cache
def portfolio_effect(request: HttpRequest, public_id: UUID) -> HttpResponse:
    return shown(request, visible_portfolio(request, public_id), None, "reporting/_effect.html")


@login_required
@require_safe
@never_cache
def position_effect(request: HttpRequest, public_id: UUID) -> HttpResponse:
    position = visible_position(request, public_id)
    return shown(request, position.portfolio, position, "reporting/_effect.html")


def shown(request: HttpRequest, portfolio: Portfolio, position: Position | None, template: str) -> HttpResponse:
    page = settings_page(portfolio, position, request.user, request.GET.dict())
    kind, row = ("position", position) if position else ("portfolio", portfolio)
    doors = {
        name: reverse(f"{kind}-{name}", args=[row.public_id]) for name in ("settings", "effect", "save", "restore")
    }
    return render(request, template, {"page": page, "doors": doors, "presets": PRESETS})
