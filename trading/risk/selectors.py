"""May this cell trade: halts in force, and whether its account's books are known to be right."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone

from portfolios.models import Account, Position
from portfolios.services.credentials import is_readable
from trading.brokers.models import Ability
from trading.domain.order_life import UNSENT, WORKING
from trading.market.models import Instrument
from trading.market.selectors import Listing, listing_of
from trading.models import Order
from trading.risk.models import Halt

HERE = ("paper", "none")  # adapters whose books cannot drift away while we are not looking
GOOD_FOR = timedelta(minutes=5)
BEATS_MISSED = 3
NOT_TRADABLE = "this symbol is not traded at present"
NOT_TRADED_THERE = "the broker does not trade this symbol at present"
UNTRADED = (NOT_TRADABLE, NOT_TRADED_THERE)


def halt_over(position: Position) -> Halt | None:
    """The oldest halt that stops this cell. Position with `portfolio`."""
    return Halt.objects.over(position).order_by("pk").first()


def states_to_clear(halt: Halt) -> tuple[str, ...]:
    return UNSENT + WORKING if halt.cancels else UNSENT


def orders_to_clear(halt: Halt) -> list[int]:
    """What a halt in force ends or asks back: orders that have not left, and those at the broker where it says so."""
    return orders_within(halt, states_to_clear(halt))


def orders_asked_back(halt: Halt) -> list[int]:
    """Those whose broker has to be told."""
    return orders_within(halt, ("cancelling",))


def orders_within(halt: Halt, states: tuple[str, ...]) -> list[int]:
    within = {
        Halt.Scope.GLOBAL: Q(),
        Halt.Scope.PORTFOLIO: Q(position__portfolio=halt.portfolio_id),
        Halt.Scope.ACCOUNT: Q(position__portfolio__account=halt.account_id),
        Halt.Scope.POSITION: Q(position=halt.position_id),
    }[Halt.Scope(halt.scope)]
    orders = Order.objects.filter(within, status__in=states).order_by("pk")
    return list(orders.values_list("pk", flat=True))


def why_untrusted(account: Account, now: datetime | None = None) -> str:
    """Why nothing may be sent to this account, in words; empty when it may."""
    now = now or timezone.now()
    if account.state != Account.Status.ACTIVE:
        return f"the account is {account.state}"
    if account.mode == Account.Mode.LIVE and account.adapter != "none" and account.armed_at is None:
        return "live trading is not armed"
    if account.reconciled_at is None or (account.doubted_at and account.reconciled_at <= account.doubted_at):
        return "its books have not been compared yet"
    if account.adapter in HERE:
        return ""
    if not is_readable(account):
        return "its credentials cannot be read"
    if now - account.reconciled_at > GOOD_FOR:
        return "its books were compared too long ago"
    if account.heartbeat_seconds and is_silent(account, now):
        return "its fill channel is silent"
    return ""


def ability_of(account: Account) -> Ability | None:
    """What its broker last told; None where there is nobody to ask, or nobody has answered yet."""
    return None if account.adapter in HERE else Ability.objects.filter(account=account.code).first()


def why_blocked(ability: Ability | None) -> str:
    """Why its broker takes no order from the account, as last told; empty where it takes them."""
    return f"its broker takes no orders: {ability.blocked}" if ability and ability.blocked else ""


def why_untraded(symbol: str, listing: Listing, ability: Ability | None) -> str:
    """Why nobody may order this symbol, in words of UNTRADED; empty where it is traded."""
    if not listing.tradable:
        return NOT_TRADABLE
    return NOT_TRADED_THERE if ability and symbol in ability.untradable else ""


def untraded_for(position: Position) -> str:
    return why_untraded(position.symbol, listing_of(position.symbol), ability_of(position.portfolio.account))


def offered(position: Position) -> tuple[str, str]:
    """The name of what it trades, and why nobody may order it. One query."""
    known = Instrument.objects.filter(symbol=position.symbol)
    there = Ability.objects.filter(account=OuterRef("code"), untradable__contains=[position.symbol])
    account = Account.objects.filter(portfolios=position.portfolio_id).annotate(
        offered_name=Subquery(known.values("name")[:1]),
        is_traded=Subquery(known.values("tradable")[:1]),
        is_untraded_there=Exists(there),
    )
    name, traded, untraded = account.values_list("offered_name", "is_traded", "is_untraded_there").get()
    return name or "", NOT_TRADABLE if traded is False else NOT_TRADED_THERE if untraded else ""


def is_silent(account: Account, now: datetime) -> bool:
    patience = timedelta(seconds=account.heartbeat_seconds * BEATS_MISSED)
    return account.heard_at is None or now - account.heard_at > patience
