"""Our own recorded history as the engine is shown it."""

from datetime import date
from typing import NamedTuple

import numpy as np
from django.db.models import OuterRef, Subquery

from dividends.models import Dividend as AnnouncedDividend
from dividends.models import Split as AnnouncedSplit
from trading.bars.catalogue import stored_bars, stored_symbols
from trading.bars.resolutions import DAILY
from trading.market.models import Bar, Instrument
from trading.simulation.bars import Bars, Dividend, Split, day_number

SOURCE = "replay"
SECONDS_A_DAY = 86_400


def recorded_bars(symbol: str, first: date | None = None, last: date | None = None, resolution: str = DAILY) -> Bars:
    """Bars of a symbol, raw as traded; empty arrays where there are none. Raises BarsGone."""
    if resolution != DAILY:
        stored = stored_bars(symbol, resolution, first, last)
        return Bars(stored.begins, stored.days, stored.prices, stored.market, is_daily=False)
    rows = Bar.objects.filter(symbol=symbol).order_by("day")
    if first:
        rows = rows.filter(day__gte=first)
    if last:
        rows = rows.filter(day__lte=last)
    found = list(rows.values_list("day", "open", "high", "low", "close"))
    days = np.array([day_number(row[0]) for row in found], np.int32)
    prices = np.array([row[1:] for row in found], np.int64).reshape(-1, 4)
    return Bars(days.astype(np.int64) * SECONDS_A_DAY, days, prices, np.zeros(len(found), np.uint8), is_daily=True)


def recorded_actions(symbol: str) -> tuple[list[Dividend], list[Split]]:
    """Dividends and splits announced for it, as far as they are recorded."""
    dividends = AnnouncedDividend.objects.filter(symbol=symbol, source=SOURCE).order_by("ex_date")
    splits = AnnouncedSplit.objects.filter(symbol=symbol, source=SOURCE).order_by("ex_date")
    return (
        [Dividend(*row) for row in dividends.values_list("ex_date", "pay_date", "dps")],
        [Split(*row) for row in splits.values_list("ex_date", "numerator", "denominator")],
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
