"""Mistakes a person could make, planted one at a time: whatever does not notice them would not notice a real one."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import transaction

from dividends.models import Entitlement
from dividends.services.splits import apply_split
from portfolios.events import EventType
from portfolios.models import Position
from portfolios.models.cells import PositionQuerySet
from portfolios.prepared import PreparedRead, Slot
from portfolios.services.journal import Journal
from trading import tasks
from trading.brokers.base import Fill, Report
from trading.domain import trims
from trading.domain.costs import UNFILLED, add_fill
from trading.domain.order_life import OPEN_STATES
from trading.models import Order
from trading.selectors import LOCKED_CELL, LOCKED_CELL_OF
from trading.services import account, corporate_actions, evaluation, execution, inbox, settlement, submission
from trading.torture.planting import Plant

LOCKED = {LOCKED_CELL: {"pk": Slot("position")}, LOCKED_CELL_OF: {"orders": Slot("order")}}
RULES = ("portfolio__settings_version", "portfolio__account", "settings_version")


def forget_what_is_booked(position: Position, execution_id: str) -> None:
    return None


def in_two_transactions(record: Callable[..., Order]) -> Callable[..., Order]:
    """The executions are committed first, what they do to the cell a moment later."""

    def recorded(*, order_id: int, **words: Any) -> Order:
        late: list[Callable[[], None]] = []
        write = Journal.write
        Journal.write = lambda journal, **band: late.append(partial(write, journal, **band))  # type: ignore[method-assign]
        try:
            order = record(order_id=order_id, **words)
        finally:
            Journal.write = write  # type: ignore[method-assign]
        with transaction.atomic():
            Position.objects.locked().get(orders=order_id)
            for later in late:
                later()
        return order

    return recorded


def under_a_new_id(again: Callable[..., Any]) -> Callable[..., Any]:
    def sent(**words: Any) -> Any:
        request = again(**words)
        return request and request._replace(client_order_id=f"{request.client_order_id}-again")

    return sent


def closed_by_the_first_part(order: Order) -> None:
    if order.status == "new":
        settlement.move(order, "sending")
    settlement.move(order, "filled")


def rejected_by_silence(follow: Callable[..., None]) -> Callable[..., None]:
    def followed(journal: Journal, position: Position, order: Order, report: Report) -> None:
        silent = report.status == "unknown" and order.status == "sending"
        follow(journal, position, order, report._replace(status="rejected") if silent else report)

    return followed


def without_a_lock(rows: PositionQuerySet) -> PositionQuerySet:
    return rows.select_related(*RULES).order_by("pk")


def unlocked(**how: Any) -> PositionQuerySet:
    return without_a_lock(Position.objects.filter(**how))


def with_what_is_owed(room: Callable[..., int]) -> Callable[..., int]:
    def holds(limit: Any, holding: Any, *rest: Any) -> int:
        return room(limit, holding._replace(cash=holding.cash + holding.receivable), *rest)

    return holds


def anchored_by_late_fills(book: Callable[..., bool]) -> Callable[..., bool]:
    def booked(journal: Journal, position: Position, order: Order, fill: Fill) -> bool:
        late = order.status not in OPEN_STATES
        is_new = book(journal, position, order, fill)
        if is_new and late and not fill.replaces:
            settlement.end(journal, position, order)
        return is_new

    return booked


def charged_by_the_part(order: Order, rules: Any, fill: Fill) -> tuple[int, int]:
    part = add_fill(rules, order.side_asked, UNFILLED, fill.quantity, fill.price, fill.commission)
    before = order.filled
    whole = add_fill(rules, order.side_asked, before, fill.quantity, fill.price, fill.commission)
    settlement.keep_totals(order, whole._replace(fee=before.fee + part.fee))
    return order.notional - before.notional, part.fee


def split_at_once(*, position_id: int, split: Any, last_close: int, market_at: Any) -> bool:
    applied = apply_split(position_id=position_id, split=split, last_close=last_close, market_at=market_at)
    return applied is not None


def correction_beside_the_wrong(journal: Journal, position: Position, order: Order, fill: Fill) -> bool:
    """Booked like any fill, and the wrong one stays."""
    return bool(fill.quantity) and settlement.book_fill(journal, position, order, fill._replace(replaces=""))


def as_told(order: Order, fills: tuple[Fill, ...]) -> tuple[Fill, ...]:
    return fills


def kept_reserved(release: Callable[..., None]) -> Callable[..., None]:
    def released(journal: Journal, position: Position, order: Order, *rest: Any) -> None:
        kept, order.reserved_cash = order.reserved_cash, 0
        release(journal, position, order, *rest)
        order.reserved_cash = kept
        order.save()

    return released


@transaction.atomic
def paid_as_often_as_asked(*, entitlement_id: int, market_at: Any) -> bool:
    row = Entitlement.objects.get(pk=entitlement_id)
    position = Position.objects.locked().get(pk=row.position_id)
    journal = Journal(position, market_at=market_at, actor="market")
    journal.add(EventType.DIVIDEND_PAID, "Paid.", receivable=0, cash=row.net)
    journal.write()
    return True


def with_a_little_more(inputs: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    return lambda holding, sight: inputs(holding._replace(cash=holding.cash + 1), sight)


def asked_inside(execute: Callable[..., Any]) -> Callable[..., Any]:
    return transaction.atomic(execute)


def never() -> None:
    """Nothing is rung for again."""


MUTANTS: dict[str, Callable[[], list[Plant]]] = {
    "executions are not looked up before they are booked": lambda: [
        (settlement, "find_execution", forget_what_is_booked)
    ],
    "a fill in two transactions": lambda: [
        (module, "record_report", in_two_transactions(execution.record_report)) for module in (execution, inbox)
    ],
    "a new id on retry": lambda: [(execution, "send_again", under_a_new_id(submission.send_again))],
    "the first part closes the order": lambda: [(settlement, "follow_fill", closed_by_the_first_part)],
    "silence is a rejection": lambda: [(execution, "follow", rejected_by_silence(execution.follow))],
    "cells are not locked": lambda: [
        (PositionQuerySet, "locked", without_a_lock),
        *((read, "composed", PreparedRead(partial(unlocked, **how)).composed) for read, how in LOCKED.items()),
    ],
    "what is owed is spent": lambda: [(trims, "holds", with_what_is_owed(trims.holds))],
    "the sweeper is off": lambda: [
        (tasks, "ring_waiting", never),
        (tasks, "ring_inbox", never),
    ],
    "halts are not read": lambda: [(submission, "why_forbidden", lambda position, listing: "")],
    "a late fill moves the anchor": lambda: [
        (module, "book_fill", anchored_by_late_fills(settlement.book_fill)) for module in (execution,)
    ],
    "each part pays the smallest fee": lambda: [(settlement, "add_to", charged_by_the_part)],
    "a split does not wait for the order": lambda: [(corporate_actions, "split_position", split_at_once)],
    "a correction does not reverse": lambda: [(settlement, "book_correction", correction_beside_the_wrong)],
    "a running total is taken for a part": lambda: [(execution, "in_its_own_terms", as_told)],
    "an ended order keeps its reservation": lambda: [
        (module, "release", kept_reserved(settlement.release)) for module in (execution, submission)
    ],
    "a dividend is paid as often as asked": lambda: [(corporate_actions, "pay_dividend", paid_as_often_as_asked)],
    "the broker is asked inside a transaction": lambda: [
        (execution, "execute_order", asked_inside(execution.execute_order))
    ],
    "a decision is written down with other figures": lambda: [
        (evaluation, "inputs_of", with_a_little_more(account.inputs_of))
    ],
    "an order leaves before it is written down": lambda: [(submission, "send", lambda *_: None)],
}
