"""The cockpit: one cell with its next moves, its last decision, what it is owed, its trades and its latest events."""

from typing import NamedTuple

from django.db.models import QuerySet

from dividends.models import Entitlement
from portfolios.events import EventType
from portfolios.models import Event, Position
from reporting.happening import FILLS, Happening
from reporting.selectors.cells import Cell, cells_of
from reporting.selectors.timeline import DECISIONS, with_causes
from reporting.steps import Steps, steps_of
from trading.domain.ladder import Rung
from trading.market.models import Bar, Instrument
from trading.models import Execution, Order

TRADES, EVENTS = 12, 6
STRANDED_AFTER = 20
TOLD_ELSEWHERE = (
    *FILLS,
    EventType.ORDER_INTENT,
    EventType.ORDER_SUBMITTED,
    EventType.ORDER_ACCEPTED,
    EventType.ANCHOR_UPDATED,
    EventType.EVALUATED,
)


class Cockpit(NamedTuple):
    """stranded: sessions since the cell last could trade, None while that is nothing to speak of."""

    cell: Cell
    name: str
    steps: Steps
    buy: Rung | None
    sell: Rung | None
    decision: Happening | None
    owed: list[Entitlement]
    order: Order | None
    trades: list[Execution]
    trade_count: int
    events: list[Happening]
    stranded: int | None


def cockpit_of(position: Position) -> Cockpit:
    """Needs `portfolio` and both `settings_version`s selected with the position."""
    (cell,) = cells_of([position])
    rules = cell.effective.rules
    price = cell.sight.price if cell.sight else None
    log = Event.objects.of(position).order_by("-seq")
    decided = log.filter(type__in=DECISIONS).first()
    executions = executions_of(position)
    steps = steps_of(position.holding, rules, price)
    return Cockpit(
        cell,
        Instrument.objects.filter(symbol=position.symbol).values_list("name", flat=True).first() or "",
        steps,
        steps.buys[0].rung if steps.buys else None,
        steps.sells[-1].rung if steps.sells else None,
        Happening(decided, decided.content) if decided else None,
        list(owed_to(position)),
        Order.objects.filter(position=position).open().first(),
        list(executions[:TRADES]),
        executions.count(),
        with_causes(position, list(log.exclude(type__in=TOLD_ELSEWHERE)[:EVENTS])),
        stranded_for(cell),
    )


def executions_of(position: Position) -> QuerySet[Execution]:
    return Execution.objects.filter(order__position=position).select_related("order").order_by("-at", "-pk")


def owed_to(position: Position) -> QuerySet[Entitlement]:
    unpaid = Entitlement.objects.filter(position=position, status=Entitlement.Status.RECEIVABLE, net__gt=0)
    return unpaid.select_related("dividend").order_by("dividend__pay_date")


def stranded_for(cell: Cell) -> int | None:
    """Sessions since the running skip began: a trigger has fired, and the size is never enough."""
    position = cell.position
    seq, _, _ = position.skip_mark.partition("|")
    if seq != str(position.event_seq):
        return None
    began = Event.objects.of(position).filter(seq=position.event_seq).values_list("market_at", flat=True).first()
    if began is None:
        return None
    sessions = Bar.objects.filter(symbol=position.symbol, day__gt=began.date(), day__lte=cell.day).count()
    return sessions if sessions >= STRANDED_AFTER else None
