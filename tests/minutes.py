"""Some sessions of minute bars in the bar store: a wave of prices, with trades before and after the regular hours."""

from collections.abc import Sequence
from datetime import date, datetime, time
from math import sin
from pathlib import Path

from tests.bars import bar_at, taken_in, written
from trading.bars.lines import EXCHANGE_TIME
from trading.bars.rows import day_number

SESSIONS = (date(2014, 6, 5), date(2014, 6, 6), date(2014, 6, 9), date(2014, 6, 10))
TIMES = (time(8), *(time(9 + minute // 60, minute % 60) for minute in range(30, 7 * 60, 7)), time(15, 59), time(17))
LATE = 3  # dollars that the price before and after the regular hours is off


def make_minutes(
    folder: Path, symbol: str = "IBM", sessions: Sequence[date] = SESSIONS, split: date | None = None
) -> None:
    """From the day of `split` on at half the price: a split of 2 for 1, which must be announced before."""
    lines = []
    for number, session in enumerate(sessions):
        halves = 2 if split and session >= split else 1
        for place, at in enumerate(TIMES):
            price = price_at(number, place) / halves
            lines.append(bar_at(datetime.combine(session, at, EXCHANGE_TIME), price))
    taken_in(written(folder / f"{symbol}.csv", lines), symbol, resolution="1min")


def price_at(session: int, place: int) -> float:
    """Dollars, in even cents, so that half of it is whole."""
    regular = 0 < place < len(TIMES) - 1
    return round(50 * (100 + 4 * sin((session * len(TIMES) + place) / 9))) / 50 + (0 if regular else LATE)


def closes() -> list[tuple[int, int]]:
    """Day of the epoch, and the close of the regular session in micros; the record ends with its last bar."""
    last = len(TIMES) - 1
    found = [round(price_at(number, last - 1) * 10**6) for number in range(len(SESSIONS))]
    found[-1] = round(price_at(len(SESSIONS) - 1, last) * 10**6)
    return [(day_number(day), close) for day, close in zip(SESSIONS, found, strict=True)]
