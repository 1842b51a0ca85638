"""Dividends of the cells somebody may see: what comes, what is owed, what was received and withheld."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet, Sum

from dividends.domain.payments import payment_for
from dividends.models import Dividend, Entitlement
from portfolios.models import Position
from reporting.paging import PAGE, Slice, slice_of
from reporting.selectors.cells import Rulebook, visible_positions
from reporting.selectors.facts import Listing, listing_of, moments_of

AHEAD = timedelta(days=45)  # companies announce some weeks before; a replay knows years, and does not tell
SALT = "dividends"


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
    """owed: the soonest, and how many more there are; the total is of all. held: whether a dividend could come to any
    cell.
    """

    coming: list[Coming]
    owed: list[Entitlement]
    owed_more: int
    owed_total: int
    years: list[Year]
    held: bool


def calendar_of(user: Any) -> Calendar:
    cells = list(visible_positions(user))
    owed = entitlements_of(user).filter(status=Entitlement.Status.RECEIVABLE)
    total = owed.aggregate(count=Count("pk"), net=Sum("net", default=0))
    soonest = list(owed.order_by("dividend__pay_date", "pk")[:PAGE])
    more = total["count"] - len(soonest)
    return Calendar(coming_to(cells), soonest, more, int(total["net"]), years_of(user), bool(cells))


def entitlements_of(user: Any) -> QuerySet[Entitlement]:
    """Those that came to something: a cell without shares on the day is entitled to nothing."""
    return Entitlement.objects.visible_to(user).filter(gross__gt=0).select_related("dividend", "position__portfolio")


def paid_to(user: Any, cursor: str) -> Slice[Entitlement]:
    return slice_of(entitlements_of(user).filter(status=Entitlement.Status.PAID), cursor, SALT)


def coming_to(cells: Sequence[Position]) -> list[Coming]:
    """The next announcements by ex-date, each with what the cells of its listing would get."""
    held: dict[Listing, list[Position]] = defaultdict(list)
    for position in cells:
        held[listing_of(position)].append(position)
    rules = Rulebook()
    return [coming(dividend, held[dividend.symbol, dividend.source], rules) for dividend in announced(held)]


def announced(held: dict[Listing, list[Position]]) -> QuerySet[Dividend]:
    """Soon to go ex on the clock of their own market."""
    later = Q(pk__in=[])
    for source, moment in moments_of({source for _, source in held}).items():
        symbols = {symbol for symbol, of in held if of == source}
        until = moment.day + AHEAD
        later |= Q(source=source, symbol__in=symbols, ex_date__gt=moment.day, ex_date__lte=until)
    return Dividend.objects.filter(later, cancelled_at=None).order_by("ex_date", "symbol")


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


def years_of(user: Any) -> list[Year]:
    """The newest year first, each with its cells by symbol; two queries for all, summed where it is stored."""
    paid = Entitlement.objects.visible_to(user).filter(status=Entitlement.Status.PAID, gross__gt=0)
    sums = paid.values_list("dividend__pay_date__year", "position__symbol", "position")
    rows = sums.annotate(Sum("gross"), Sum("tax"), Sum("net")).order_by(
        "-dividend__pay_date__year", "position__symbol", "position"
    )
    by_year = {year: [row[2:] for row in several] for year, several in groupby(rows, key=itemgetter(0))}
    shown = {cell for several in by_year.values() for cell, *_ in several[:PAGE]}
    cells = Position.objects.select_related("portfolio").in_bulk(shown)
    return [year_of(year, several, cells) for year, several in by_year.items()]


def year_of(year: int, rows: Sequence[tuple[Any, ...]], cells: Mapping[int, Position]) -> Year:
    received = [Received(cells[cell], Payout(*map(int, amounts))) for cell, *amounts in rows[:PAGE]]
    others = rows[PAGE:]
    return Year(year, received, len(others), sum_of(others), sum_of(rows))


def sum_of(rows: Sequence[tuple[Any, ...]]) -> Payout:
    return Payout(*(sum(int(row[place]) for row in rows) for place in (1, 2, 3)))
