"""Dividends of the cells somebody may see: what comes, what is owed, what was received and withheld."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from django.core import signing
from django.db.models import Count, Q, QuerySet, Sum

from dividends.domain.payments import payment_for
from dividends.models import Dividend, Entitlement
from portfolios.models import Position
from reporting.paging import PAGE, Slice, slice_of
from reporting.selectors.cells import Rulebook, visible_positions
from reporting.selectors.facts import Listing, Moment, listing_of, moments_of
from trading.market.models import MarketClock

YEAR = timedelta(days=365)
KNOWN = 3 * YEAR
AHEAD = timedelta(days=45)  # companies announce some weeks before; a replay knows years, and does not tell
SALT, OWED = "dividends", "dividends-owed"


class Summed(NamedTuple):
    """All entitlements of one cell of one status and one year of payment; amounts in micros."""

    status: str
    year: int
    portfolio: int
    symbol: str
    cell: int
    gross: int
    tax: int
    net: int
    entitlements: int


class Ground(NamedTuple):
    """What the calendar and the forecast both stand on: cells, what their companies announced, what came of it.

    dividends: those not taken back, by ex-date, of the last three years and soon to come, on the clock of their market.
    sums: the newest year first, then by symbol.
    """

    cells: list[Position]
    moments: dict[str, Moment]
    dividends: list[Dividend]
    sums: list[Summed]


class Coming(NamedTuple):
    """A dividend announced and not yet gone ex: what the shares held now would get (micros), were they kept."""

    dividend: Dividend
    cells: int
    shares: int
    gross: int
    tax: int

    @property
    def net(self) -> int:
        return self.gross - self.tax


class Payout(NamedTuple):
    """Gross, tax withheld and net, in micros."""

    gross: int
    tax: int
    net: int


class Received(NamedTuple):
    """What one cell received in one year, by the day it was paid."""

    position: Position
    total: Payout


class Year(NamedTuple):
    """cells: the first by symbol; others: how many more there are, and what they received."""

    year: int
    cells: list[Received]
    others: int
    of_others: Payout
    total: Payout


class Calendar(NamedTuple):
    """owed: a page of what is owed, the soonest first; the total is of all. held: whether a dividend could come to any
    cell.
    """

    coming: list[Coming]
    owed: Slice[Entitlement]
    owed_total: int
    years: list[Year]
    held: bool


def ground_of(user: Any, clocks: Iterable[MarketClock] | None = None) -> Ground:
    """With as many queries for many cells as for one."""
    cells = list(visible_positions(user))
    listings = {listing_of(cell) for cell in cells}
    moments = moments_of({source for _, source in listings}, clocks)
    return Ground(cells, moments, announced(listings, moments), sums_of(user))


def calendar_of(user: Any, ground: Ground, owed_after: str = "") -> Calendar:
    total = sum(row.net for row in ground.sums if row.status == Entitlement.Status.RECEIVABLE)
    return Calendar(coming_to(ground), owed_to(user, owed_after), total, years_of(ground.sums), bool(ground.cells))


def entitlements_of(user: Any) -> QuerySet[Entitlement]:
    """Those that came to something: a cell without shares on the day is entitled to nothing."""
    return Entitlement.objects.visible_to(user).filter(gross__gt=0).select_related("dividend", "position__portfolio")


def paid_to(user: Any, cursor: str) -> Slice[Entitlement]:
    return slice_of(entitlements_of(user).filter(status=Entitlement.Status.PAID), cursor, SALT)


def owed_to(user: Any, cursor: str) -> Slice[Entitlement]:
    """By pay date, which may be assumed and change: then a page begins at another place, and nothing is lost."""
    owed = entitlements_of(user).filter(status=Entitlement.Status.RECEIVABLE).order_by("dividend__pay_date", "pk")
    after = read_place(cursor)
    if after:
        day, key = after
        owed = owed.filter(Q(dividend__pay_date__gt=day) | Q(dividend__pay_date=day, pk__gt=key))
    found = list(owed[: PAGE + 1])
    shown = found[:PAGE]
    place = (shown[-1].dividend.pay_date.isoformat(), shown[-1].pk) if len(found) > PAGE else None
    return Slice(shown, signing.dumps(place, salt=OWED) if place else "", after is None)


def read_place(cursor: str) -> tuple[date, int] | None:
    """A cursor that is not ours counts as none."""
    try:
        day, key = signing.loads(cursor, salt=OWED) if cursor else ("", 0)
    except signing.BadSignature:
        return None
    return (date.fromisoformat(day), key) if day else None


def coming_to(ground: Ground) -> list[Coming]:
    """The next announcements by ex-date, each with what the cells of its listing would get."""
    held: dict[Listing, list[Position]] = defaultdict(list)
    for position in ground.cells:
        held[listing_of(position)].append(position)
    rules, days = Rulebook(), {source: moment.day for source, moment in ground.moments.items()}
    soon = (row for row in ground.dividends if row.ex_date > days[row.source])
    return [coming(dividend, held[dividend.symbol, dividend.source], rules) for dividend in soon]


def announced(listings: Iterable[Listing], moments: Mapping[str, Moment]) -> list[Dividend]:
    wanted = going_ex(listings, moments, AHEAD)
    return list(Dividend.objects.filter(wanted, cancelled_at=None).order_by("ex_date", "symbol"))


def going_ex(listings: Iterable[Listing], moments: Mapping[str, Moment], ahead: timedelta) -> Q:
    """From three years ago, by which special ones are told, to so long from now, on the clock of their own market."""
    wanted = Q(pk__in=[])
    for source, moment in moments.items():
        symbols = {symbol for symbol, of in listings if of == source}
        since, until = moment.day - KNOWN, moment.day + ahead
        wanted |= Q(source=source, symbol__in=symbols, ex_date__gt=since, ex_date__lte=until)
    return wanted


def coming(dividend: Dividend, cells: Sequence[Position], rules: Rulebook) -> Coming:
    payments = [payment_for(cell.shares, dividend.dps, rules.of(cell).rules.withholding) for cell in cells]
    holders = [cell for cell in cells if cell.shares]
    return Coming(
        dividend,
        len(holders),
        sum(cell.shares for cell in cells),
        sum(payment.gross for payment in payments),
        sum(payment.tax for payment in payments),
    )


def sums_of(user: Any) -> list[Summed]:
    """Of what is owed or was paid, added up where it is stored; one query for years, portfolios and totals."""
    told = Entitlement.objects.visible_to(user).filter(
        status__in=(Entitlement.Status.RECEIVABLE, Entitlement.Status.PAID), gross__gt=0
    )
    keys = told.values_list("status", "dividend__pay_date__year", "position__portfolio", "position__symbol", "position")
    rows = keys.annotate(Sum("gross"), Sum("tax"), Sum("net"), Count("pk"))
    ordered = rows.order_by("-dividend__pay_date__year", "position__symbol", "position", "status")
    return [Summed(*row[:5], *map(int, row[5:])) for row in ordered]


def years_of(sums: Iterable[Summed]) -> list[Year]:
    """Of what was paid, the newest year first, each with its cells by symbol; one query for the cells."""
    paid = [row for row in sums if row.status == Entitlement.Status.PAID]
    by_year = {
        year: [(row.cell, row.gross, row.tax, row.net) for row in several]
        for year, several in groupby(paid, key=attrgetter("year"))
    }
    shown = {cell for several in by_year.values() for cell, *_ in several[:PAGE]}
    cells = Position.objects.select_related("portfolio").in_bulk(shown)
    return [year_of(year, several, cells) for year, several in by_year.items()]


def year_of(year: int, rows: Sequence[tuple[Any, ...]], cells: Mapping[int, Position]) -> Year:
    received = [Received(cells[cell], Payout(*map(int, amounts))) for cell, *amounts in rows[:PAGE]]
    others = rows[PAGE:]
    return Year(year, received, len(others), sum_of(others), sum_of(rows))


def sum_of(rows: Sequence[tuple[Any, ...]]) -> Payout:
    return Payout(*(sum(int(row[place]) for row in rows) for place in (1, 2, 3)))
