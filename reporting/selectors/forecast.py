"""What the next twelve months would bring if companies paid as in the last twelve, and where it would go."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db.models import Q, Sum

from dividends.domain.payments import payment_for
from dividends.models import Dividend, Entitlement, Split
from portfolios.domain.exact import muldiv_floor
from portfolios.models import Portfolio, Position
from reporting.paging import PAGE
from reporting.selectors.cells import Rulebook, visible_positions
from reporting.selectors.facts import Listing, Moment, listing_of, moments_of

YEAR = timedelta(days=365)


class StockForecast(NamedTuple):
    """times: how often it paid in the last twelve months; dps: all of it for one share of today (micros)."""

    symbol: str
    times: int
    dps: int
    shares: int
    gross: int
    tax: int

    @property
    def net(self) -> int:
        return self.gross - self.tax


class PortfolioDividends(NamedTuple):
    """Net, in micros: owed now, received in all, to be expected in twelve months."""

    portfolio: Portfolio
    owed: int
    received: int
    expected: int


class Forecast(NamedTuple):
    """stocks: the largest first, `others` of them not shown; the totals are of all."""

    stocks: list[StockForecast]
    others: int
    portfolios: list[PortfolioDividends]
    more_portfolios: int
    gross: int
    tax: int
    owed: int
    received: int

    @property
    def net(self) -> int:
        return self.gross - self.tax


def forecast_of(user: Any) -> Forecast:
    """With as many queries for many cells as for one."""
    cells = [cell for cell in visible_positions(user) if cell.shares]
    past = paid_lately(cells)
    rules = Rulebook()
    stocks: dict[Listing, StockForecast] = {}
    expected: dict[int, int] = defaultdict(int)
    shares: dict[Listing, int] = defaultdict(int)
    for cell in cells:
        shares[listing_of(cell)] += cell.shares
        for dps in past[listing_of(cell)]:
            payment = payment_for(cell.shares, dps, rules.of(cell).rules.withholding)
            expected[cell.portfolio_id] += payment.net
            stocks[listing_of(cell)] = added(stocks.get(listing_of(cell)), cell, payment.gross, payment.tax)
    told = [
        row._replace(times=len(past[listing]), dps=sum(past[listing]), shares=shares[listing])
        for listing, row in stocks.items()
    ]
    told.sort(key=lambda row: (-row.net, row.symbol))
    lines = by_portfolio(user, expected)
    return Forecast(
        told[:PAGE],
        len(told[PAGE:]),
        lines[:PAGE],
        len(lines[PAGE:]),
        sum(row.gross for row in told),
        sum(row.tax for row in told),
        sum(line.owed for line in lines),
        sum(line.received for line in lines),
    )


def added(row: StockForecast | None, cell: Position, gross: int, tax: int) -> StockForecast:
    before = row or StockForecast(cell.symbol, 0, 0, 0, 0, 0)
    return before._replace(gross=before.gross + gross, tax=before.tax + tax)


def paid_lately(cells: Sequence[Position]) -> dict[Listing, list[int]]:
    """What went ex in the year up to today, for one share as it is today; by each market's own clock."""
    listings = {listing_of(cell) for cell in cells}
    moments = moments_of({source for _, source in listings})
    wanted = within(listings, moments)
    splits: dict[Listing, list[Split]] = defaultdict(list)
    for split in Split.objects.filter(wanted, cancelled_at=None):
        splits[split.symbol, split.source].append(split)
    found: dict[Listing, list[int]] = defaultdict(list)
    for row in Dividend.objects.filter(wanted, cancelled_at=None).order_by("ex_date"):
        listing = row.symbol, row.source
        found[listing].append(for_one_of_today(row.dps, row.ex_date, splits[listing]))
    return found


def within(listings: Iterable[Listing], moments: dict[str, Moment]) -> Q:
    wanted = Q(pk__in=[])
    for source, moment in moments.items():
        symbols = {symbol for symbol, of in listings if of == source}
        wanted |= Q(source=source, symbol__in=symbols, ex_date__gt=moment.day - YEAR, ex_date__lte=moment.day)
    return wanted


def for_one_of_today(dps: int, ex_date: date, splits: Iterable[Split]) -> int:
    """A dividend of before a split was paid for a share of before."""
    for split in splits:
        if split.ex_date > ex_date:
            dps = muldiv_floor(dps, split.denominator, split.numerator)
    return dps


def by_portfolio(user: Any, expected: dict[int, int]) -> list[PortfolioDividends]:
    """By name; those to which none came and none will are left out."""
    sums = Entitlement.objects.visible_to(user).values_list("position__portfolio", "status").annotate(Sum("net"))
    known = {(portfolio, status): int(net) for portfolio, status, net in sums.order_by()}
    wanted = {portfolio for portfolio, _ in known} | set(expected)
    lines = [
        PortfolioDividends(
            row,
            known.get((row.pk, Entitlement.Status.RECEIVABLE), 0),
            known.get((row.pk, Entitlement.Status.PAID), 0),
            expected[row.pk],
        )
        for row in Portfolio.objects.visible_to(user).filter(pk__in=wanted).order_by("name", "pk")
    ]
    return [line for line in lines if line.owed or line.received or line.expected]
