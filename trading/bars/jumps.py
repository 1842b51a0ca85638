"""Prices that jump from one bar to the next without a known split or dividend: within a file, and beside what is kept.

Works on the table `bars`; its rows' numbers are those of the file.
"""

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trading.bars.catalogue import daily_table, parts_of, table_of
from trading.bars.checks import Found
from trading.bars.engine import first_row
from trading.bars.faults import MOST_TOLD
from trading.bars.known import Actions, day_of
from trading.bars.models import StoredPart
from trading.bars.resolutions import DAILY

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Engine

JUMP = Fraction(2, 5)  # from one bar's close to the next one's open
LEAST = 1 - JUMP
SIMPLE = tuple(Fraction(*ratio) for ratio in ((2, 1), (3, 1), (3, 2), (4, 1), (5, 1), (7, 1), (8, 1), (10, 1), (20, 1)))
NEAR = Fraction(1, 10)
LONG = 30  # days; what a stock did meanwhile is no jump

FAR = f"open * {LEAST.denominator} < close_before * {LEAST.numerator}"
FAR += f" OR close_before * {LEAST.denominator} < open * {LEAST.numerator}"
# Each bar with the one before it; `is_new`: of the file, and not recorded alike.
WITHIN = """
    CREATE OR REPLACE TEMP VIEW pairs AS
    SELECT number, lag(number) OVER (ORDER BY number) AS number_before, open, day,
           lag(close) OVER (ORDER BY number) AS close_before, lag(day) OVER (ORDER BY number) AS day_before
      FROM bars
"""
BESIDE = """
    CREATE OR REPLACE TABLE pairs_beside AS
      WITH kept AS (SELECT bars.number FROM bars JOIN beside USING (begins, open, high, low, close)),
           others AS (SELECT begins, open, close, day FROM beside WHERE begins NOT IN (SELECT begins FROM bars)),
           told AS (
               SELECT number, begins, open, close, day, number NOT IN (SELECT number FROM kept) AS is_new FROM bars
                UNION ALL
               SELECT NULL, begins, open, close, day, false FROM others
           ),
           paired AS (
               SELECT number, lag(number) OVER line AS number_before, open, day, is_new,
                      lag(close) OVER line AS close_before, lag(day) OVER line AS day_before,
                      lag(is_new) OVER line AS was_new
                 FROM told WINDOW line AS (ORDER BY begins)
           )
    SELECT number, number_before, open, day, close_before, day_before FROM paired
     WHERE was_new IS NOT NULL AND is_new <> was_new AND (number IS NULL OR number_before IS NULL)
"""
CANDIDATES = """
    SELECT number, number_before, open, close_before, day_before, day FROM {pairs} WHERE {far}
     UNION
    SELECT number, number_before, open, close_before, day_before, pairs.day
      FROM (SELECT * FROM {pairs} WHERE day_before < day) AS pairs ASOF JOIN known ON pairs.day >= known.day
     WHERE known.day > day_before
     ORDER BY number, number_before
"""


class Jump(NamedTuple):
    """number, number_before: of the bars, None for one that is recorded. Prices in micros, days of the epoch."""

    number: int | None
    number_before: int | None
    open: int
    close_before: int
    day_before: int
    day: int

    def found(self, actions: Actions) -> Found:
        between = actions.between(self.day_before, self.day)
        ratio = Fraction(self.open, between.expected(self.close_before))
        if self.number is None:
            words = moved(ratio, "this close", between)
            return Found(self.number_before or 0, "close", f"the open recorded next, of {day_of(self.day)}, {words}")
        whence = "the close before"
        if self.number_before is None:
            whence = f"the close recorded before, of {day_of(self.day_before)}"
        return Found(self.number, "open", moved(ratio, whence, between))


class Jumps(NamedTuple):
    """How many, in the file and beside what is recorded; long: over more days than a jump takes."""

    found: tuple[Found, ...]
    real: int
    long: int


