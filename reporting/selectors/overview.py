"""The overview: totals of all cells, one page of them by nearness to a trigger, and what happened last."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import OuterRef, Q, Subquery

from portfolios.models import Event, Portfolio, Position
from reporting.happening import Happening
from reporting.paging import newest_of
from reporting.selectors.audit import names_of
from reporting.selectors.cells import Cell, cells_of, visible_positions
from reporting.selectors.facts import Listing, listing_of
from reporting.selectors.timeline import FILTERS
from reporting.standing import ratio_ppm
from trading.domain.choices import Side
from trading.domain.ladder import Rung, next_rung
from trading.market.models import Bar, MarketClock

PAGE, RECENT = 50, 12
SPARK_DAYS = timedelta(days=90)
NEVER = 10**9
TELLING = tuple(kind for kinds in FILTERS.values() for kind in kinds)


class Line(NamedTuple):
    """One cell on the overview."""

    cell: Cell
    buy: Rung | None
    sell: Rung | None
    closes: list[int]
    last: Happening | None


class Totals(NamedTuple):
    """Micros; of the cells whose price is known."""

    value: int
    cash: int
    owed: int
    today: int
    alone: int
    unpriced: int

    @property
    def change(self) -> int:
        return self.value - self.alone

    @property
    def change_ppm(self) -> int | None:
        return ratio_ppm(self.change, self.alone)

    @property
    def today_ppm(self) -> int | None:
        return ratio_ppm(self.today, self.value - self.today)


class Feed(NamedTuple):
    """A replayed market: how old its newest price is on its own clock (ms), and whether the user may hold it."""

    clock: MarketClock
    age: int | None
    steered: bool


class Overview(NamedTuple):
    cells: int
    totals: Totals
    lines: list[Line]
    page: int
    pages: int
    recent: list[Happening]
    feeds: list[Feed]


def overview_of(user: Any, clocks: Sequence[MarketClock], *, page: int = 1) -> Overview:
    cells = sorted(cells_of(list(visible_positions(user).order_by("pk")), clocks), key=nearness)
    pages = max(-(-len(cells) // PAGE), 1)
    page = min(max(page, 1), pages)
    shown = cells[(page - 1) * PAGE : page * PAGE]
    return Overview(
        len(cells),
        totals_of(cells),
        lines_of(shown),
        page,
        pages,
        recent_events(user, {cell.position.public_id: cell.position.symbol for cell in cells}),
        feeds_of(user, cells, clocks),
    )


def nearness(cell: Cell) -> tuple[int, str]:
    """The nearest first; cells that cannot trade last, by symbol."""
    distance = cell.standing.distance if cell.standing else None
    return NEVER if distance is None else distance, cell.position.symbol


def totals_of(cells: Sequence[Cell]) -> Totals:
    standings = [cell.standing for cell in cells if cell.standing]
    priced = [cell.position for cell in cells if cell.standing]
    return Totals(
        value=sum(standing.value for standing in standings),
        cash=sum(position.cash for position in priced),
        owed=sum(position.receivable for position in priced),
        today=sum(standing.today for standing in standings),
        alone=sum(standing.alone for standing in standings),
        unpriced=len(cells) - len(standings),
    )


def lines_of(cells: Sequence[Cell]) -> list[Line]:
    closes, last = closes_of(cells), last_events(cells)
    lines = []
    for cell in cells:
        holding, rules = cell.position.holding, cell.effective.rules
        price = cell.sight.price if cell.sight else None
        lines.append(
            Line(
                cell,
                next_rung(holding, rules, Side.BUY, price),
                next_rung(holding, rules, Side.SELL, price),
                closes.get(listing_of(cell.position), []),
                last.get(cell.position.pk),
            )
        )
    return lines


def closes_of(cells: Iterable[Cell]) -> dict[Listing, list[int]]:
    """The last months' closes of each listing in today's shares, none of a session that has not closed yet."""
    cells = list(cells)
    if not cells:
        return {}
    symbols, spans = {cell.position.symbol for cell in cells}, Q()
    for day in {cell.day for cell in cells}:  # a replayed market and a live one are years apart
        spans |= Q(day__gt=day - SPARK_DAYS, day__lte=day)
    by_symbol: dict[str, list[Bar]] = defaultdict(list)
    for bar in Bar.objects.filter(spans, symbol__in=symbols).order_by("day"):
        by_symbol[bar.symbol].append(bar)
    return {listing_of(cell.position): closed_by(cell, by_symbol[cell.position.symbol]) for cell in cells}


def closed_by(cell: Cell, bars: Sequence[Bar]) -> list[int]:
    """Recorded closes before the cell's market day, and the price it sees now."""
    closes = [bar.close for bar in bars if cell.day - SPARK_DAYS < bar.day < cell.day]
    return [*closes, cell.sight.price] if cell.sight else closes


def last_events(cells: Sequence[Cell]) -> dict[int, Happening]:
    """The newest telling event of each cell, by the cell's primary key."""
    keys = {cell.position.public_id: cell.position.pk for cell in cells}
    newest = Event.objects.filter(stream_id=OuterRef("public_id"), type__in=TELLING).order_by("-seq").values("pk")[:1]
    wanted = Position.objects.filter(pk__in=keys.values()).values(newest=Subquery(newest))
    return {keys[event.stream_id]: Happening(event, event.content) for event in Event.objects.filter(pk__in=wanted)}


def recent_events(user: Any, names: Mapping[UUID, str]) -> list[Happening]:
    """Named by their cells; those that are closed are not among the names and asked for."""
    events = newest_of(Event.objects.filter(type__in=TELLING), Portfolio.objects.visible_to(user), RECENT)
    unnamed = {event.stream_id for event in events} - set(names)
    known = {**names, **(names_of(unnamed) if unnamed else {})}
    return [Happening(event, event.content, known.get(event.stream_id, "")) for event in events]


def feeds_of(user: Any, cells: Sequence[Cell], clocks: Iterable[MarketClock]) -> list[Feed]:
    """The replayed markets, each with the age of its newest price among these cells."""
    steered = set(Portfolio.objects.steered_by(user).values_list("source", flat=True))
    ages: dict[str, int] = {}
    for cell in cells:
        if cell.sight:
            source = cell.position.source
            ages[source] = min(cell.sight.age, ages.get(source, cell.sight.age))
    return [Feed(clock, ages.get(clock.source), user.is_staff or clock.source in steered) for clock in clocks]
