"""The pages of settings, of a portfolio and of a cell, and the part of them that moves while somebody types."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from portfolios.errors import Refused
from portfolios.models import Portfolio, Position
from portfolios.presets import PRESETS
from portfolios.typed import read_typed
from reporting.previewed import told
from reporting.selectors.settings import settings_page
from reporting.views.asked import visible_portfolio, visible_position
from trading.simulation.preview import preview


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


@login_required
@require_POST
@never_cache
def position_preview(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What is typed, on the cell's own history: the part of the page for htmx, else all of it. Writes nothing."""
    position = visible_position(request, public_id)
    asked = request.POST.dict() | {"typed": "1"}
    page = settings_page(position.portfolio, position, request.user, asked)
    shown: dict[str, Any] = {"page": page, "previewed": True, "slippage": position.portfolio.paper_slippage}
    status = 422 if page.errors else 200
    if not page.errors:
        try:
            shown["told"] = told(preview(position, read_typed(asked).given))
        except Refused as refused:
            shown["why"] = refused.message
    if request.headers.get("HX-Request"):
        return render(request, "reporting/_preview.html", shown)
    shown |= {"doors": doors_of(position.portfolio, position), "presets": PRESETS}
    return render(request, "reporting/settings.html", shown, status=status)


def shown(request: HttpRequest, portfolio: Portfolio, position: Position | None, template: str) -> HttpResponse:
    page = settings_page(portfolio, position, request.user, request.GET.dict())
    return render(request, template, {"page": page, "doors": doors_of(portfolio, position), "presets": PRESETS})


def doors_of(portfolio: Portfolio, position: Position | None) -> dict[str, str]:
    kind, row = ("position", position) if position else ("portfolio", portfolio)
    names = ["settings", "effect", "save", "restore", *(["preview"] if position else [])]
    return {name: reverse(f"{kind}-{name}", args=[row.public_id]) for name in names}
