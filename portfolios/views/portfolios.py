"""An owner gives his portfolio another name, or closes it."""

from functools import partial

from django.http import HttpRequest

from portfolios.errors import Refused
from portfolios.models import Portfolio
from portfolios.services.portfolios import checked_name, close_portfolio, rename_portfolio
from portfolios.views.owners import deed_of_owner
from portfolios.views.visitor import actor

owners_deed = partial(deed_of_owner, page="portfolio")


@owners_deed
def rename(request: HttpRequest, portfolio: Portfolio) -> str:
    try:
        name = checked_name(request.POST.get("name", ""))
    except Refused as refusal:
        raise Refused(refusal.code, f"the name {refusal.message}", field="name") from None
    rename_portfolio(portfolio_id=portfolio.pk, name=name, actor=actor(request))
    return f"It is called {name} now."


@owners_deed
def close(request: HttpRequest, portfolio: Portfolio) -> str:
    if request.POST.get("sure") != "on":
        raise Refused("invalid_fields", "nothing is closed: tick the box to say that you mean it", field="sure")
    close_portfolio(portfolio_id=portfolio.pk, actor=actor(request))
    return "The portfolio is closed."
