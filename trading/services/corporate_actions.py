"""Dividends and splits as they meet orders: driven from here, because only this floor knows the open order."""

from contextlib import suppress
from datetime import date, datetime

from django.db import transaction

from dividends.models import Dividend, Entitlement, Split
from dividends.selectors import dividends_due, holders_before, payments_due, splits_due
from dividends.services import corrections
from dividends.services.entitlements import go_ex_dividend, pay_dividend
from dividends.services.splits import apply_split
from portfolios.models import Position
from portfolios.selectors import effective_rules
from portfolios.services.journal import Journal
from trading.domain.order_life import CANCELLABLE
from trading.errors import BrokenCell
from trading.market.selectors import last_close_before
from trading.models import Order
from trading.services import paper_books
from trading.services.ordering import take_back
from trading.services.quarantine import setting_aside


@transaction.atomic
def apply_due(*, source: str, day: date, market_at: datetime) -> int:
    """Splits, then ex-dates, then payments due by this market day, each once; how many cells were touched."""
    if not lock_cells_due(source=source, day=day):
        return 0
    return (
        split_due(source=source, day=day, market_at=market_at)
        + go_ex_due(source=source, day=day, market_at=market_at)
        + pay_due(source=source, day=day, market_at=market_at)
    )


def lock_cells_due(*, source: str, day: date) -> bool:
    """Whether anything is due; its cells all at once and by primary key, so that nobody waits in a circle."""
    symbols = set(payments_due(source=source, day=day).values_list("dividend__symbol", flat=True))
    for due in (splits_due(source=source, day=day), dividends_due(source=source, day=day)):
        symbols |= set(due.values_list("symbol", flat=True))
    return bool(symbols) and bool(Position.objects.locked().filter(source=source, symbol__in=symbols))


def split_due(*, source: str, day: date, market_at: datetime) -> int:
    done = 0
    for split in splits_due(source=source, day=day):
        last_close = last_close_before(split.symbol, source, market_at)
        for position in holders_before(split):
            with suppress(BrokenCell), setting_aside(position.pk):
                done += split_position(position_id=position.pk, split=split, last_close=last_close, market_at=market_at)
    return done


@transaction.atomic
def split_position(*, position_id: int, split: Split, last_close: int, market_at: datetime) -> bool:
    """Cancel the cell's open order, then split it; waits (False) while the order's fate is being decided."""
    take_back_open(position_id, market_at)
    if Order.objects.filter(position=position_id).open().exists():
        return False
    applied = apply_split(position_id=position_id, split=split, last_close=last_close, market_at=market_at)
    if applied is None:
        return False
    position = Position.objects.locked().get(pk=position_id)
    paper_books.was_split(position, split, effective_rules(position).rules.lot, last_close)
    return True


def take_back_open(position_id: int, market_at: datetime) -> None:
    """Locks the cell. Whatever is open or proposed was meant for the old shares."""
    position = Position.objects.locked().get(pk=position_id)
    journal = Journal(position, market_at=market_at, actor="market")
    for order in Order.objects.filter(position=position, status__in=CANCELLABLE):
        take_back(journal, position, order, "Cancelled: the stock splits.")
    if journal.events:
        journal.write()


@transaction.atomic
def clear_the_way(*, source: str, day: date, market_at: datetime) -> list[int]:
    """Ask the broker for the orders that a split of this day would meet; those that have not ended yet."""
    waiting: list[int] = []
    for split in splits_due(source=source, day=day):
        for position in holders_before(split):
            take_back_open(position.pk, market_at)
            waiting += Order.objects.filter(position=position).open().values_list("pk", flat=True)
    return waiting


def go_ex_due(*, source: str, day: date, market_at: datetime) -> int:
    done = 0
    for dividend in dividends_due(source=source, day=day):
        for position in holders_before(dividend):
            with suppress(BrokenCell), setting_aside(position.pk):
                done += go_ex_position(position_id=position.pk, dividend=dividend, market_at=market_at)
    return done


@transaction.atomic
def go_ex_position(*, position_id: int, dividend: Dividend, market_at: datetime) -> bool:
    entitlement = go_ex_dividend(position_id=position_id, dividend=dividend, market_at=market_at)
    if entitlement is None:
        return False
    paper_books.went_ex(entitlement.position, dividend, entitlement.withholding or 0)
    return True


def pay_due(*, source: str, day: date, market_at: datetime) -> int:
    done = 0
    for pk, position_id in payments_due(source=source, day=day).values_list("pk", "position_id"):
        with suppress(BrokenCell), setting_aside(position_id):
            done += pay_entitlement(entitlement_id=pk, market_at=market_at)
    return done


@transaction.atomic
def pay_entitlement(*, entitlement_id: int, market_at: datetime) -> bool:
    if not pay_dividend(entitlement_id=entitlement_id, market_at=market_at):
        return False
    paper_books.was_paid(Entitlement.objects.select_related("position", "dividend").get(pk=entitlement_id))
    return True


@transaction.atomic
def correct_dividend(
    *, source: str, symbol: str, ex_date: date, dps: int, pay_date: date | None, market_at: datetime, actor: str
) -> Dividend:
    """Other terms than announced, in all books. Raises Refused, as the ledger's."""
    dividend = corrections.correct_dividend(
        source=source, symbol=symbol, ex_date=ex_date, dps=dps, pay_date=pay_date, market_at=market_at, actor=actor
    )
    paper_books.was_corrected(dividend)
    return dividend


@transaction.atomic
def cancel_dividend(*, source: str, symbol: str, ex_date: date, market_at: datetime, actor: str) -> Dividend:
    """Not paid after all, in all books. Raises Refused, as the ledger's."""
    dividend = corrections.cancel_dividend(
        source=source, symbol=symbol, ex_date=ex_date, market_at=market_at, actor=actor
    )
    paper_books.was_corrected(dividend)
    return dividend
