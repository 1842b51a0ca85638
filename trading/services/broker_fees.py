"""Fees that a broker charges by the day: divided among the sales they were charged for, where they replace ours."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from portfolios.domain.amounts import MICROS, as_text, micros
from portfolios.models import Account
from trading.brokers.base import Fill, Report
from trading.domain.books import ENTRY, REPAIRED, Line
from trading.models import AccountEntry, Execution
from trading.services.execution import record_report

ZONE = ZoneInfo("America/New_York")
OF_DOLLARS = re.compile(r"proceeds? of \$([\d,]+(?:\.\d+)?)")
OF_SHARES = re.compile(r"proceeds? of ([\d,]+(?:\.\d+)?) shares")
CENT = MICROS // 100
PREFIX = "fee-"  # of the name of an execution whose fee the broker named
State = AccountEntry.State


def book_fees(account: Account) -> list[Line]:
    """Each once, also where two compare at once. What belongs to no sale of ours is named, and booked nowhere."""
    open_ones = account.entries.filter(kind=AccountEntry.Kind.FEE, state=State.OPEN).order_by("day", "pk")
    found = (book_fee(account, pk) for pk in open_ones.values_list("pk", flat=True))
    return [line for line in found if line]


@transaction.atomic
def book_fee(account: Account, pk: int) -> Line | None:
    row = AccountEntry.objects.select_for_update().get(pk=pk)
    if row.state != State.OPEN:
        return None
    sales = sales_of(account, row.day)
    why_not = why_not_ours(row, sales)
    if why_not:
        row.state, row.note = State.NOTED, why_not
        row.save(update_fields=["state", "note"])
        return None
    for sale, part in zip(sales, shared(-row.amount, [sale.notional for sale in sales]), strict=True):
        name_fee(sale, (sale.reported_fee or 0) + part, f"{PREFIX}{row.pk}-{sale.pk}")
    row.state = State.BOOKED
    row.note = f"Divided among {len(sales)} sales" if len(sales) > 1 else "Booked with the sale it was charged for"
    row.save(update_fields=["state", "note"])
    return Line(ENTRY, row.title, "", as_text(row.amount), REPAIRED, note=row.words or row.note)


def sales_of(account: Account, day: date) -> list[Execution]:
    """That stand, of a day in New York."""
    begins, ends = (datetime.combine(day + timedelta(days=n), time(), ZONE).astimezone(UTC) for n in (0, 1))
    rows = Execution.objects.filter(account=account.code, order__side="SELL", at__gte=begins, at__lt=ends)
    return list(rows.filter(reverses=None, reversal=None).select_related("order").order_by("pk"))


def why_not_ours(row: AccountEntry, sales: list[Execution]) -> str:
    """In words; empty where it was charged for exactly these sales, as far as it says."""
    if row.amount >= 0:
        return "Money back, which no sale explains"
    if not sales:
        return "No sale of ours on that day"
    dollars, shares = OF_DOLLARS.search(row.words), OF_SHARES.search(row.words)
    sold, worth = sum(sale.quantity for sale in sales), sum(sale.notional for sale in sales)
    if dollars and abs(read(dollars[1]) - worth) > CENT * (len(sales) + 1):
        return f"Of sales of {dollars[1]}; ours were {as_text(worth)}"
    if shares and abs(read(shares[1]) - sold) > len(sales):
        return f"Of {shares[1]} shares sold; ours were {as_text(sold)}"
    return ""


def read(text: str) -> int:
    """Micros; what is finer is cut off."""
    whole, _, part = text.replace(",", "").partition(".")
    return micros(f"{whole[:12]}.{part[:6] or '0'}")


def shared(amount: int, weights: list[int]) -> list[int]:
    """In proportion, to the micro, by the largest remainders."""
    total = sum(weights) or 1
    parts = [amount * weight // total for weight in weights]
    rests = sorted(range(len(weights)), key=lambda n: (-(amount * weights[n] % total), n))
    for n in rests[: amount - sum(parts)]:
        parts[n] += 1
    return parts


def name_fee(sale: Execution, fee: int, name: str) -> None:
    """By the way of all corrections: the same execution again, with the fee the broker names."""
    told = Fill(name, sale.quantity, sale.price, fee, sale.at, replaces=sale.broker_execution_id)
    record_report(order_id=sale.order_id, report=Report("", (told,)), actor="reconciliation")
