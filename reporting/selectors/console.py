"""The console: what is halted, whether prices are fresh, what brokers told and how their books compare."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from portfolios.models import Account, Portfolio, Position
from reporting.paging import Slice, slice_of
from trading.market.selectors import newest_quotes
from trading.models import InboxMessage
from trading.risk.models import Halt
from trading.risk.selectors import why_untrusted

CELLS, ACCOUNTS, SYMBOLS, BANNER, NEWEST = 200, 50, 20, 100, 10_000
Status = InboxMessage.Status
RELATED = ("portfolio", "account", "position__portfolio")


class Choice(NamedTuple):
    """One thing that can be halted, as the form names it."""

    value: str
    title: str


class QuoteAge(NamedTuple):
    """The newest price of a symbol: when the market had it, and how long ago it came in (ms)."""

    symbol: str
    source: str
    at: datetime
    age: int


class Books(NamedTuple):
    """One account: why it may not trade (empty when it may), and its inbox."""

    account: Account
    untrusted: str
    waiting: int
    parked: int
    last_told: datetime | None


class Inbox(NamedTuple):
    """Of all accounts. waiting and parked: all there are; processed and refused: of the newest `of`."""

    waiting: int
    parked: int
    processed: int
    refused: int
    of: int


class Console(NamedTuple):
    in_force: Slice[Halt]
    past: Slice[Halt]
    may_lift: set[int]
    choices: dict[str, list[Choice]]
    ages: list[QuoteAge]
    books: list[Books]
    inbox: Inbox | None

    @property
    def may_halt(self) -> bool:
        return any(self.choices.values())


def halts_in_force(user: Any) -> list[Halt]:
    """Over anything he may see, the oldest first."""
    return list(Halt.objects.in_force().visible_to(user).select_related(*RELATED).order_by("pk")[:BANNER])


def console_of(user: Any, *, before: str, earlier: str, chosen: str) -> Console:
    seen = Halt.objects.visible_to(user).select_related(*RELATED)
    in_force = slice_of(seen.in_force(), before, "halts")
    past = slice_of(seen.exclude(rearmed_at=None), earlier, "past halts")
    lifted = Halt.objects.steered_by(user).filter(pk__in=[row.pk for row in in_force.rows])
    may_lift = set(lifted.values_list("pk", flat=True))
    choices, ages, books = choices_for(user, chosen), ages_for(user), books_for(user)
    return Console(in_force, past, may_lift, choices, ages, books, inbox_of_all() if user.is_staff else None)


def choices_for(user: Any, chosen: str) -> dict[str, list[Choice]]:
    """By kind. Many cells: the first, and the one that was chosen elsewhere."""
    steered = Position.objects.steered_by(user).exclude(state=Position.Status.CLOSED).select_related("portfolio")
    cells = list(steered.order_by("symbol", "pk")[:CELLS])
    wanted = id_in(chosen)
    if wanted and wanted not in {cell.public_id for cell in cells}:
        cells += steered.filter(public_id=wanted)
    portfolios = Portfolio.objects.steered_by(user).filter(state=Portfolio.Status.ACTIVE).order_by("name", "pk")
    accounts = Account.objects.filter(owner=user).exclude(state=Account.Status.CLOSED).order_by("name", "pk")
    house = [Choice("global:", "Everything, for everybody")] if user.is_superuser else []
    return {
        "The house": house,
        "Portfolios": [Choice(f"portfolio:{row.public_id}", row.name) for row in portfolios[:CELLS]],
        "Accounts": [Choice(f"account:{row.public_id}", row.name) for row in accounts[:CELLS]],
        "Cells": [Choice(f"position:{row.public_id}", f"{row.symbol} in {row.portfolio.name}") for row in cells],
    }


def ages_for(user: Any) -> list[QuoteAge]:
    """Of the symbols in his cells, those first whose price came in longest ago."""
    held = Position.objects.visible_to(user).exclude(state=Position.Status.CLOSED).order_by("source", "symbol")
    symbols: dict[str, list[str]] = {}
    for source, symbol in held.values_list("source", "symbol").distinct():
        symbols.setdefault(source, []).append(symbol)
    now = timezone.now()
    quotes = [quote for source, names in symbols.items() for quote in newest_quotes(names, source).values()]
    quotes.sort(key=lambda quote: (quote.received_at, quote.symbol))
    return [
        QuoteAge(quote.symbol, quote.source, quote.at, int((now - quote.received_at).total_seconds() * 1_000))
        for quote in quotes[:SYMBOLS]
    ]


def books_for(user: Any) -> list[Books]:
    """Of his own accounts, those in trouble first."""
    accounts = list(with_inbox(Account.objects.filter(owner=user)).order_by("-state", "pk")[:ACCOUNTS])
    told = [
        Books(row, why_untrusted(row), row.waiting, row.parked, row.last_told)  # type: ignore[attr-defined]  # annotated
        for row in accounts
    ]
    return sorted(told, key=lambda books: (not books.untrusted, books.account.pk))


def with_inbox(accounts: QuerySet[Account]) -> QuerySet[Account]:
    """Counted by the index of what is still to be worked on, not over all there ever was."""
    told = InboxMessage.objects.filter(account=OuterRef("pk"))
    counted = {
        name: Coalesce(
            Subquery(told.filter(status=status).order_by().values("account").annotate(n=Count("pk")).values("n")), 0
        )
        for name, status in (("waiting", "received"), ("parked", "parked"))
    }
    newest = Subquery(told.order_by("-pk").values("received_at")[:1])
    return accounts.exclude(state=Account.Status.CLOSED).annotate(**counted, last_told=newest)


def inbox_of_all() -> Inbox:
    """For staff. Old messages are not counted anew each time: what waits has an index, the rest is cut off."""
    open_ones = InboxMessage.objects.filter(status__in=(Status.RECEIVED, Status.PARKED))
    newest = InboxMessage.objects.filter(pk__in=InboxMessage.objects.order_by("-pk").values("pk")[:NEWEST])
    waits = open_ones.aggregate(**{status: Count("pk", filter=Q(status=status)) for status in ("received", "parked")})
    done = newest.aggregate(**{status: Count("pk", filter=Q(status=status)) for status in ("processed", "refused")})
    return Inbox(waits["received"], waits["parked"], done["processed"], done["refused"], NEWEST)


def id_in(chosen: str) -> Any:
    """Of `position:<id>`; None for anything else."""
    scope, _, text = chosen.partition(":")
    try:
        return UUID(text) if scope == "position" else None
    except ValueError:
        return None
