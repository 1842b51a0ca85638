"""Takes in what a broker's books know and ours do not: missed fills, and orders that ended while nobody listened."""

import hashlib
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from django.db import transaction

from portfolios.domain.amounts import as_text
from portfolios.events import EventType
from portfolios.models import Account, Position
from portfolios.services.journal import Journal
from trading.brokers.base import PREFIX, Broker, Fill, OrderRequest, Report, Standing, Traded
from trading.domain.books import DIFFERS, FILL, NOTED, ORDER, REPAIRED, Line
from trading.domain.order_life import OPEN_STATES
from trading.errors import BrokenCell
from trading.market.selectors import market_now
from trading.models import Execution, Order
from trading.selectors import locked_cell
from trading.services.execution import execute_order, record_report
from trading.services.quarantine import setting_aside
from trading.services.submission import GOING_ON, begin_submission
from trading.services.sums import is_summed

FATE_UNKNOWN = ("sending", "unknown")
ACTOR = "reconciliation"


class Taken(NamedTuple):
    """What a reading of fills came to, and the broker's cursor after it."""

    lines: list[Line]
    cursor: str


class Patience:
    """Waits once for those who are booking this very moment: what is still missing after that was missed."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def wait(self) -> None:
        time.sleep(self.seconds)
        self.seconds = 0.0


def take_in_fills(account: Account, broker: Broker, cursor: str, patience: Patience) -> Taken:
    """Page by page. What was not booked yet is, each fill once; what is not ours to book is a line that differs."""
    lines: list[Line] = []
    alike: Counter[tuple[object, ...]] = Counter()
    while True:
        page, after = broker.fills_since(cursor)
        lines += take_in_page(account, broker, [identified(traded, alike) for traded in page], patience)
        if not page or after == cursor:
            return Taken(lines, after)
        cursor = after


def identified(traded: Traded, alike: Counter[tuple[object, ...]]) -> Traded:
    """A fill that the broker gave no id gets one made of what it says, so that a second reading finds it booked."""
    if traded.fill.execution_id:
        return traded
    says = (traded.client_order_id, traded.fill.at.isoformat(), traded.fill.quantity, traded.fill.price)
    digest = hashlib.sha256(repr((says, alike[says])).encode()).hexdigest()[:24]
    alike[says] += 1
    return traded._replace(fill=traded.fill._replace(execution_id=f"{traded.client_order_id}-{digest}"))


def take_in_page(account: Account, broker: Broker, page: list[Traded], patience: Patience) -> list[Line]:
    ours = [traded for traded in page if traded.client_order_id.startswith(PREFIX)]
    missing = not_booked(account, ours)
    if missing:
        patience.wait()
        missing = not_booked(account, missing)
    orders = Order.objects.select_related("position__portfolio").in_bulk(
        {traded.client_order_id for traded in missing}, field_name="client_order_id"
    )
    summed = {name for name, order in orders.items() if is_summed(order)}
    whole = {name: tuple(row.fill for row in all_fills(broker) if row.client_order_id == name) for name in summed}
    told = ((traded, whole.get(traded.client_order_id, (traded.fill,))) for traded in missing)
    found = (take_in(account, traded, orders.get(traded.client_order_id), fills) for traded, fills in told)
    return [line for line in found if line]


def all_fills(broker: Broker) -> Iterator[Traded]:
    """From the first on: what an order that is booked from totals lacks is known only from all its fills together."""
    cursor = ""
    while True:
        page, after = broker.fills_since(cursor)
        yield from page
        if not page or after == cursor:
            return
        cursor = after


def not_booked(account: Account, page: list[Traded]) -> list[Traded]:
    ids = [name for traded in page for name in names_of(traded.fill)]
    rows = Execution.objects.filter(account=account.code, broker_execution_id__in=ids)
    booked = set(rows.values_list("broker_execution_id", flat=True))
    return [traded for traded in page if not booked & set(names_of(traded.fill))]


def names_of(fill: Fill) -> tuple[str, ...]:
    """A correction that takes back everything leaves its reversal only."""
    return (fill.execution_id, f"{fill.execution_id}-reversal") if fill.replaces else (fill.execution_id,)


def take_in(account: Account, traded: Traded, order: Order | None, fills: tuple[Fill, ...]) -> Line | None:
    why = why_not_ours(account, traded, order)
    if order is None or why:
        theirs = f"{traded.side.name} {as_text(traded.fill.quantity)} {traded.symbol} at {as_text(traded.fill.price)}"
        return Line(FILL, traded.fill.execution_id, "", theirs, DIFFERS, note=why)
    try:
        with setting_aside(order.position_id):
            return book_missed(order, traded.fill, fills)
    except BrokenCell as broken:
        return Line(FILL, traded.fill.execution_id, "", "", DIFFERS, note=str(broken)[:200])


def why_not_ours(account: Account, traded: Traded, order: Order | None) -> str:
    if order is None:
        return f"no order of ours is called {traded.client_order_id}"
    if order.position.portfolio.account_id != account.pk:
        return "the order belongs to another account"
    if (order.position.symbol, order.side) != (traded.symbol, traded.side.name):
        return f"the order was to {order.side.lower()} {order.position.symbol}"
    return ""


@transaction.atomic
def book_missed(order: Order, fill: Fill, fills: tuple[Fill, ...]) -> Line | None:
    """Under the lock of its cell, so that of two readers one books it; with evidence in the cell's stream.

    fills: what has to be told for it to be booked, mostly itself.
    """
    position = locked_cell(order.position_id)
    booked = Execution.objects.filter(account=position.portfolio.account.code, broker_execution_id__in=names_of(fill))
    if booked.exists():
        return None
    before = position.event_seq
    record_report(order_id=order.pk, report=Report("partially_filled", fills), actor=ACTOR)
    theirs = f"{as_text(fill.quantity)} at {as_text(fill.price)}"
    line = Line(FILL, fill.execution_id, "", theirs, REPAIRED, note=order.client_order_id)
    return line if write_evidence(order, before, f"A fill we had missed was booked: {theirs}.", line) else None


def write_evidence(order: Order, before: int, message: str, line: Line) -> bool:
    """Whether anything changed since seq `before`: then an event says from where."""
    position = locked_cell(order.position_id)
    if position.event_seq == before:
        return False
    journal = Journal(position, market_at=market_now(position.source), actor=ACTOR)
    journal.add(EventType.REPAIRED, message, subject=order.public_id, outputs=line.named)
    journal.write()
    return True


def compare_orders(account: Account, broker: Broker, patience: Patience) -> list[Line]:
    """Our sent orders beside those that are open there. Orders without our prefix are nobody's business here."""
    ours = {order.client_order_id: order for order in sent_orders(account)}
    standing = broker.open_orders()
    theirs = {row.client_order_id for row in standing}
    lines = [line for name, order in ours.items() if name not in theirs for line in look_for(order, broker, patience)]
    carry_on_set_aside([order for name, order in ours.items() if name in theirs])
    strangers = [row for row in standing if row.client_order_id not in ours]
    lines += unknown_there([row for row in strangers if row.client_order_id.startswith(PREFIX)])
    foreign = sum(not row.client_order_id.startswith(PREFIX) for row in strangers)
    return (
        [*lines, Line(ORDER, "others", "", str(foreign), NOTED, note="orders that are not ours")] if foreign else lines
    )


