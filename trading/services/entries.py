"""What moved money at a broker besides fills: read, kept once, and booked or laid beside what we have.

Decided in docs/adr/0070: fees of sales replace ours, dividends are compared, all else is named.
"""

from datetime import date, timedelta

from django.db.models import Min, Sum

from portfolios.domain.amounts import as_text
from portfolios.models import Account, Position
from trading.brokers.base import Broker, Entry
from trading.domain.books import ENTRY, NOTED, Line
from trading.market.selectors import market_now
from trading.models import AccountEntry, Reconciliation
from trading.services.broker_dividends import lay_dividends_beside
from trading.services.broker_fees import ZONE, book_fees

AGAIN = timedelta(days=10)  # what is told late comes under its own day
JUDGED = ("fee", "dividend", "tax")
State, Outcome = AccountEntry.State, Reconciliation.Outcome


def take_in_entries(account: Account, broker: Broker) -> list[Line]:
    """New ones are kept; fees are booked; the rest is laid beside ours. Lines for what a person should see."""
    first = first_day(account)
    told = broker.entries_since(first) if first else None
    if told is None:
        return []
    keep(account, [one for one in told if first and one.day >= first])
    lines = book_fees(account)
    lines += lay_dividends_beside(account, market_day_of(account))
    return lines + named(account)


def first_day(account: Account) -> date | None:
    """From when on the list is read: the day our first cell there began, then ten days before the newest known."""
    cells = Position.objects.filter(portfolio__account=account)
    began: date | None = cells.aggregate(first=Min("opened_on"))["first"]
    newest = account.entries.order_by("-day").values_list("day", flat=True).first()
    return max(began, newest - AGAIN) if began and newest else began


def market_day_of(account: Account) -> date:
    source = Position.objects.filter(portfolio__account=account).order_by("pk").values_list("source", flat=True).first()
    return market_now(source or "").astimezone(ZONE).date()


def keep(account: Account, told: list[Entry]) -> None:
    known = set(account.entries.filter(entry_id__in=[one.id for one in told]).values_list("entry_id", flat=True))
    rows = [
        AccountEntry(
            account=account,
            entry_id=one.id,
            kind=one.kind,
            name=one.name,
            day=one.day,
            symbol=one.symbol,
            amount=one.amount,
            shares=one.shares,
            words=one.words,
            state=State.OPEN if one.kind in JUDGED else State.NOTED,
        )
        for one in told
        if one.id not in known
    ]
    AccountEntry.objects.bulk_create(rows, ignore_conflicts=True)


def named(account: Account) -> list[Line]:
    """Deposits, withdrawals and whatever else came since the books were last found equal."""
    rows = account.entries.exclude(state__in=(State.BOOKED, State.MATCHED, State.SETTLED))
    rows = rows.filter(of="")  # what was laid beside a dividend of ours has a line of its own
    equal = account.reconciliations.filter(outcome__in=(Outcome.MATCHED, Outcome.REPAIRED)).order_by("-pk").first()
    if equal:
        rows = rows.filter(seen_at__gt=equal.finished_at)
    return [line_of(row) for row in rows.order_by("pk")[:50]]


def line_of(row: AccountEntry) -> Line:
    amount = as_text(row.amount) if row.amount or not row.shares else f"{as_text(row.shares)} shares"
    return Line(ENTRY, row.title, "", amount, NOTED, note=row.note or row.words)


def explained(account: Account) -> int:
    """By how much our cash may be more than theirs, in micros: cents of dividends, and what is told as different."""
    return int(account.entries.aggregate(all=Sum("short", default=0))["all"])
