"""Where the values of a run are taken: at its start, and where the regular hours of each session end."""

import json
import zlib

import numpy as np
import pytest

from portfolios.domain.amounts import MICROS
from trading.simulation.archive import LENGTH, MAGIC, NOTHING, Series, packed, unpacked
from trading.simulation.engine import CLOSED, EXTENDED, Happenings
from trading.simulation.runs import session_ends
from trading.simulation.stage import Stage, points_of

X, C, R = EXTENDED, CLOSED, 0


@pytest.mark.parametrize(
    ("days", "market", "ends"),
    [
        ([1, 2, 3], [R, R, R], [0, 1, 2]),
        ([1, 1, 2, 2], [R, R, R, R], [0, 1, 3]),
        ([1, 1, 1, 2, 2, 2], [X, R, X, X, R, R], [0, 1, 5]),
        ([1, 1, 1, 2, 2, 2], [R, X, X, X, R, X], [0, 5]),
        ([1, 1, 2, 2, 3, 3], [R, R, X, X, R, X], [0, 1, 3, 5]),
        ([1, 1, 2, 2], [X, X, X, C], [0, 1, 3]),
        ([1, 1, 2, 2, 3], [X, X, R, C, R], [0, 1, 2, 4]),
        ([1, 1], [R, X], [0, 1]),
    ],
)
def test_values_are_taken_at_the_start_and_the_regular_closes_and_at_the_end(
    days: list[int], market: list[int], ends: list[int]
) -> None:
    prices = np.full(len(days), 100 * MICROS, np.int64)
    points = points_of(prices, np.array(days, np.int32), np.array(market, np.uint8))
    stage = Stage(points, Happenings(*(NOTHING for _ in range(4))), np.arange(len(days)))
    assert session_ends(stage).tolist() == ends


def test_what_was_kept_before_there_were_minutes_is_still_read() -> None:
    days = np.array([13_514, 13_515], np.int64)
    steps = np.arange(24, dtype=np.int64).reshape(2, 12)
    series = Series(days, days, np.ones((2, 6), np.int64), days, days, steps, days * 86_400)
    kept = packed(series)
    begin = len(MAGIC) + LENGTH
    end = begin + int.from_bytes(kept[len(MAGIC) : begin], "big")
    shapes = json.dumps(json.loads(kept[begin:end])[:10]).encode()
    flat = zlib.compress(zlib.decompress(kept[end:]))
    old = unpacked(MAGIC + len(shapes).to_bytes(LENGTH, "big") + shapes + flat)
    assert (old.steps == steps).all()
    assert (len(old.step_days), len(old.start)) == (0, 0)
    assert old.days_of_steps.tolist() == days.tolist()
