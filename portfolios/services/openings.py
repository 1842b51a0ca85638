"""Opening a portfolio from a form, which may be sent twice."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from portfolios.models import Portfolio, User
from portfolios.services.portfolios import checked_name, create_portfolio
from portfolios.services.settings import change_settings


class Opened(NamedTuple):
    portfolio: Portfolio
    is_new: bool


@transaction.atomic
def open_portfolio(
    *, owner: User, name: str, source: str, given: Mapping[str, Any], note: str, market_at: datetime
) -> Opened:
    """A portfolio on paper with its first settings. One of that name that he has already is that one again."""
    name = checked_name(name)
    User.objects.select_for_update().get(pk=owner.pk)
    known = Portfolio.objects.filter(owner=owner, name=name, state=Portfolio.Status.ACTIVE).order_by("pk").first()
    if known:
        return Opened(known, is_new=False)
    portfolio = create_portfolio(owner=owner, name=name, source=source)
    if given:
        change_settings(portfolio_id=portfolio.pk, given=given, author=owner, note=note, market_at=market_at)
    return Opened(portfolio, is_new=True)
