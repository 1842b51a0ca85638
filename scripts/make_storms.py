"""Makes trading/simulation/shapes.csv: known falls of an index and its way back, as levels relative to the peak.

    python scripts/make_storms.py closes.csv      (columns `date` and `close`, daily; any fund on the S&P 500)

A shape begins at the close of the peak (1000000 parts) and has the last close of every calendar week after it, that of
the trough besides, up to the first week that closes at the peak again. Only these ratios are kept, in millionths.
"""

import csv
import sys
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

SHAPES = {
    "2000": (date(2000, 3, 24), date(2002, 10, 9)),
    "2008": (date(2007, 10, 9), date(2009, 3, 9)),
    "2020": (date(2020, 2, 19), date(2020, 3, 23)),
}
TARGET = Path(__file__).parent.parent / "trading" / "simulation" / "shapes.csv"
PPM = 1_000_000


def shape(closes: dict[date, Decimal], peak: date, trough: date) -> list[int]:
    levels = [PPM]
    days = sorted(day for day in closes if day > peak)
    for day, following in pairwise(days):
        ends_week = following.isocalendar()[:2] != day.isocalendar()[:2]
        if day != trough and not ends_week:
            continue
        levels.append(int(closes[day] * PPM / closes[peak]))
        if day > trough and levels[-1] >= PPM:
            break
    return levels


def main() -> None:
    with Path(sys.argv[1]).open(newline="", encoding="utf-8") as file:
        closes = {date.fromisoformat(row["date"]): Decimal(row["close"]) for row in csv.DictReader(file)}
    with TARGET.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["shape", "level"])
        for name, (peak, trough) in SHAPES.items():
            writer.writerows((name, level) for level in shape(closes, peak, trough))


if __name__ == "__main__":
    main()
