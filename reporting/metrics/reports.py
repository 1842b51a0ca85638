"""Figures of cells over a period: stored rows, carried on to now. The queries do not grow with the cells."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby, pairwise
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils import timezone

from portfolios.models import Position
from reporting.metrics.definitions import Figures, Point, Totals, Worths, added, between, growth_of, summed
from reporting.metrics.ledger import NOTHING, Carried, Closing, carry, closing_of, starts_of, stored_at
from reporting.metrics.periods import Period
from reporting.models import DailySnapshot, PortfolioSnapshot
from reporting.selectors.facts import Moment, market_clocks, moments_of
from trading.market.models import MarketClock


class Line(NamedTuple):
    position: Position
    figures: Figures


class Year(NamedTuple):
    """Round trips closed in a calendar year of the market."""

    year: int
    trips: int
    wins: int
    realised: int


class Report(NamedTuple):
    """points: the worth of all at the end of each market day of the period."""

    period: Period
    lines: list[Line]
    total: Figures
    points: list[Point]
    years: list[Year]


class Day(NamedTuple):
    """All cells together at the end of a market day; flow, trips, wins and realised since they began."""

    day: date
    worths: Worths
    flow: int
    trips: int
    wins: int
    realised: int

    @property
    def point(self) -> Point:
        return Point(self.day, self.worths, self.flow)


EVE = Day(date.min, Worths(), 0, 0, 0, 0)


def cells_seen_by(user: Any) -> QuerySet[Position]:
    """Closed ones too: what they earned is part of the sums. Of each only what a report reads."""
    told = Position.objects.visible_to(user).only("public_id", "portfolio", "source", "symbol", "state")
    return told.prefetch_related("portfolio").order_by("symbol", "pk")


def moments_around(positions: Sequence[Position], clocks: Iterable[MarketClock] | None = None) -> dict[str, Moment]:
    """Of the cells' markets; of every replayed one where there are no cells, so that no report leaves market time."""
    clocks = market_clocks() if clocks is None else list(clocks)
    return moments_of({position.source for position in positions} or {clock.source for clock in clocks}, clocks)


def today_of(moments: Mapping[str, Moment]) -> date:
    """The newest market day of all sources; the calendar's where there are no cells and nothing is replayed."""
    return max((moment.day for moment in moments.values()), default=timezone.now().date())


def report_of(
    positions: Sequence[Position], period: Period, moments: Mapping[str, Moment] | None = None, *, whole: bool = True
) -> Report:
    """whole: `positions` are all cells of their portfolios, so that the portfolios' stored sums can be read."""
    until = {source: moment.at for source, moment in (moments or moments_around(positions)).items()}
    carried = carry(positions, until, starts_of(positions))
    known = {(pk, day): cell.at(day) for pk, cell in carried.items() for day in (period.eve, period.last)}
    stored = stored_at([wanted for wanted, closing in known.items() if closing is None])

    def at(position: Position, day: date) -> Closing:
        return known[position.pk, day] or stored.get((position.pk, day), NOTHING)

    lines = [Line(cell, figures_between(at(cell, period.eve), at(cell, period.last))) for cell in positions]
    days = [day for day in days_of(positions, carried, whole=whole) if day.day <= period.last]
    before = [day for day in days if day.day <= period.eve]
    points = [day.point for day in days[len(before) :]]
    total = Figures(
        added(line.figures.totals for line in lines),
        summed(line.figures.before for line in lines),
        summed(line.figures.after for line in lines),
        growth_of(points, before[-1].point if before else None),
    )
    return Report(period, [line for line in lines if is_told(line)], total, points, list(years_of(days)))


def figures_between(before: Closing, after: Closing) -> Figures:
    totals = between(before.totals, after.totals)
    growth = after.growth / before.growth if totals.priced_ms and before.growth else None
    return Figures(totals, before.worths, after.worths, growth)


def is_told(line: Line) -> bool:
    """Closed cells only where the period still saw them."""
    return line.position.state != Position.Status.CLOSED or line.figures.totals.priced_ms > 0


def days_of(positions: Sequence[Position], carried: Mapping[int, Carried], *, whole: bool) -> list[Day]:
    """Every market day of these cells, the stored ones and the ones carried since."""
    recent = list(carried_days(list(carried.values())))
    since = recent[0].day if recent else date.max
    stored = portfolio_days(positions) if whole else cell_days(positions)
    return [*(day for day in stored if day.day < since), *recent]


def carried_days(cells: Sequence[Carried]) -> Iterator[Day]:
    """Sums over all cells, each with its newest closing by that day."""
    steps = [(day, place, closing) for place, cell in enumerate(cells) for day, closing in cell.closings]
    newest = [closing_of(cell.start) for cell in cells] if steps else []
    for day, several in groupby(sorted(steps, key=lambda step: step[:2]), key=lambda step: step[0]):
        for _, place, closing in several:
            newest[place] = closing
        yield day_from(day, [(closing.worths, closing.totals) for closing in newest])


def day_from(day: date, rows: Iterable[tuple[Worths, Totals]]) -> Day:
    rows = list(rows)
    totals = [totals for _, totals in rows]
    return Day(
        day,
        summed(worths for worths, _ in rows),
        sum(each.flow for each in totals),
        sum(each.trips for each in totals),
        sum(each.wins for each in totals),
        sum(each.realised for each in totals),
    )


def portfolio_days(positions: Sequence[Position]) -> list[Day]:
    portfolios = {position.portfolio_id for position in positions}
    return stored_days("portfolio_id", PortfolioSnapshot.objects.filter(portfolio__in=portfolios))


def cell_days(positions: Sequence[Position]) -> list[Day]:
    return stored_days("position_id", DailySnapshot.objects.filter(position__in=positions))


def stored_days(owner: str, rows: QuerySet[Any]) -> list[Day]:
    """Sums by day; who has no row on a day counts with the one before."""
    columns = ("day", owner, "value", "alone", "held", "flow", "trips", "wins", "realised")
    newest: dict[int, tuple[int, ...]] = {}
    days = []
    for day, several in groupby(rows.order_by("day").values_list(*columns), key=lambda row: row[0]):
        newest |= {row[1]: tuple(map(int, row[2:])) for row in several}
        value, alone, held, *rest = map(sum, zip(*newest.values(), strict=True))
        days.append(Day(day, Worths(value, alone, held), *rest))
    return days


def years_of(days: Sequence[Day]) -> Iterator[Year]:
    """The newest year first."""
    ends = {day.day.year: day for day in days}
    told = [EVE, *ends.values()]
    for before, end in reversed(list(pairwise(told))):
        yield Year(end.day.year, end.trips - before.trips, end.wins - before.wins, end.realised - before.realised)
