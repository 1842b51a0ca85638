"""Reads of what is stored: which bars there are, and the bars themselves as arrays."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from django.db.models import Count, Max, Min, QuerySet, Sum

from trading.bars.engine import engine, literal
from trading.bars.folder import series_folder
from trading.bars.lines import EXCHANGE_TIME
from trading.bars.models import StoredPart
from trading.bars.resolutions import DAILY, DAY, RESOLUTIONS, seconds_of
from trading.bars.rows import EPOCH, PRICES, day_number
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
    def first_day(self) -> date:
        """On the exchange's own calendar."""
        return self.day_of(self.first)

    @property
    def last_day(self) -> date:
        """On the exchange's own calendar."""
        return self.day_of(self.last)

    def day_of(self, moment: int) -> date:
        if self.resolution == DAILY:
            return EPOCH + timedelta(days=moment // DAY)
        return datetime.fromtimestamp(moment, EXCHANGE_TIME).date()


def stored_bars(symbol: str, resolution: str, first: date | None = None, last: date | None = None) -> StoredBars:
    """By exchange days, both included; empty arrays where there are none. Raises BarsGone."""
    return bars_to_read(symbol, resolution, first, last)()


def bars_to_read(
    symbol: str, resolution: str, first: date | None = None, last: date | None = None
) -> Callable[[], StoredBars]:
    """`stored_bars` in two steps: the database is asked now, files are read by the call of what this returns, which may
    be in a thread without a database. Either raises BarsGone.
    """
    if resolution == DAILY:
        days = recorded_days(symbol, first, last)
        return lambda: days
    parts = list(parts_of(symbol, resolution, first, last))
    where = within(first, last)

    def read() -> StoredBars:
        bars, count = room_for(sum(part.rows for part in parts)), 0
        if parts:
            with engine() as duck:
                for part in parts:
                    sql = f"SELECT {COLUMNS} FROM {table_of([part])} WHERE {where} ORDER BY begins"  # noqa: S608 - ours
                    count += put(bars, count, duck.execute(sql).fetchnumpy())
        return StoredBars(*(column[:count] for column in bars))

    return read


def within(first: date | None, last: date | None) -> str:
    """For a WHERE: exchange days, both included."""
    wanted = [f"day >= {day_number(first)}" if first else "", f"day <= {day_number(last)}" if last else ""]
    return " AND ".join(filter(None, wanted)) or "true"


def first_closes(symbol: str, resolution: str, first: date, last: date) -> list[int]:
    """Of the first two bars of these days, in micros. Reads no more files than it needs. Raises BarsGone."""
    if resolution == DAILY:
        rows = Bar.objects.filter(symbol=symbol, day__gte=first, day__lte=last).order_by("day")
        return list(rows.values_list("close", flat=True)[:2])
    found: list[int] = []
    with engine() as duck:
        for part in parts_of(symbol, resolution, first, last):
            sql = f"SELECT close FROM {table_of([part])} WHERE {within(first, last)} ORDER BY begins LIMIT 2"  # noqa: S608
            found += [close for (close,) in duck.execute(sql).fetchall()]
            if len(found) > 1:
                break
    return found[:2]


def bars_between(symbol: str, resolution: str, first: date, last: date) -> int:
    """How many there are at most: of the files in which they can be, all."""
    if resolution == DAILY:
        return Bar.objects.filter(symbol=symbol, day__gte=first, day__lte=last).count()
    return parts_of(symbol, resolution, first, last).aggregate(rows=Sum("rows"))["rows"] or 0


def room_for(count: int) -> StoredBars:
    return StoredBars(
        np.empty(count, np.int64),
        np.empty(count, np.int32),
        np.empty((count, len(PRICES)), np.int64),
        np.empty(count, np.int64),
        np.empty(count, np.uint8),
    )


def put(bars: StoredBars, begin: int, got: dict[str, Any]) -> int:
    """What one file holds, from there on: so no more than one is in memory twice. How many they are."""
    found = slice(begin, begin + len(got["begins"]))
    bars.begins[found], bars.days[found] = got["begins"], got["day"]
    bars.volumes[found], bars.market[found] = got["volume"], got["market"]
    for place, name in enumerate(PRICES):
        bars.prices[found, place] = got[name]
    return len(got["begins"])


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


def series_in_files() -> list[Series]:
    parts = StoredPart.objects.values_list("symbol", "resolution")
    return [Series(*row) for row in parts.annotate(Sum("rows"), Min("first"), Max("last")).order_by()]


def all_series() -> list[Series]:
    """By symbol, then from the finest to the coarsest."""
    found = series_in_files()
    days = Bar.objects.values_list("symbol").annotate(Count("pk"), Min("day"), Max("day")).order_by()
    found += [
        Series(symbol, DAILY, rows, day_number(first) * DAY, day_number(last) * DAY)
        for symbol, rows, first, last in days
    ]
    return sorted(found, key=lambda series: (series.symbol, seconds_of(series.resolution)))