def sent_orders(account: Account) -> list[Order]:
    orders = Order.objects.filter(position__portfolio__account=account, status__in=GOING_ON)
    return list(orders.select_related("position").order_by("pk"))


def look_for(order: Order, broker: Broker, patience: Patience) -> list[Line]:
    """An order that is not open there: what became of it. One the broker denies although it took it is a difference."""
    request = begin_submission(order_id=order.pk)
    if request is None or not request.sent_before:  # it ended meanwhile
        return []
    report = broker.find(request)
    if report is None:
        return denied(order)
    if report.status == order.status and len(report.fills) <= order.executions.count():
        return []
    patience.wait()
    try:
        with setting_aside(order.position_id):
            line = record_missed(order, report, request)
    except BrokenCell as broken:
        line = Line(ORDER, order.client_order_id, order.status, report.status, DIFFERS, note=str(broken)[:200])
    return [line] if line else []


def denied(order: Order) -> list[Line]:
    """Nobody knows yet whether it arrived: `execute_order` sees to it, for a cell set aside here and now."""
    if order.status in FATE_UNKNOWN:
        carry_on_set_aside([order])
        return []
    status = Order.objects.values_list("status", flat=True).get(pk=order.pk)
    if status not in OPEN_STATES:
        return []
    return [Line(ORDER, order.client_order_id, status, "never seen", DIFFERS, note=what_it_was(order))]


def what_it_was(order: Order) -> str:
    return f"{order.side.lower()} {as_text(order.quantity)} {order.position.symbol}"


@transaction.atomic
def record_missed(order: Order, report: Report, request: OrderRequest) -> Line | None:
    position = locked_cell(order.position_id)
    ours, before = Order.objects.get(pk=order.pk).status, position.event_seq
    record_report(order_id=order.pk, report=report, asked=request, actor=ACTOR)
    line = Line(ORDER, order.client_order_id, ours, report.status, REPAIRED, note=what_it_was(order))
    message = f"The broker has this order as {report.status}, we had it as {ours}."
    return line if write_evidence(order, before, message, line) else None


def carry_on_set_aside(orders: list[Order]) -> None:
    """The sweeper leaves the orders of quarantined cells alone; somebody must ask what became of them."""
    for order in orders:
        if order.position.state == Position.Status.QUARANTINED and order.status in (*FATE_UNKNOWN, "cancelling"):
            with suppress(BrokenCell), setting_aside(order.position_id):
                execute_order(order_id=order.pk)


def unknown_there(standing: list[Standing]) -> list[Line]:
    """Orders under our name that we do not know, or know to have ended."""
    names = [row.client_order_id for row in standing]
    ours = dict(Order.objects.filter(client_order_id__in=names).values_list("client_order_id", "status"))
    return [
        Line(
            ORDER,
            row.client_order_id,
            ours.get(row.client_order_id, "unknown to us"),
            row.status,
            DIFFERS,
            note=f"{row.side.name.lower()} {as_text(row.quantity)} {row.symbol}",
        )
        for row in standing
    ]
