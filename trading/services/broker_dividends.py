"""Dividends that a broker paid beside those that we booked: by share and pay date, tax withheld there included.

What is missing there is known by how much (`AccountEntry.short`), so that cash is compared without it.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from django.db.models import Min, Sum

from dividends.models import Dividend, Entitlement
from portfolios.domain.amounts import MICROS, as_text
from portfolios.models import Account
from trading.domain.books import DIFFERS, ENTRY, NOTED, Line
from trading.models import AccountEntry

CENT = MICROS // 100
NEAR = timedelta(days=14)  # of the pay date; the next dividend of a share is a month away at the least
AWAITED = timedelta(days=7)
WINDOW = timedelta(days=60)  # in which tax may still be told, or taken back
LONGEST = timedelta(days=400)  # for which what was not booked here may still be
State, Kind = AccountEntry.State, AccountEntry.Kind


def lay_dividends_beside(account: Account, today: date) -> list[Line]:
    """Equal to the cent of each line: matched. Otherwise a line; where theirs is less, it differs."""
    theirs = account.entries.filter(kind__in=(Kind.DIVIDEND, Kind.TAX), day__gte=today - LONGEST)
    waiting = theirs.filter(state=State.OPEN).aggregate(first=Min("day"))["first"]
    since = min(today - WINDOW, waiting - NEAR) if waiting else today - WINDOW
    rows = list(theirs.filter(day__gte=since - NEAR).order_by("pk"))
    lines: list[Line] = []
    for dividend in paid_here(account, since):
        near = [row for row in rows if row.symbol == dividend.symbol and abs(row.day - dividend.pay_date) <= NEAR]
        lines += judged(dividend, paid(account, dividend), near or [awaited(account, dividend)], today)
        rows = [row for row in rows if row not in near]
    for row in rows:
        if row.state == State.OPEN:
            change(row, State.OPEN, "Not booked here")
    return lines


def paid_here(account: Account, since: date) -> list[Dividend]:
    entitled = Entitlement.objects.filter(account=account.code, status=Entitlement.Status.PAID)
    found = Dividend.objects.filter(pay_date__gte=since, pk__in=entitled.values("dividend"))
    return list(found.order_by("pay_date", "pk"))


def paid(account: Account, dividend: Dividend) -> int:
    rows = Entitlement.objects.filter(account=account.code, dividend=dividend, status=Entitlement.Status.PAID)
    return int(rows.aggregate(all=Sum("net", default=0))["all"])


def awaited(account: Account, dividend: Dividend) -> AccountEntry:
    """A row of nothing, so that what was booked here and is not there yet has its place."""
    row, _ = AccountEntry.objects.get_or_create(
        account=account,
        entry_id=f"awaited-{dividend.pk}",
        defaults={"kind": Kind.DIVIDEND, "name": "DIV", "day": dividend.pay_date, "symbol": dividend.symbol},
    )
    return row


def judged(dividend: Dividend, ours: int, rows: Sequence[AccountEntry], today: date) -> list[Line]:
    """Their lines as one sum. What a person has settled stays settled."""
    if any(row.state == State.SETTLED for row in rows):
        return []
    title, theirs = f"{dividend.symbol} dividend {dividend.pay_date}", sum(row.amount for row in rows)
    came = [row for row in rows if row.amount]
    if abs(theirs - ours) <= CENT * len(came):
        state, note, verdict = State.MATCHED, "to the cent", ""
    elif theirs > ours:
        state, note, verdict = State.NOTED, "More than was booked here", NOTED
    elif not came and today - dividend.pay_date <= AWAITED:
        state, note, verdict = State.OPEN, "Not there yet", NOTED
    else:
        state, note, verdict = State.OPEN, why_less(came), DIFFERS
    for place, row in enumerate(rows):
        change(row, state, note, of=title, short=max(ours - theirs, 0) if place == 0 else 0)
    if not verdict:
        return []
    return [Line(ENTRY, title, as_text(ours), as_text(theirs), verdict, as_text(theirs - ours), note)]


def why_less(came: Sequence[AccountEntry]) -> str:
    tax = -sum(row.amount for row in came if row.kind == Kind.TAX)
    if not came:
        return "It never came"
    return f"{as_text(tax)} was withheld there" if tax else "Less was paid there"


def change(row: AccountEntry, state: str, note: str, of: str = "", short: int = 0) -> None:
    """Written only where it is new."""
    if (row.state, row.note, row.of, row.short) != (state, note, of, short):
        row.state, row.note, row.of, row.short = state, note, of, short
        row.save(update_fields=["state", "note", "of", "short"])
