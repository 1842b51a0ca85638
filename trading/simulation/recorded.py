"""Our own recorded history as the engine is shown it."""

from datetime import date, datetime
from typing import NamedTuple

from django.db.models import OuterRef, Subquery

from dividends.selectors import known_actions
from trading.bars.adjusted import adjusted
from trading.bars.catalogue import StoredBars, stored_bars, stored_symbols
from trading.bars.known import known_of
from trading.bars.quality import Quality, quality_of
from trading.bars.resolutions import DAILY
from trading.market.models import Bar, Instrument
from trading.simulation.bars import Bars, Dividend, Split

ADJUSTMENTS = ("none", "splits", "all")


def recorded_bars(symbol: str, first: date | None = None, last: date | None = None, resolution: str = DAILY) -> Bars:
    """Bars of a symbol, raw as traded; empty arrays where there are none. Raises BarsGone."""
    stored = stored_bars(symbol, resolution, first, last)
    return Bars(stored.begins, stored.days, stored.prices, stored.market, is_daily=resolution == DAILY)


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
    """A symbol with daily bars: what it is called, its first and its last day."""

    symbol: str
    name: str
    first: date
    last: date


def recorded_spans() -> list[Recorded]:
    """By two steps down an index a symbol: counting through all bars would take a hundred times as long."""
    days = Bar.objects.filter(symbol=OuterRef("symbol")).values("day")
    found = Instrument.objects.annotate(
        first=Subquery(days.order_by("day")[:1]), last=Subquery(days.order_by("-day")[:1])
    )
    rows = found.filter(first__isnull=False).order_by("symbol")
    return [Recorded(*row) for row in rows.values_list("symbol", "name", "first", "last")]
