"""Which account a portfolio's orders go to: on this floor, because only it knows what is still open."""

from django.db import transaction
from django.utils import timezone

from portfolios.errors import Refused
from portfolios.events import EventType
from portfolios.models import Account, Portfolio, Position
from portfolios.services.credentials import HERE, locked
from portfolios.services.journal import Journal
from trading.domain.order_life import OPEN_STATES
from trading.market.selectors import market_now
from trading.models import Order
from trading.services.crowd import CHUNK
from trading.services.lots import heed_cells


@transaction.atomic
def connect_portfolio(*, portfolio_id: int, account_id: int, actor: str) -> Portfolio:
    """Its orders go to this account from now on; its mode follows. To the same account again changes nothing.

    Raises Refused: account_not_found (404) unless both have one owner; account_closed, portfolio_closed, orders_open,
    holdings_differ (409).
    """
    positions = list(Position.objects.locked().filter(portfolio=portfolio_id))
    portfolio = Portfolio.objects.select_for_update(no_key=True).get(pk=portfolio_id)
    account = locked(account_id)
    if portfolio.account_id == account.pk:
        return portfolio
    refuse_unconnectable(portfolio, account, positions)
    if account.adapter not in HERE:  # what its books must show changes
        account.doubted_at = timezone.now()
        account.save(update_fields=["doubted_at"])
    before = portfolio.account
    portfolio.account, portfolio.mode = account, account.mode
    portfolio.save(update_fields=["account", "mode"])
    journal = Journal(portfolio, market_at=market_now(portfolio.source), actor=actor)
    words = f"Its orders go to {account.name} ({account.adapter}, {account.mode}) from now on."
    journal.add(
        EventType.ACCOUNT_CHANGED, words, inputs={"before": str(before.public_id), "after": str(account.public_id)}
    )
    journal.write()
    keys = [position.pk for position in positions]
    for first in range(0, len(keys), CHUNK):
        heed_cells(keys[first : first + CHUNK])
    return portfolio


def refuse_unconnectable(portfolio: Portfolio, account: Account, positions: list[Position]) -> None:
    if portfolio.owner_id != account.owner_id:
        raise Refused("account_not_found", "there is no such account", status=404, field="account_id")
    if account.state == Account.Status.CLOSED:
        raise Refused("account_closed", "this account is closed", status=409)
    if portfolio.state == Portfolio.Status.CLOSED:
        raise Refused("portfolio_closed", "this portfolio is closed", status=409)
    waiting = Order.objects.filter(position__portfolio=portfolio, status__in=(*OPEN_STATES, "proposed"))
    if waiting.exists():
        raise Refused("orders_open", "wait for its open orders and proposals, or cancel them", status=409)
    if portfolio.mode != account.mode and any(map(holds_something, positions)):
        message = "what its cells hold on paper is not real, nor the other way round: open a portfolio for it"
        raise Refused("holdings_differ", message, status=409)


def holds_something(position: Position) -> bool:
    return bool(position.shares or position.cash or position.receivable)
