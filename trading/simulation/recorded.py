"""Our own recorded history as the engine is shown it."""

from collections.abc import Callable
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import OuterRef, Subquery

from dividends.selectors import known_actions
from trading.bars.adjusted import adjusted
from trading.bars.catalogue import StoredBars, bars_to_read, series_in_files, stored_bars, stored_symbols
from trading.bars.known import known_of
from trading.bars.quality import Quality, quality_of
from trading.bars.resolutions import DAILY, seconds_of
from trading.market.models import Bar, Instrument
from trading.simulation.bars import Bars, Dividend, Split

ADJUSTMENTS = ("none", "splits", "all")


def recorded_bars(symbol: str, first: date | None = None, last: date | None = None, resolution: str = DAILY) -> Bars:
    """Bars of a symbol, raw as traded; empty arrays where there are none. Raises BarsGone."""
    return recorded_to_read(symbol, first, last, resolution)()


def recorded_to_read(symbol: str, first: date | None, last: date | None, resolution: str) -> Callable[[], Bars]:
    """`recorded_bars` in two steps: the database is asked now, files are read by the call. Either raises BarsGone."""
    read = bars_to_read(symbol, resolution, first, last)

    def found() -> Bars:
        stored = read()
        return Bars(stored.begins, stored.days, stored.prices, stored.market, is_daily=resolution == DAILY)

    return found


def recorded_view(symbol: str, resolution: str, first: date | None, last: date | None, adjust: str) -> StoredBars:
    """Bars as the last one of the record sees them. adjust: one of ADJUSTMENTS. Raises BarsGone."""
    if adjust == "none":
        return stored_bars(symbol, resolution, first, last)
    dividends, splits = recorded_actions(symbol)
    paid = [(row.ex_date, row.dps) for row in dividends] if adjust == "all" else []
    return adjusted(stored_bars(symbol, resolution, first), splits, paid).until(last)


def quality_now(symbol: str, resolution: str, now: datetime) -> Quality | None:
    """None where nothing is recorded. Raises BarsGone."""
    return quality_of(symbol, resolution, now, known_of(symbol))


def recorded_actions(symbol: str) -> tuple[list[Dividend], list[Split]]:
    """Dividends and splits that are known for it, whoever told them."""
    dividends, splits = known_actions(symbol)
    return (
        [Dividend(row.ex_date, row.pay_date, row.dps) for row in dividends],
        [Split(row.ex_date, row.numerator, row.denominator) for row in splits],
    )


def recorded_symbols(resolution: str = DAILY) -> list[str]:
    if resolution != DAILY:
        return stored_symbols(resolution)
    return list(Bar.objects.values_list("symbol", flat=True).distinct().order_by("symbol"))


class Recorded(NamedTuple):
    """A symbol with bars of a resolution: what it is called, their first and last day."""

    symbol: str
    name: str
    resolution: str
    first: date
    last: date

    @property
    def key(self) -> str:
        """By which a form names it: "IBM", and "IBM 1min" where bars are shorter than a day."""
        return series_key(self.symbol, self.resolution)


def series_key(symbol: str, resolution: str) -> str:
    return symbol if resolution == DAILY else f"{symbol} {resolution}"


def recorded_spans() -> list[Recorded]:
    """By symbol, days first, then from the coarsest to the finest."""
    found = days_recorded()
    names = {row.symbol: row.name for row in found}
    found += [
        Recorded(row.symbol, names.get(row.symbol, ""), row.resolution, row.first_day, row.last_day)
        for row in series_in_files()
    ]
    return sorted(found, key=lambda row: (row.symbol, -seconds_of(row.resolution)))


def days_recorded() -> list[Recorded]:
    """By two steps down an index a symbol: counting through all bars would take a hundred times as long."""
    days = Bar.objects.filter(symbol=OuterRef("symbol")).values("day")
    found = Instrument.objects.annotate(
        first=Subquery(days.order_by("day")[:1]), last=Subquery(days.order_by("-day")[:1])
    )
    rows = found.filter(first__isnull=False).order_by("symbol").values_list("symbol", "name", "first", "last")
    return [Recorded(symbol, name, DAILY, first, last) for symbol, name, first, last in rows]
