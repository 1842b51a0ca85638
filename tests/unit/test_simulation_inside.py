"""The best and the worst order inside the bars, and the bars in which both triggers fit: counted again one by one."""

from datetime import date

import numpy as np
import pytest

from portfolios.domain.amounts import MICROS, PPM, as_text, micros
from portfolios.domain.settings import merge_settings, rules_from
from trading.simulation.bars import Bars, Dividend, Split, day_number
from trading.simulation.inside import inside_of, range_told
from trading.simulation.report import report_of
from trading.simulation.runs import run
from trading.simulation.stage import CLOSE, HIGH_FIRST, LOW_FIRST, PATH, PATHS, stage_of, starting

CASH, HALF = 10_000 * MICROS, PPM // 2
FIRST = day_number(date(2007, 1, 1))
SEED = 20_070_104


def bars_of(*rows: str) -> Bars:
    """Open, high, low, close of each day."""
    prices = np.array([[micros(price) for price in row.split()] for row in rows], np.int64)
    days = np.arange(FIRST, FIRST + len(rows), dtype=np.int32)
    return Bars(days.astype(np.int64) * 86_400, days, prices, np.zeros(len(rows), np.uint8), is_daily=True)


def random_bars(seed: int, count: int = 300) -> Bars:
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.02, count)))
    opened = close * (1 + random.normal(0, 0.01, count))
    high = np.maximum(opened, close) * (1 + abs(random.normal(0, 0.02, count)))
    low = np.minimum(opened, close) * (1 - abs(random.normal(0, 0.02, count)))
    prices = (np.column_stack([opened, high, low, close]) * MICROS).astype(np.int64)
    days = np.arange(FIRST, FIRST + count, dtype=np.int32)
    return Bars(days.astype(np.int64) * 86_400, days, prices, np.zeros(count, np.uint8), is_daily=True)


def looked(bars: Bars, path: str, dividends=(), splits=(), **settings):
    rules = rules_from(merge_settings(settings), default_buffer=0)
    stage = stage_of(bars, dividends, splits, path)
    done = run(stage, rules, starting(CASH, HALF, int(stage.points.prices[0]), rules.lot), 0)
    return done, inside_of(done, path, bars, dividends, splits, 0)


def test_both_triggers_within_a_bar_are_counted_and_bars_that_reach_only_one_are_not():
    bars = bars_of("90 110 90 100", "100 103 97 100", "100 103 97.01 100", "100 102.99 97 100", "100 105 95 100")
    done, inside = looked(bars, CLOSE)
    assert len(done.outcome.steps) == 0
    assert inside.undecided.tolist() == [1, 4]  # the first bar only sets the anchor
    assert range_told(inside, CASH) is None


def test_a_split_moves_the_triggers_before_its_bar_is_judged():
    bars = bars_of("100 100 100 100", "50 51.5 48.5 50", "50 50 50 50")
    _, inside = looked(bars, CLOSE, splits=[Split(date(2007, 1, 2), 2, 1)])
    assert inside.undecided.tolist() == [1]
    _, inside = looked(
        bars_of("100 100 100 100", "99 102 96.03 99"),
        CLOSE,
        [Dividend(date(2007, 1, 2), date(2007, 2, 1), micros("1"))],
    )
    assert inside.undecided.tolist() == [1]  # the anchor is 99


def test_both_orders_of_one_bar_are_its_ends():
    bars = bars_of("100 100 100 100", "100 103 96 100", "100 100 100 100")
    _, inside = looked(bars, PATH)
    told = range_told(inside, CASH)
    assert {end["path"]: end["trades"] for end in told.values()}.items() <= {
        LOW_FIRST: 2,
        HIGH_FIRST: 3,
        PATH: 3,
    }.items()
    assert micros(told["worst"]["value"]) < micros(told["best"]["value"])
    assert told["worst"]["total_return"] == pytest.approx(float(told["worst"]["value"]) / 10_000 - 1)


@pytest.mark.parametrize("seed", range(SEED, SEED + 5))
@pytest.mark.parametrize("path", PATHS)
def test_every_bar_counted_again_one_by_one(seed, path):
    bars = random_bars(seed)
    splits, dividends = [Split(date(2007, 4, 2), 3, 2)], [Dividend(date(2007, 3, 1), date(2007, 4, 1), micros("1"))]
    done, inside = looked(bars, path, dividends, splits)
    anchor, expected, rows = done.start.anchor, [], done.outcome.steps.tolist()
    for number, (_, high, low, _) in enumerate(bars.prices.tolist()):
        here = [row for row in rows if done.stage.bar[row[0]] == number]
        while here and here[0][1] < 20:  # what happened before the market opened
            anchor = here.pop(0)[10]
        if number and low * PPM <= anchor * 970_000 and high * PPM >= anchor * 1_030_000:
            expected.append(number)
        anchor = here[-1][10] if here else anchor
    assert inside.undecided.tolist() == expected
    assert len(expected) > 2
    ends = {name: looked(bars, name, dividends, splits)[0].daily[-1, 0] for name in {LOW_FIRST, HIGH_FIRST, path}}
    if path != CLOSE:
        told = range_told(inside, CASH)
        assert [told[name]["value"] for name in ("worst", "best")] == [
            as_text(int(f(ends.values()))) for f in (min, max)
        ]


def test_of_the_first_bar_only_the_close_is_seen_along_every_path():
    bars = bars_of("90 120 80 100", "100 100 100 100")
    for path in PATHS:
        answer = report_of(bars, [], [], rules_from(merge_settings({}), default_buffer=0), CASH, HALF, 0, path)
        assert (answer["trades"], answer["anchor"], answer["shares"]) == (0, "100", "50"), path
