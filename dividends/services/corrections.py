"""What was announced turns out otherwise: other terms, or nothing at all. Money follows, by one event a cell.

The anchor stays where it is: it fell with the price people traded at, and may have moved by a fill since.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar

from django.db import transaction
from django.utils import timezone

from dividends.domain.payments import Payment, payment_for
from dividends.models import Dividend, Entitlement, Split
from portfolios.domain.amounts import as_text
from portfolios.errors import Refused
from portfolios.events import EventType
from portfolios.models import Position
from portfolios.selectors import effective_rules
from portfolios.services.journal import Journal

Row = TypeVar("Row", Dividend, Split)


@transaction.atomic
def correct_dividend(
    *, source: str, symbol: str, ex_date: date, dps: int, pay_date: date | None, market_at: datetime, actor: str
) -> Dividend:
    """Other terms (micros a share; pay_date None: as it is known) for what was announced, also for one taken back.

    The same again changes nothing. Raises Refused: unknown_announcement (404), pay_date_before_ex_date (422).
    """
    dividend = announced(Dividend, source=source, symbol=symbol, ex_date=ex_date)
    if pay_date and pay_date < ex_date:
        raise Refused("pay_date_before_ex_date", "must not be before the ex-date", field="pay_date")
    dividend.dps, dividend.cancelled_at = dps, None
    dividend.told_by, dividend.told_at = actor, timezone.now()
    if pay_date:
        dividend.pay_date, dividend.pay_date_assumed = pay_date, False
    dividend.save()
    follow(dividend, dps, market_at, actor)
    return dividend


@transaction.atomic
def cancel_dividend(*, source: str, symbol: str, ex_date: date, market_at: datetime, actor: str) -> Dividend:
    """It is not paid after all; what cells were owed or paid for it is taken back. Raises Refused as above."""
    dividend = announced(Dividend, source=source, symbol=symbol, ex_date=ex_date)
    if dividend.cancelled_at is None:
        dividend.told_by, dividend.told_at = actor, timezone.now()
        dividend.cancelled_at = dividend.told_at
        dividend.save(update_fields=["cancelled_at", "told_by", "told_at"])
        follow(dividend, 0, market_at, actor)
    return dividend


@transaction.atomic
def correct_split(*, source: str, symbol: str, ex_date: date, numerator: int, denominator: int, by: str = "") -> Split:
    """Other terms, while no cell has been split by the old ones. Raises Refused: as above, already_applied (409)."""
    split = announced(Split, source=source, symbol=symbol, ex_date=ex_date)
    if (split.numerator, split.denominator, split.cancelled_at) != (numerator, denominator, None):
        refuse_applied(split)
        split.numerator, split.denominator, split.cancelled_at = numerator, denominator, None
        split.told_by, split.told_at = by, timezone.now()
        split.save()
    return split


@transaction.atomic
def cancel_split(*, source: str, symbol: str, ex_date: date, by: str = "") -> Split:
    """Taken back, while no cell has been split. Raises Refused: unknown_announcement, already_applied (409)."""
    split = announced(Split, source=source, symbol=symbol, ex_date=ex_date)
    if split.cancelled_at is None:
        refuse_applied(split)
        split.told_by, split.told_at = by, timezone.now()
        split.cancelled_at = split.told_at
        split.save(update_fields=["cancelled_at", "told_by", "told_at"])
    return split


def announced(model: type[Row], *, source: str, symbol: str, ex_date: date) -> Row:
    """The row, locked."""
    rows = model.objects.select_for_update().filter(source=source, symbol=symbol, ex_date=ex_date)
    row = rows.first()
    if row is None:
        raise Refused("unknown_announcement", "nothing was announced for this symbol and day", status=404)
    return row


def refuse_applied(split: Split) -> None:
    if split.applications.exists():
        message = "cells have been split by it already; put their shares right by hand"
        raise Refused("already_applied", message, status=409)


def follow(dividend: Dividend, dps: int, market_at: datetime, actor: str) -> None:
    """Every cell that went ex by it, by primary key. dps in micros, 0 where it is taken back."""
    cells = list(Position.objects.locked().filter(entitlements__dividend=dividend))
    entitlements = {row.position_id: row for row in dividend.entitlements.select_for_update()}
    for position in cells:
        journal = Journal(position, market_at=market_at, actor=actor)
        entitlement = entitlements[position.pk]
        if revise(journal, position, entitlement, dividend, dps, entitlement.shares):
            journal.write()


def revise(
    journal: Journal, position: Position, entitlement: Entitlement, dividend: Dividend, dps: int, shares: int
) -> bool:
    """An entitlement as it should have been; whether anything changed. The position is locked; the caller writes."""
    before = Payment(entitlement.gross, entitlement.tax, entitlement.net)
    rate = entitlement.withholding
    rate = effective_rules(position).rules.withholding if rate is None else rate
    payment = payment_for(shares, dps, rate)
    was, status = entitlement.status, status_after(entitlement, dps)
    if (payment, shares, status) == (before, entitlement.shares, was):
        return False
    difference = payment.net - before.net
    told = {"shares": as_text(entitlement.shares)} | {name: as_text(value) for name, value in before._asdict().items()}
    entitlement.shares, entitlement.status = shares, status
    entitlement.gross, entitlement.tax, entitlement.net = payment
    entitlement.save(update_fields=["shares", "gross", "tax", "net", "status"])
    is_paid = was == Entitlement.Status.PAID
    journal.add(
        EventType.DIVIDEND_CORRECTED,
        f"Dividend of {dividend.ex_date} corrected: {as_text(payment.net)} net instead of {as_text(before.net)}.",
        cash=difference if is_paid else 0,
        receivable=0 if is_paid else difference,
        inputs={"ex_date": dividend.ex_date, "dps": as_text(dps), "paid": is_paid} | told,
        outputs={"shares": as_text(shares)} | {name: as_text(value) for name, value in payment._asdict().items()},
    )
    if position.cash < 0 and position.state != Position.Status.QUARANTINED:
        why = f"Quarantined until a person has looked: cash is {as_text(position.cash)}."
        journal.add(EventType.QUARANTINED, why, state=Position.Status.QUARANTINED)
    return True


def status_after(entitlement: Entitlement, dps: int) -> str:
    """Money that was paid stays paid, however much it is now; what is taken back before is never paid."""
    if entitlement.status == Entitlement.Status.PAID:
        return entitlement.status
    return Entitlement.Status.RECEIVABLE if dps else Entitlement.Status.CANCELLED


def count_late_shares(
    journal: Journal, position: Position, shares_on: Callable[[date], int], traded_on: date
) -> list[Entitlement]:
    """A fill of a day before an ex-date that is told only after it: its shares (signed, and by then perhaps split) were
    held that evening. The entitlements that changed.
    """
    changed = []
    rows = Entitlement.objects.select_for_update().filter(position=position, dividend__ex_date__gt=traded_on)
    for row in rows.select_related("dividend").order_by("dividend__ex_date", "pk"):
        dps = 0 if row.dividend.cancelled_at else row.dividend.dps
        shares = max(row.shares + shares_on(row.dividend.ex_date), 0)
        if revise(journal, position, row, row.dividend, dps, shares):
            changed.append(row)
    return changed
