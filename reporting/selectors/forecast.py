"""What the next twelve months would bring if companies paid as in the last twelve, and where it would go."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from dividends.domain.payments import payment_for
from dividends.domain.specials import Paid, specials_in
from dividends.models import Entitlement, Split
from portfolios.domain.exact import muldiv_floor
from portfolios.models import Portfolio, Position
from reporting.paging import PAGE
from reporting.selectors.cells import Rulebook
from reporting.selectors.dividends import YEAR, Ground, Summed, going_ex
from reporting.selectors.facts import Listing, listing_of

TODAY = timedelta()


class StockForecast(NamedTuple):
    """times: how often it paid in the last twelve months; dps: all of it for one share of today (micros); specials: how
    many it paid besides, which are not expected again.
    """

    symbol: str
    times: int
    dps: int
    shares: int
    gross: int
    tax: int
    specials: int = 0

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


def forecast_of(user: Any, ground: Ground) -> Forecast:
    """With as many queries for many cells as for one."""
    cells = [cell for cell in ground.cells if cell.shares]
    lately = paid_lately(ground)
    past = {listing: [row.dps for row in paid if not row.special] for listing, paid in lately.items()}
    rules = Rulebook()
    stocks: dict[Listing, StockForecast] = {}
    expected: dict[int, int] = defaultdict(int)
    shares: dict[Listing, int] = defaultdict(int)
    for cell in cells:
        shares[listing_of(cell)] += cell.shares
        for dps in past.get(listing_of(cell), ()):
            payment = payment_for(cell.shares, dps, rules.of(cell).rules.withholding)
            expected[cell.portfolio_id] += payment.net
            stocks[listing_of(cell)] = added(stocks.get(listing_of(cell)), cell, payment.gross, payment.tax)
    told = [
        row._replace(
            times=len(past[listing]),
            dps=sum(past[listing]),
            shares=shares[listing],
            specials=len(lately[listing]) - len(past[listing]),
        )
        for listing, row in stocks.items()
    ]
    told.sort(key=lambda row: (-row.net, row.symbol))
    lines = by_portfolio(user, ground, expected)
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


class Lately(NamedTuple):
    """dps for one share as it is today (micros); special: not expected again."""

    dps: int
    special: bool


def paid_lately(ground: Ground) -> dict[Listing, list[Lately]]:
    """What went ex in the year up to today, by each market's own clock."""
    past = [row for row in ground.dividends if row.ex_date <= ground.moments[row.source].day]
    wanted = going_ex({(row.symbol, row.source) for row in past}, ground.moments, TODAY)
    splits: dict[Listing, list[Split]] = defaultdict(list)
    for split in Split.objects.filter(wanted, cancelled_at=None):
        splits[split.symbol, split.source].append(split)
    known: dict[Listing, list[Paid]] = defaultdict(list)
    for row in past:
        listing = row.symbol, row.source
        known[listing].append(Paid(row.ex_date, for_one_of_today(row.dps, row.ex_date, splits[listing])))
    return {listing: of_last_year(paid, ground.moments[listing[1]].day - YEAR) for listing, paid in known.items()}


def of_last_year(paid: Sequence[Paid], since: date) -> list[Lately]:
    """Those after that day; by all of them it is told which were special."""
    special = specials_in(paid)
    return [Lately(row.dps, place in special) for place, row in enumerate(paid) if row.ex_date > since]


def for_one_of_today(dps: int, ex_date: date, splits: Iterable[Split]) -> int:
    """A dividend of before a split was paid for a share of before."""
    for split in splits:
        if split.ex_date > ex_date:
            dps = muldiv_floor(dps, split.denominator, split.numerator)
    return dps


def by_portfolio(user: Any, ground: Ground, expected: dict[int, int]) -> list[PortfolioDividends]:
    """By name; those to which none came and none will are left out."""
    owed, received = (net_of(ground.sums, of) for of in (Entitlement.Status.RECEIVABLE, Entitlement.Status.PAID))
    known = {cell.portfolio_id: cell.portfolio for cell in ground.cells}
    wanted = set(owed) | set(received) | set(expected)
    if unknown := wanted - set(known):  # all their cells are closed
        known |= Portfolio.objects.visible_to(user).in_bulk(unknown)
    rows = sorted(
        (known[portfolio] for portfolio in wanted if portfolio in known), key=lambda row: (row.name.casefold(), row.pk)
    )
    lines = [PortfolioDividends(row, owed[row.pk], received[row.pk], expected[row.pk]) for row in rows]
    return [line for line in lines if line.owed or line.received or line.expected]


def net_of(sums: Iterable[Summed], status: str) -> dict[int, int]:
    """By portfolio."""
    found: dict[int, int] = defaultdict(int)
    for row in sums:
        if row.status == status:
            found[row.portfolio] += row.net
    return found
