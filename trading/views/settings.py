"""Saving settings from their pages: a new version, or the page again as typed; presets kept and forgotten."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_POST

from portfolios.domain.settings import SETTINGS, parse_settings
from portfolios.errors import Refused
from portfolios.models import Portfolio, Position
from portfolios.services.presets import forget_preset, save_preset
from portfolios.services.settings import change_settings, restore_version
from portfolios.typed import WORDS, read_typed, with_unit
from trading.market.selectors import market_now
from trading.simulation.preview import opened
from trading.views.visitor import shown_again, steered_portfolio, steered_position, visitor

UNSEEN = -1


@login_required
@require_POST
def save_portfolio(request: HttpRequest, public_id: UUID) -> HttpResponse:
    return saved(request, steered_portfolio(request, public_id), None)


@login_required
@require_POST
def save_position(request: HttpRequest, public_id: UUID) -> HttpResponse:
    position = steered_position(request, public_id)
    return saved(request, position.portfolio, position)


@login_required
@require_POST
def restore_portfolio(request: HttpRequest, public_id: UUID) -> HttpResponse:
    return restored(request, steered_portfolio(request, public_id), None)


@login_required
@require_POST
def restore_position(request: HttpRequest, public_id: UUID) -> HttpResponse:
    position = steered_position(request, public_id)
    return restored(request, position.portfolio, position)


def saved(request: HttpRequest, portfolio: Portfolio, position: Position | None) -> HttpResponse:
    """A new version; 409 with both, side by side, when somebody else has saved one since the form was made."""
    read = read_typed(request.POST)
    if read.errors:
        return as_typed(request, portfolio, position)
    try:
        version = change_settings(
            **where(portfolio, position),
            **looked_at(request, position, read.given),
            given=read.given,
            author=visitor(request),
            note=request.POST.get("note", "").strip(),
        )
    except Refused as error:
        if error.code == "stale_version":
            return stale(request, portfolio, position, read.given)
        return as_typed(request, portfolio, position, error.message)
    messages.success(request, f"Version {version.number} is saved and rules from the next price on.")
    return redirect(page_of(portfolio, position))


def looked_at(request: HttpRequest, position: Position | None, given: dict[str, Any]) -> dict[str, Any]:
    """The versions he decided over; those of a preview where its own button saves. Raises Refused: not_previewed where
    something else is typed by now, stale_version where the form is older or younger than its preview."""
    expected = number_in(request, "version")
    if position is None or "previewed" not in request.POST:
        return {"expected": expected}
    own, above = opened(request.POST["previewed"], position, given)
    return {"expected": expected if own == expected else UNSEEN, "expected_above": above}


def restored(request: HttpRequest, portfolio: Portfolio, position: Position | None) -> HttpResponse:
    number, expected = number_in(request, "number"), number_in(request, "version")
    try:
        version = restore_version(
            **where(portfolio, position), number=number, author=visitor(request), expected=expected
        )
    except Refused as error:
        messages.error(request, f"Nothing is restored: {error.message}.")
    else:
        messages.success(request, f"Version {number} is back, as version {version.number}.")
    return redirect(page_of(portfolio, position))


def where(portfolio: Portfolio, position: Position | None) -> dict[str, Any]:
    return {
        "portfolio_id": portfolio.pk,
        "position_id": position.pk if position else None,
        "market_at": market_now(portfolio.source),
    }


def number_in(request: HttpRequest, name: str) -> int:
    """UNSEEN, which is no version, where the form does not say."""
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else UNSEEN


def typed_in(request: HttpRequest) -> dict[str, str]:
    return {name: request.POST[name] for name in (*SETTINGS, "note") if request.POST.get(name)}


def as_typed(
    request: HttpRequest, portfolio: Portfolio, position: Position | None, why: str = "see below what does not fit"
) -> HttpResponse:
    """The page with all that was typed, where each field says what it takes."""
    messages.error(request, f"Nothing is saved yet: {why}.")
    return shown_again(request, page_of(portfolio, position), typed_in(request) | {"typed": "1"})


def stale(request: HttpRequest, portfolio: Portfolio, position: Position | None, given: dict[str, Any]) -> HttpResponse:
    """What was typed beside what is there now; one click puts it on top."""
    row: Portfolio | Position = Position.objects.get(pk=position.pk) if position else portfolio
    row.refresh_from_db()
    now = row.settings_version
    mine, theirs = parse_settings(given), parse_settings(now.given if now else {})
    names = [name for name in WORDS if mine.get(name) != theirs.get(name)]
    rows = [(WORDS[name].label, *(told(name, one.get(name)) for one in (mine, theirs))) for name in names]
    back = page_of(portfolio, position)
    shown = {"version": now, "rows": rows, "typed": typed_in(request), "page": back, "action": request.path}
    return render(request, "trading/stale.html", shown, status=409)


def told(name: str, value: int | None) -> str:
    return "inherited" if value is None else with_unit(name, value)


def page_of(portfolio: Portfolio, position: Position | None) -> str:
    if position:
        return reverse("position-settings", args=[position.public_id])
    return reverse("portfolio-settings", args=[portfolio.public_id])


@login_required
@require_POST
def keep_preset(request: HttpRequest) -> HttpResponse:
    """What is typed in a form of settings, kept under a name of his own."""
    read, back = read_typed(request.POST), back_to(request)
    try:
        if read.errors:
            raise Refused("invalid_setting", "see below what does not fit")
        preset = save_preset(owner=visitor(request), name=request.POST.get("preset_name", ""), given=read.given)
    except Refused as error:
        messages.error(request, f"The preset is not kept: {error.field or 'it'} {error.message}.")
    else:
        messages.success(request, f"The preset {preset.name} is kept. The settings themselves are as they were.")
    return redirect(f"{back}?{urlencode(typed_in(request) | {'typed': '1'})}")


@login_required
@require_POST
def drop_preset(request: HttpRequest, preset_id: int) -> HttpResponse:
    if not forget_preset(owner=visitor(request), preset_id=preset_id):
        raise Http404
    messages.success(request, "The preset is forgotten. Cells that were opened with it keep their settings.")
    return redirect(back_to(request))


def back_to(request: HttpRequest) -> str:
    """The page he came from, if it is one of ours."""
    page = request.POST.get("page", "")
    is_ours = page.startswith("/") and url_has_allowed_host_and_scheme(page, allowed_hosts=None)
    return page if is_ours else reverse("overview")
