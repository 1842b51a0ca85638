"""A chart of few candles loses no extreme, and its first and last prices are those of the bars."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reporting.series_chart import candles_of, drawn, summary_of
from trading.bars.catalogue import StoredBars


def bars_of(prices: list[list[int]], begins: int = 0, step: int = 86_400) -> StoredBars:
    count = len(prices)
    at = begins + np.arange(count, dtype=np.int64) * step
    table = np.array(prices, np.int64).reshape(-1, 4)
    days = (at // 86_400).astype(np.int32)
    return StoredBars(at, days, table, np.arange(count, dtype=np.int64), np.zeros(count, np.uint8))


bodies = st.lists(st.integers(1, 10**9), min_size=4, max_size=4).map(sorted).map(lambda b: [b[1], b[3], b[0], b[2]])


@given(st.lists(bodies, min_size=1, max_size=200), st.integers(1, 50))
def test_each_candle_is_what_a_person_would_draw_of_its_bars(prices, most) -> None:
    bars = bars_of(prices)
    thin, each = candles_of(bars, most)
    assert len(thin.begins) <= most
    groups = [prices[begin : begin + each] for begin in range(0, len(prices), each)]
    wanted = [[g[0][0], max(p[1] for p in g), min(p[2] for p in g), g[-1][3]] for g in groups]
    assert thin.prices.tolist() == wanted
    assert thin.begins.tolist() == bars.begins.tolist()[::each]
    assert thin.volumes.sum() == bars.volumes.sum()


def test_two_million_minutes_are_at_most_some_hundred_candles() -> None:
    count = 2_000_000
    walk = np.full((count, 4), 100_000_000, np.int64)
    walk[1_234_567, 1], walk[765_432, 2] = 900_000_000, 1_000_000
    at = np.arange(count, dtype=np.int64) * 60
    bars = StoredBars(at, (at // 86_400).astype(np.int32), walk, np.zeros(count, np.int64), np.zeros(count, np.uint8))
    told = drawn(bars, "XNYS", is_daily=False)
    assert 1_000 < len(told["times"]) <= 1_500
    assert (max(told["high"]), min(told["low"])) == (900, 1)
    summary = summary_of(bars)
    assert (summary.highest.begins, summary.lowest.begins) == (1_234_567 * 60, 765_432 * 60)


def test_minutes_are_told_by_the_clock_of_the_exchange_in_winter_and_in_summer() -> None:
    winter, summer = 1_417_012_200, 1_402_061_400  # 09:30 in New York
    for begins in (winter, summer):
        told = drawn(bars_of([[1, 1, 1, 1]], begins, 60), "XNYS", is_daily=False)
        assert told["times"][0] % 86_400 == (9 * 60 + 30) * 60
    assert drawn(bars_of([[1, 1, 1, 1]], winter), "XNYS", is_daily=True)["times"] == [winter]
