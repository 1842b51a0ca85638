"""The engine as machine code against the very same functions interpreted: every figure of every step is equal."""

from collections.abc import Iterator
from itertools import count

import numpy as np
import pytest

from tests.unit.simulations import Life, assert_same, extreme_life, interpreted, searched, usual_life
from trading.simulation import engine
from trading.simulation.engine import Outcome, follow
from trading.simulation.machine import compiled
from trading.simulation.search import BLOCK, NEAR
from trading.simulation.stage import PATH

SEED = 20_070_103
A_PAST = 20  # settings over the same bars
KINDS = {
    engine.SPLIT,
    engine.EX,
    engine.PAY,
    engine.FLOW,
    engine.ANCHOR,
    engine.PAUSE,
    engine.RESUME,
    engine.FILL,
    engine.ANCHOR_SET,
    engine.ANCHOR_RESET,
}


def lively(bars: int, decisions: int) -> Iterator[tuple[Life, Outcome]]:
    """Lives without those that have something to decide at every bar: these are compared over fewer bars below."""
    for seed in count(SEED):
        life = usual_life(seed, bars, past=seed // A_PAST)
        outcome = compiled("simulate")(*life.given)
        if len(outcome.steps) + outcome.skips.sum() <= decisions:
            yield life, outcome


def compare_lively(settings: int, bars: int, decisions: int) -> None:
    seen, kinds = [], set()
    for (life, outcome), _ in zip(lively(bars, decisions), range(settings), strict=False):
        assert_same(outcome, interpreted(*life.given))
        assert_same_trades(life, outcome)
        seen.append(life.rules)
        kinds |= set(outcome.steps[:, 1].tolist())
    assert {ruled.sizing for ruled in seen} == {1, 2, 3, 4}
    assert {ruled.lot for ruled in seen} == {1, 1_000_000}
    for switch in ("limit_orders", "after_hours", "reanchor_after_skip", "auto_rebalance", "skip_when_short"):
        assert {getattr(ruled, switch) for ruled in seen} == {0, 1}, switch
    assert kinds >= {engine.SPLIT, engine.EX, engine.PAY, engine.FILL, engine.ANCHOR_RESET}


def test_fifty_settings_over_a_hundred_thousand_bars():
    compare_lively(50, 100_000, 1_500)


@pytest.mark.long
def test_a_thousand_settings_over_two_million_bars():
    compare_lively(1_000, 2_000_000, 20_000)


def test_lives_that_have_something_to_decide_at_every_bar():
    for seed in range(SEED, SEED + 20):
        life = usual_life(seed, 3_000, PATH if seed % 3 == 0 else "close")
        assert_same(compiled("simulate")(*life.given), interpreted(*life.given))


def test_operands_up_to_the_limits_and_happenings_of_every_kind():
    kinds, fills, reasons = set(), 0, np.zeros(engine.REASONS, np.int64)
    for seed in range(SEED, SEED + 300):
        life = extreme_life(seed, 300)
        outcome = compiled("simulate")(*life.given)
        assert_same(outcome, interpreted(*life.given))
        kinds |= set(outcome.steps[:, 1].tolist())
        fills += int((outcome.steps[:, 1] == engine.FILL).sum())
        reasons += outcome.skips
    assert kinds == KINDS
    assert fills > 1_000
    assert len(np.flatnonzero(reasons)) >= 10


def assert_same_trades(life: Life, outcome: Outcome) -> None:
    sooner = compiled("trade")(*life.given)
    assert sooner.steps.tolist() == outcome.steps.tolist()
    assert tuple(sooner.holding) == tuple(outcome.holding)


def test_what_is_not_looked_at_where_nothing_can_be_traded_changes_no_step():
    """`trade` leaves out whole stretches of prices that could only lead to skips."""
    for seed in range(SEED, SEED + 300):
        for life in (usual_life(seed, 6_000, a_day=60), extreme_life(seed, 600)):
            assert_same_trades(life, compiled("simulate")(*life.given))
    for seed in range(SEED, SEED + 20):
        life = usual_life(seed, 1_500, a_day=20)
        assert_same(compiled("trade")(*life.given), interpreted(*life.given, 1))


def test_the_interpreted_engine_searches_as_its_quick_copy_does():
    """The copy differs in the search alone: a few whole runs show it, without any replacement."""
    for seed in range(SEED, SEED + 5):
        life = usual_life(seed, 5_000)
        assert_same(engine.simulate(*life.given), interpreted(*life.given))


def test_the_search_finds_the_first_price_outside_wherever_it_is():
    random = np.random.default_rng(SEED)
    find = compiled("first_outside")
    for _ in range(300):
        size = int(random.integers(1, 5 * BLOCK))
        prices = random.integers(1, 2_000, size) * 100
        coarse = (prices // 100).astype(np.int32) if random.random() < 0.7 else np.empty(0, np.int32)
        begin = int(random.integers(0, size))
        end = int(random.integers(begin, size + 1))
        below, above = (int(edge) for edge in np.sort(random.integers(-100, 210_000, 2)))
        below = int(random.choice((below, 0, 2**63 - 1, 50)))
        above = int(random.choice((above, 0, 2**63 - 1, 199_950)))
        expected = searched(prices, coarse, begin, end, below, above)
        assert find(prices, coarse, begin, end, below, above) == expected
        assert engine.first_outside(prices, coarse, begin, end, below, above) == expected


@pytest.mark.parametrize("place", [0, 1, NEAR, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK - 1, 3 * BLOCK, 999])
def test_a_price_at_an_edge_is_outside_and_one_unit_inside_is_not(place):
    """Edges between two counts of 0.0001 must not round."""
    find = compiled("first_outside")
    for price, below, above, outside in (
        (50_000, 50_000, 10**9, True),
        (50_000, 49_999, 10**9, False),
        (50_000, 50_099, 10**9, True),
        (200_000, 0, 200_000, True),
        (200_000, 0, 200_001, False),
        (200_000, 0, 199_901, True),
    ):
        prices = np.full(1_000, 100_000)
        prices[place] = price
        for coarse in ((prices // 100).astype(np.int32), np.empty(0, np.int32)):
            assert find(prices, coarse, 0, 1_000, below, above) == (place if outside else 1_000)


def test_the_states_between_steps_are_the_same_interpreted():
    for seed in range(SEED, SEED + 10):
        life = usual_life(seed, 5_000)
        outcome = compiled("simulate")(*life.given)
        moments = np.unique(np.random.default_rng(seed).integers(0, 5_000, 200))
        given = life.stage.points, life.start, outcome.steps, moments
        assert compiled("follow")(*given).tolist() == follow(*given).tolist()


def test_one_compilation_serves_every_setting():
    """A rule whose numbers come in several kinds (an enum for one) would be compiled once for each, 12 s each time."""
    for seed in range(SEED, SEED + 20):
        compiled("simulate")(*usual_life(seed, 100).given)
    assert len(compiled("simulate").signatures) == 1
