"""Opening portfolios and cells from their pages: sent twice, opened once; refused, the page again as typed."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from portfolios.errors import Refused
from portfolios.presets import PRESETS
from portfolios.services.idempotency import Answer, answer_once, fingerprint_of, read_key
from portfolios.services.openings import open_portfolio
from portfolios.services.portfolios import default_portfolio
from trading.forms import INHERIT, NewCellForm, NewPortfolioForm, Opening
from trading.market.selectors import market_now
from trading.services.opening import open_position
from trading.sight import glance
from trading.views.visitor import actor_of, shown_again, steered_portfolio, visitor


@login_required
@require_POST
def open_cell(request: HttpRequest) -> HttpResponse:
    if request.POST.get("portfolio"):
        steered_portfolio(request, request.POST["portfolio"])
    form = NewCellForm(visitor(request), request.POST)
    sight = glance(form.data["ticker"], form.source)
    opening = form.opening(sight.price if sight else 0)
    if opening is None:
        return back(request, form, "The cell is not open yet: see below what does not fit.")
    try:
        answer = opened_once(request, form, opening)
    except Refused as error:
        return back(request, form, f"The cell is not open yet: {error.message}.")
    if answer.is_first:
        messages.success(request, f"{opening.symbol} is open. The robot looks at it with the next price.")
    return redirect("cockpit", answer.body["position"])


def opened_once(request: HttpRequest, form: NewCellForm, opening: Opening) -> Answer:
    """The form's hidden key makes a second click find the cell of the first. Raises Refused."""
    key = read_key(request.POST.get("key"))
    portfolio = form.target or default_portfolio(user=visitor(request))
    subject = str(portfolio.public_id)
    asked = fingerprint_of(method="POST", route="open-cell", subject=subject, body=typed(form))

    def opened() -> dict[str, Any]:
        position = open_position(
            portfolio=portfolio,
            symbol=opening.symbol,
            shares=opening.shares,
            cash=opening.cash,
            anchor=opening.anchor,
            given_settings=opening.given,
            actor=actor_of(request),
            author=visitor(request),
        )
        return {"position": str(position.public_id)}

    return answer_once(portfolio_id=portfolio.pk, key=f"form:{key}", fingerprint=asked, answer=opened)


def typed(form: NewCellForm) -> dict[str, str]:
    return {name: str(form.data[name]) for name in form.base_fields if name in form.data}


def back(request: HttpRequest, form: NewCellForm, message: str) -> HttpResponse:
    """The page with all that was typed, where each field says what it takes."""
    messages.error(request, message)
    return shown_again(request, reverse("position-new"), typed(form))


@login_required
@require_POST
def open_portfolio_page(request: HttpRequest) -> HttpResponse:
    form = NewPortfolioForm(request.POST)
    if not form.is_valid():
        return again(request)
    preset = PRESETS[form.cleaned_data["preset"]]
    try:
        opened = open_portfolio(
            owner=visitor(request),
            name=form.cleaned_data["name"],
            source=form.feed,
            given=preset.given,
            note=f"{preset.title}, at opening",
            market_at=market_now(form.feed),
        )
    except Refused as refused:
        return again(request, f"its name {refused.message}" if refused.field == "name" else refused.message)
    portfolio = opened.portfolio
    if not opened.is_new:
        messages.info(request, f"You have a portfolio named {portfolio.name} already: here it is.")
        return redirect("portfolio", portfolio.public_id)
    messages.success(request, f"{portfolio.name} is open. Now its first cell.")
    return redirect(
        f"{reverse('position-new')}?{urlencode({'portfolio': str(portfolio.public_id), 'preset': INHERIT})}"
    )


def again(request: HttpRequest, why: str = "see below what does not fit") -> HttpResponse:
    messages.error(request, f"The portfolio is not open yet: {why}.")
    wanted: dict[str, str] = {name: str(request.POST.get(name, ""))[:200] for name in NewPortfolioForm.base_fields}
    return shown_again(request, reverse("portfolio-new"), wanted)
