"""The cockpit: one cell with its next moves, its last decision, what it is owed, its trades and its latest events."""

from collections.abc import Iterable
from datetime import UTC
from typing import Any, NamedTuple

from django.db.models import Count, QuerySet, Subquery, Window
from django.db.models.functions import TruncDate

from dividends.models import Entitlement
from portfolios.domain.amounts import MICROS
from portfolios.domain.holding import Rules
from portfolios.events import EventType
from portfolios.models import Event, Position
from reporting.happening import FILLS, Happening
from reporting.reading import shares
from reporting.selectors.cells import Cell, cells_of
from reporting.selectors.timeline import DECISIONS, with_causes
from reporting.steps import Steps, steps_of
from trading.domain.ladder import Rung
from trading.domain.order_life import OPEN_STATES
from trading.market.models import Bar, MarketClock
from trading.models import Execution, Order
from trading.risk.selectors import offered

TRADES, EVENTS = 12, 6
STRANDED_AFTER = 20
TOLD_ELSEWHERE = (
    *FILLS,
    EventType.ORDER_PROPOSED,
    EventType.ORDER_INTENT,
    EventType.ORDER_SUBMITTED,
    EventType.ORDER_ACCEPTED,
    EventType.ANCHOR_UPDATED,
    EventType.EVALUATED,
)


class Cockpit(NamedTuple):
    """stranded: sessions since the cell last could trade, None while that is nothing to speak of.

    untraded: why nobody may order its symbol; lot: the step of its orders and why; both empty where there is nothing.
    """

    cell: Cell
    name: str
    steps: Steps
    buy: Rung | None
    sell: Rung | None
    decision: Happening | None
    owed: list[Entitlement]
    order: Order | None
    proposal: Order | None
    trades: list[Any]
    trade_count: int
    events: list[Happening]
    stranded: int | None
    untraded: str
    lot: str


def cockpit_of(position: Position, clocks: Iterable[MarketClock]) -> Cockpit:
    """Needs `portfolio` and both `settings_version`s selected with the position."""
    (cell,) = cells_of([position], clocks)
    rules = cell.effective.rules
    price = cell.sight.price if cell.sight else None
    decided, events = latest_of(position)
    trades = trades_of(position)
    steps = steps_of(position.holding, rules, price)
    name, untraded = offered(position)
    return Cockpit(
        cell,
        name,
        steps,
        steps.buys[0].rung if steps.buys else None,
        steps.sells[-1].rung if steps.sells else None,
        Happening(decided, decided.content) if decided else None,
        list(owed_to(position)),
        *standing_of(position),
        trades,
        trades[0].of_all if trades else 0,
        with_causes(position, events),
        stranded_for(cell),
        untraded,
        lot_in_words(rules, position.lot),
    )


def lot_in_words(rules: Rules, prescribed: int) -> str:
    """prescribed: by instrument and account, whatever the settings say (micros)."""
    if rules.lot == 1:
        return ""
    step = "whole shares" if rules.lot == MICROS else f"steps of {shares(rules.lot)} shares"
    return f"{step}, {'smaller parts are not traded' if prescribed == rules.lot else 'by its settings'}"


def standing_of(position: Position) -> tuple[Order | None, Order | None]:
    """The order that is open and the proposal that waits."""
    found = list(Order.objects.filter(position=position, status__in=(*OPEN_STATES, "proposed")).order_by("pk"))
    waiting = [order for order in found if order.status == "proposed"]
    return next((order for order in found if order not in waiting), None), waiting[-1] if waiting else None


def latest_of(position: Position) -> tuple[Event | None, list[Event]]:
    """The last decision, and the latest events that are told nowhere else."""
    log = Event.objects.filter(stream_id=position.public_id).order_by("-seq")
    both = log.filter(type__in=DECISIONS)[:1].union(log.exclude(type__in=TOLD_ELSEWHERE)[:EVENTS], all=True)
    newest = [event for _, event in sorted({event.seq: event for event in both}.items(), reverse=True)]
    decided = next((event for event in newest if event.type in DECISIONS), None)
    return decided, [event for event in newest if event.type not in TOLD_ELSEWHERE][:EVENTS]


def trades_of(position: Position) -> list[Any]:
    """The latest executions, each with how many there are `of_all`."""
    executions = Execution.objects.filter(order__position=position).select_related("order").order_by("-at", "-pk")
    return list(executions.annotate(of_all=Window(Count("pk")))[:TRADES])


def owed_to(position: Position) -> QuerySet[Entitlement]:
    unpaid = Entitlement.objects.filter(position=position, status=Entitlement.Status.RECEIVABLE, net__gt=0)
    return unpaid.select_related("dividend").order_by("dividend__pay_date")


def stranded_for(cell: Cell) -> int | None:
    """Sessions since the running skip began: a trigger has fired, and the size is never enough."""
    position = cell.position
    seq, _, _ = position.skip_mark.partition("|")
    if seq != str(position.event_seq):
        return None
    began = Event.objects.filter(stream_id=position.public_id, seq=position.event_seq)
    since = Subquery(began.values(day=TruncDate("market_at", tzinfo=UTC)))
    sessions = Bar.objects.filter(symbol=position.symbol, day__gt=since, day__lte=cell.day).count()
    return sessions if sessions >= STRANDED_AFTER else None
