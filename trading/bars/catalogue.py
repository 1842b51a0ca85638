"""Reads of what is stored: which bars there are, and the bars themselves as arrays."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from django.db.models import Count, Max, Min, QuerySet, Sum

from trading.bars.engine import engine, literal
from trading.bars.folder import series_folder
from trading.bars.models import StoredPart
from trading.bars.resolutions import DAILY, DAY, RESOLUTIONS, seconds_of
from trading.bars.rows import EPOCH, day_number
from trading.market.models import Bar

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Engine

COLUMNS = "begins, day, open, high, low, close, volume, market"
DAYS_BEYOND = 2  # a session's day in its exchange's zone may be another one than in UTC
NONE = (
    "SELECT 0::BIGINT begins, 0::INTEGER AS day, 0::BIGINT open, 0::BIGINT high, 0::BIGINT low, 0::BIGINT AS close, "
    "0::BIGINT volume, 0::UTINYINT market LIMIT 0"
)


class BarsGone(Exception):
    """The catalogue names a file that is not there."""


class StoredBars(NamedTuple):
    """n bars in order: begins in seconds of the epoch, days of the epoch, n x 4 prices in micros raw as traded, volumes
    in shares, market 0 in the regular session and 1 before and after it.
    """

    begins: np.ndarray
    days: np.ndarray
    prices: np.ndarray
    volumes: np.ndarray
    market: np.ndarray

    def until(self, last: date | None) -> "StoredBars":
        """This exchange day included."""
        end = len(self.days) if last is None else int(np.searchsorted(self.days, day_number(last), side="right"))
        return StoredBars(*(column[:end] for column in self))

    def row(self, number: int) -> dict[str, Any]:
        """One of them, counted from 0, as Python's own numbers."""
        prices = dict(zip(("open", "high", "low", "close"), self.prices[number].tolist(), strict=True))
        session = ("regular", "extended")[int(self.market[number])]
        day = EPOCH + timedelta(days=int(self.days[number]))
        return prices | {
            "at": int(self.begins[number]),
            "day": day,
            "volume": int(self.volumes[number]),
            "session": session,
        }


class Series(NamedTuple):
    """Of one symbol and resolution: how many bars, the first and the last one's begin (seconds of the epoch)."""

    symbol: str
    resolution: str
    rows: int
    first: int
    last: int

    @property
    def last_day(self) -> date:
        """By UTC, so never before the exchange's own."""
        return EPOCH + timedelta(days=self.last // DAY)


def stored_bars(symbol: str, resolution: str, first: date | None = None, last: date | None = None) -> StoredBars:
    """By exchange days, both included; empty arrays where there are none. Raises BarsGone."""
    if resolution == DAILY:
        return recorded_days(symbol, first, last)
    parts = list(parts_of(symbol, resolution, first, last))
    if not parts:
        return empty()
    wanted = [f"day >= {day_number(first)}" if first else "", f"day <= {day_number(last)}" if last else ""]
    where = " AND ".join(filter(None, wanted)) or "true"
    with engine() as duck:
        table = table_of(parts)
        got = duck.execute(f"SELECT {COLUMNS} FROM {table} WHERE {where} ORDER BY begins").fetchnumpy()  # noqa: S608
    return arrays(got)


def arrays(got: dict[str, Any]) -> StoredBars:
    prices = np.column_stack([got[name] for name in ("open", "high", "low", "close")]).astype(np.int64)
    return StoredBars(
        got["begins"].astype(np.int64),
        got["day"].astype(np.int32),
        prices,
        got["volume"].astype(np.int64),
        got["market"].astype(np.uint8),
    )


def empty() -> StoredBars:
    none = np.empty(0, np.int64)
    return StoredBars(none, none.astype(np.int32), none.reshape(-1, 4), none, none.astype(np.uint8))


def parts_of(symbol: str, resolution: str, first: date | None = None, last: date | None = None) -> QuerySet[StoredPart]:
    """The files in which bars of these days can be, in order."""
    parts = StoredPart.objects.filter(symbol=symbol, resolution=resolution)
    if first:
        parts = parts.filter(last__gte=(day_number(first) - DAYS_BEYOND) * DAY)
    if last:
        parts = parts.filter(first__lte=(day_number(last) + DAYS_BEYOND) * DAY)
    return parts.order_by("first")


def table_of(parts: Sequence[StoredPart]) -> str:
    """For a FROM. Raises BarsGone."""
    if not parts:
        return f"({NONE})"
    paths = [path_of(part) for part in parts]
    return f"read_parquet([{', '.join(literal(str(path)) for path in paths)}])"


def path_of(part: StoredPart) -> Path:
    path = series_folder(part.symbol, part.resolution) / part.file
    if not path.is_file():
        raise BarsGone(f"{part}: the catalogue names a file that is not there; import these bars again")
    return path


def series_of(symbol: str, resolution: str) -> Series | None:
    """None where there is none, whatever the names are."""
    if len(symbol) > 12 or not symbol.isprintable() or resolution not in RESOLUTIONS:
        return None
    if resolution == DAILY:
        found = Bar.objects.filter(symbol=symbol).aggregate(first=Min("day"), last=Max("day"))
        if found["first"] is None:
            return None
        rows = Bar.objects.filter(symbol=symbol).count()
        return Series(symbol, DAILY, rows, *(day_number(found[name]) * DAY for name in ("first", "last")))
    parts = StoredPart.objects.filter(symbol=symbol, resolution=resolution)
    total = parts.aggregate(count=Sum("rows"), begin=Min("first"), end=Max("last"))
    return Series(symbol, resolution, *total.values()) if total["count"] else None


def stored_symbols(resolution: str) -> list[str]:
    """With bars in files."""
    found = StoredPart.objects.filter(resolution=resolution).values_list("symbol", flat=True)
    return list(found.distinct().order_by("symbol"))


def recorded_days(symbol: str, first: date | None = None, last: date | None = None) -> StoredBars:
    rows = Bar.objects.filter(symbol=symbol).order_by("day")
    if first:
        rows = rows.filter(day__gte=first)
    if last:
        rows = rows.filter(day__lte=last)
    found = list(rows.values_list("day", "open", "high", "low", "close", "volume"))
    days = np.array([day_number(row[0]) for row in found], np.int32)
    prices = np.array([row[1:5] for row in found], np.int64).reshape(-1, 4)
    volumes = np.array([row[5] for row in found], np.int64)
    return StoredBars(days.astype(np.int64) * DAY, days, prices, volumes, np.zeros(len(found), np.uint8))


def daily_table(duck: "Engine", symbol: str) -> None:
    """The recorded days of a symbol as the engine's table `daily`."""
    bars = recorded_days(symbol)
    columns = {"begins": bars.begins, "day": bars.days, "volume": bars.volumes, "market": bars.market}
    prices = dict(zip(("open", "high", "low", "close"), np.ascontiguousarray(bars.prices.T), strict=True))
    duck.register("daily", columns | prices)


def all_series() -> list[Series]:
    """By symbol, then from the finest to the coarsest."""
    parts = StoredPart.objects.values_list("symbol", "resolution")
    found = [Series(*row) for row in parts.annotate(Sum("rows"), Min("first"), Max("last")).order_by()]
    days = Bar.objects.values_list("symbol").annotate(Count("pk"), Min("day"), Max("day")).order_by()
    found += [
        Series(symbol, DAILY, rows, day_number(first) * DAY, day_number(last) * DAY)
        for symbol, rows, first, last in days
    ]
    return sorted(found, key=lambda series: (series.symbol, seconds_of(series.resolution)))
