"""What a run was day by day and step by step, in few bytes: the same run always gives the same ones."""

import hashlib
import json
import zlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from trading.bars.resolutions import DAILY
from trading.simulation.bars import Bars, Dividend, Split
from trading.simulation.inside import Inside, daily_values
from trading.simulation.runs import Run
from trading.simulation.stage import HIGH_FIRST, LOW_FIRST

MAGIC = b"VBR1"
SECONDS_A_DAY = 86_400
LENGTH = 4  # bytes that say how long the list of arrays is
NOTHING = np.empty(0, np.int64)


class Series(NamedTuple):
    """A row a session: days, closes, daily (see `follow`), each baseline's value. A row a step: steps, at.

    days since 1970; at in seconds since then, midnight where bars are daily; amounts and prices in micros.
    low_first, high_first: what the cell was worth with the one or the other extreme always first; undecided: the
    moments of bars in which both triggers fit, of bars shorter than a day only the days (midnight). The former two are
    empty where it looked at closes only.
    step_days: the exchange day of each step; start: at the first bar, where that is before the first close, what the
    robot, buying and holding, and the constant mix were worth. Both are empty where bars are daily.
    """

    days: np.ndarray
    closes: np.ndarray
    daily: np.ndarray
    buy_and_hold: np.ndarray
    constant_mix: np.ndarray
    steps: np.ndarray
    at: np.ndarray
    low_first: np.ndarray = NOTHING
    high_first: np.ndarray = NOTHING
    undecided: np.ndarray = NOTHING
    step_days: np.ndarray = NOTHING
    start: np.ndarray = NOTHING

    @property
    def days_of_steps(self) -> np.ndarray:
        return self.step_days if len(self.step_days) else self.at // SECONDS_A_DAY


def series_of(done: Run, bars: Bars, worths: dict[str, np.ndarray], inside: Inside) -> Series:
    """worths: the daily values of each baseline."""
    points, steps, held, mixed = done.stage.points, done.outcome.steps, worths["buy_and_hold"], worths["constant_mix"]
    begun = begins_before_a_close(done)
    closes = slice(1 if begun else 0, None)
    bar = done.stage.bar[steps[:, 0]]
    return Series(
        points.days[done.ends][closes].astype(np.int64),
        points.prices[done.ends][closes],
        done.daily[closes],
        held[closes],
        mixed[closes],
        steps,
        bars.at[bar],
        daily_values(inside, LOW_FIRST)[closes],
        daily_values(inside, HIGH_FIRST)[closes],
        bars.at[inside.undecided] if bars.is_daily else np.unique(bars.days[inside.undecided]) * SECONDS_A_DAY,
        NOTHING if bars.is_daily else bars.days[bar].astype(np.int64),
        np.array([done.daily[0, 0], held[0], mixed[0]], np.int64) if begun else NOTHING,
    )


def begins_before_a_close(done: Run) -> bool:
    """Whether the first row of a run is its start alone, and not a session's close."""
    days = done.stage.points.days[done.ends[:2]]
    return len(days) > 1 and bool(days[0] == days[1])


def packed(series: Series) -> bytes:
    """Column by column as differences, which are small, then compressed."""
    shapes = json.dumps([array.shape for array in series]).encode()
    flat = b"".join(np.diff(array.T, prepend=0).astype("<i8").tobytes() for array in series)
    return MAGIC + len(shapes).to_bytes(LENGTH, "big") + shapes + zlib.compress(flat, 6)


def unpacked(kept: bytes) -> Series:
    """Raises ValueError for what `packed` did not write."""
    if kept[: len(MAGIC)] != MAGIC:
        raise ValueError("not the series of a run")
    begin = len(MAGIC) + LENGTH
    end = begin + int.from_bytes(kept[len(MAGIC) : begin], "big")
    try:
        flat = np.frombuffer(zlib.decompress(kept[end:]), "<i8")
        return Series(*restored(flat, json.loads(kept[begin:end])))
    except (zlib.error, json.JSONDecodeError, TypeError) as error:
        raise ValueError("the series of a run are damaged") from error


def restored(flat: np.ndarray, shapes: list[list[int]]) -> list[np.ndarray]:
    arrays, begin = [], 0
    for shape in shapes:
        size = int(np.prod(shape))
        columns = flat[begin : begin + size].reshape(shape[::-1])
        arrays.append(np.ascontiguousarray(np.cumsum(columns, axis=-1, dtype=np.int64).T))
        begin += size
    return arrays


def fingerprint_of(bars: Bars, dividends: Iterable[Dividend], splits: Iterable[Split], resolution: str = DAILY) -> str:
    """SHA-256 of all that a run is shown: the same whenever and on whatever machine it is taken.

    Of days as it was before there were other bars.
    """
    digest = hashlib.sha256(b"" if resolution == DAILY else resolution.encode())
    for array in (bars.at, bars.days, bars.prices, bars.market):
        digest.update(f"{array.shape}".encode())
        digest.update(np.ascontiguousarray(array, "<i8").tobytes())
    for row in (*sorted(dividends), *sorted(splits)):
        digest.update(f"{type(row).__name__} {' '.join(map(str, row))}\n".encode())
    return digest.hexdigest()
