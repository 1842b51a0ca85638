"""An account's books beside its broker's: the newest comparison line by line, what may be done, and those before."""

from typing import Any, NamedTuple

from django.utils import timezone

from portfolios.models import Account, Position
from reporting.paging import Slice, slice_of
from trading.models import AccountEntry, AccountHolding, Reconciliation
from trading.risk.selectors import why_untrusted

SALT, MONEY = "books", "books money"
LINES = 10  # of money on a page
FROZEN = Reconciliation.Outcome.FROZEN
TITLES = {
    "shares": "Shares",
    "traded": "Shares traded here",
    "cash": "Cash",
    "order": "Order",
    "fill": "Fill",
    "entry": "Money",
}


class BookLine(NamedTuple):
    """One line as the page shows it; cells: those that may adopt the difference."""

    title: str
    subject: str
    ours: str
    theirs: str
    difference: str
    verdict: str
    note: str
    may_be_outside: bool
    cells: list[Position]


class Books(NamedTuple):
    """untrusted: why nothing may be sent there now, in words; disputed: the newest waits for a person."""

    account: Account
    newest: Reconciliation | None
    disputed: bool
    lines: list[BookLine]
    outside: list[AccountHolding]
    untrusted: str
    page: Slice[Reconciliation]
    money: Slice[AccountEntry]


def books_of(account: Account, cursor: str, money: str = "") -> Books:
    answered = account.reconciliations.exclude(outcome=Reconciliation.Outcome.UNANSWERED)
    newest = answered.order_by("-pk").first()
    disputed = newest is not None and newest.outcome == FROZEN and newest.settled_at is None
    cells = list(Position.objects.filter(portfolio__account=account).select_related("portfolio").order_by("pk"))
    return Books(
        account,
        newest,
        disputed,
        [line_of(line, cells if disputed else []) for line in (newest.found if newest else [])],
        list(account.holdings.exclude(outside=0).order_by("symbol")),
        why_untrusted(account, timezone.now()),
        slice_of(account.reconciliations.all(), cursor, SALT),
        slice_of(account.entries.exclude(amount=0, shares=0), money, MONEY, most=LINES),
    )


def line_of(line: dict[str, Any], cells: list[Position]) -> BookLine:
    kind, subject, differs = line["kind"], line["subject"], line["verdict"] == "differs"
    of = subject.split(" ")[0] if kind in ("shares", "entry") else ""
    fitting = [cell for cell in cells if kind == "cash" or cell.symbol == of]
    return BookLine(
        TITLES[kind],
        subject,
        line["ours"],
        line["theirs"],
        line["difference"],
        line["verdict"],
        line["note"],
        bool(cells) and differs and kind in ("shares", "traded"),
        fitting if differs else [],
    )
