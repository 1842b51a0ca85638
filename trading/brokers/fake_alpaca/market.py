"""Prices of the fake: recorded bars it is given, a walk where it is given none, or whatever it is told."""

import csv
import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

CENT = Decimal("0.01")


class FakeBar(NamedTuple):
    at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


class Prices:
    """`now`: the instant; `outside`: a price from elsewhere, None where that knows none."""

    def __init__(self, now: Callable[[], datetime], outside: Callable[[str], Decimal | None] | None = None) -> None:
        self.now = now
        self.outside = outside
        self.told: dict[str, Decimal] = {}
        self.recorded: dict[str, list[FakeBar]] = {}

    def price(self, symbol: str) -> Decimal:
        if symbol in self.told:
            return self.told[symbol]
        found = self.outside(symbol) if self.outside else None
        if found is not None:
            return found
        bar = self.bar_at(symbol, self.now())
        return bar.close if bar else walked(symbol, self.now())

    def bar_at(self, symbol: str, at: datetime) -> FakeBar | None:
        bars = self.recorded.get(symbol, [])
        place = bisect_right(bars, at, key=lambda bar: bar.at)
        return bars[place - 1] if place else (bars[0] if bars else None)

    def bars(self, symbol: str, start: datetime, end: datetime, step: timedelta) -> Iterator[FakeBar]:
        """Recorded ones as they are; of a walk, one per step."""
        if symbol in self.recorded:
            yield from (bar for bar in self.recorded[symbol] if start <= bar.at <= end)
            return
        at = datetime.fromtimestamp(start.timestamp() // step.total_seconds() * step.total_seconds(), UTC)
        at = at if at >= start else at + step
        while at <= end:
            yield walked_bar(symbol, at, step)
            at += step

    def read(self, path: Path) -> int:
        """Bars from a CSV file with the columns symbol, timestamp, open, high, low, close, volume; how many."""
        count = 0
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                at = datetime.fromisoformat(row["timestamp"])
                at = at if at.tzinfo else at.replace(tzinfo=UTC)
                first, high, low, last = (Decimal(row[name]) for name in ("open", "high", "low", "close"))
                bar = FakeBar(at, first, high, low, last, int(Decimal(row["volume"])))
                self.recorded.setdefault(row["symbol"], []).append(bar)
                count += 1
        for bars in self.recorded.values():
            bars.sort(key=lambda bar: bar.at)
        return count


def walked(symbol: str, at: datetime) -> Decimal:
    """The same for the same symbol and minute, everywhere: about 100, less than 0.2 % from one minute to the next."""
    minute = int(at.timestamp()) // 60
    base = 100 + chance(symbol, 0) * 20
    swing = sum(chance(symbol, minute // size) * weight for size, weight in ((1, 0.0005), (60, 0.004), (1440, 0.02)))
    return Decimal(base * (1 + swing)).quantize(CENT)


def walked_bar(symbol: str, at: datetime, step: timedelta) -> FakeBar:
    points = [walked(symbol, at + step * part / 4) for part in range(5)]
    return FakeBar(at, points[0], max(points), min(points), points[-1], 1_000 + len(symbol))


def chance(symbol: str, number: int) -> float:
    """From -1 to 1."""
    digest = hashlib.sha256(f"{symbol} {number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / (1 << 31) - 1