def jumps_of(engine: "Engine", symbol: str, resolution: str, actions: Actions) -> Jumps:
    """`found`: the first 20 by their place in the file. Raises BarsGone."""
    inside, beside = jumps_within(engine, actions), jumps_beside(engine, symbol, resolution, actions)
    jumped = inside + [jump for jump in beside if not is_long(jump)]
    found = sorted(jump.found(actions) for jump in jumped)
    return Jumps(tuple(found[:MOST_TOLD]), len(jumped), len(inside) + len(beside) - len(jumped))


def jumps_within(engine: "Engine", actions: Actions) -> list[Jump]:
    engine.execute(WITHIN)
    return unexplained(engine, "pairs", actions)


def jumps_beside(engine: "Engine", symbol: str, resolution: str, actions: Actions) -> list[Jump]:
    """Where a new bar of the file comes to stand next to a recorded one. Raises BarsGone."""
    if not show_beside(engine, symbol, resolution):
        return []
    engine.execute(BESIDE)
    return unexplained(engine, "pairs_beside", actions)


def is_long(jump: Jump) -> bool:
    return jump.day - jump.day_before > LONG


def show_beside(engine: "Engine", symbol: str, resolution: str) -> bool:
    """The view `beside`: what is recorded from the last bar before the file to the first one after it; if anything."""
    if resolution == DAILY:
        daily_table(engine, symbol)
        table = "daily"
    else:
        first, last = first_row(engine, "SELECT min(begins), max(begins) FROM bars")
        table = table_of(list(parts_beside(symbol, resolution, first, last)))
    columns = "begins, open, high, low, close, day"
    engine.execute(f"CREATE OR REPLACE TEMP VIEW beside AS SELECT {columns} FROM {table}")  # noqa: S608 - ours
    return bool(first_row(engine, "SELECT 1 FROM beside WHERE begins NOT IN (SELECT begins FROM bars) LIMIT 1"))


def parts_beside(symbol: str, resolution: str, first: int, last: int) -> Iterable[StoredPart]:
    parts = parts_of(symbol, resolution)
    before = parts.filter(first__lt=first).last()
    after = parts.filter(last__gt=last).first()
    within = parts.filter(first__gte=before.first) if before else parts
    return within.filter(last__lte=after.last) if after else within


def unexplained(engine: "Engine", pairs: str, actions: Actions) -> list[Jump]:
    """Where an open is more than 40 % below what the close before lets expect, or the other way round."""
    engine.register("known_given", {"day": np.array(actions.days, np.int32)})
    engine.execute("CREATE OR REPLACE TEMP TABLE known AS SELECT day FROM known_given")
    engine.unregister("known_given")
    rows = engine.execute(CANDIDATES.format(pairs=pairs, far=FAR)).fetchall()
    return [jump for jump in map(Jump._make, rows) if is_jump(jump, actions)]


def is_jump(jump: Jump, actions: Actions) -> bool:
    expected = actions.between(jump.day_before, jump.day).expected(jump.close_before)
    return not LEAST <= Fraction(jump.open, expected) <= 1 / LEAST


def moved(ratio: Fraction, whence: str, between: Actions) -> str:
    """ratio: of the price to what the bar before lets expect, with what is known for the days between."""
    way = f"{'falls' if ratio < 1 else 'rises'} by {abs(float(ratio) - 1):.0%} from"
    told = in_words(between)
    if told:
        return f"{way} what {whence} and {told} let expect"
    like = next((text for text, simple in named_ratios() if abs(ratio * simple - 1) <= NEAR), "")
    if like:
        return f"{way} {whence}, as a split of {like} would move it, and no split is known for then"
    return f"{way} {whence}, and no split is known for then"


def in_words(between: Actions) -> str:
    said = [f"the split of {row.numerator} for {row.denominator} on {row.ex_date}" for row in between.splits]
    days: list[date] = sorted(row.ex_date for row in between.dividends)
    if len(days) > 1:
        said.append(f"{len(days)} dividends")
    elif days:
        said.append(f"the dividend of {days[0]}")
    return " and ".join(said)


def named_ratios() -> list[tuple[str, Fraction]]:
    """Splits and reverse splits in words, with new shares for an old one."""
    splits = [(f"{ratio.numerator} for {ratio.denominator}", ratio) for ratio in SIMPLE]
    return splits + [(f"{ratio.denominator} for {ratio.numerator}", 1 / ratio) for ratio in SIMPLE]
