"""What the engine adds to the rule: the loop, days, sessions, corporate actions and fills."""

from datetime import date, timedelta

import numpy as np
import pytest

from portfolios.domain.amounts import MICROS, PPM, as_text, micros
from tests.unit.cells import cell, rules
from tests.unit.naive_life import told
from tests.unit.simulations import FIRST, Life, bars_of, minutes, usual_life
from trading.simulation.bars import Dividend, Split
from trading.simulation.engine import ANCHOR_SET, EX, FILL, PAY, SPLIT, Outcome
from trading.simulation.machine import compiled
from trading.simulation.report import report_of
from trading.simulation.runs import run, skips_of, totals_of
from trading.simulation.stage import CLOSE, HIGH_FIRST, LOW_FIRST, PATH, looks, stage_of, starting

SEED = 20_070_103
HALF = PPM // 2
COLUMNS = [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]  # all but the reason and what stands beside


def outcome_of(life: Life) -> Outcome:
    return compiled("simulate")(*life.given)


def lived(bars, dividends=(), splits=(), start=None, slippage_bps=0, path=CLOSE, **settings):
    """A cell of 10,000, half in stock at the first close, without commission unless given."""
    ruled = rules(**({"commission_bps": "0"} | settings))
    stage = stage_of(bars, dividends, splits, path)
    start = start or starting(micros("10000"), HALF, int(stage.points.prices[0]), ruled.lot)
    return run(stage, ruled, start, slippage_bps * 100)


def kinds(done) -> list[int]:
    return kinds_of(done.outcome)


def kinds_of(outcome: Outcome) -> list[int]:
    return outcome.steps[:, 1].tolist()


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


@pytest.mark.parametrize("path", [CLOSE, PATH, LOW_FIRST, HIGH_FIRST])
def test_every_bar_looked_at_and_decided_on_gives_the_same_steps(path):
    seen, skips = set(), set()
    for seed in range(SEED, SEED + 40):
        life = usual_life(seed, 1_600, path, a_day=8) if path == CLOSE else usual_life(seed, 400, path, a_day=2)
        outcome, expected = outcome_of(life), told(life, path)
        steps = outcome.steps[:, COLUMNS]
        # the figures of a happening stand where a fill has its own: only what it left is told again
        mine = [[*row[:2], *([0] * 4 if row[1] != FILL else row[2:6]), *row[6:]] for row in steps.tolist()]
        theirs = [[*step[:2], *([0] * 4 if step[1] != FILL else step[2:6]), *step[6:]] for step in expected.steps]
        assert mine == theirs, seed
        assert skips_of(outcome) == expected.skips, seed
        left = outcome.holding
        assert (left.shares, left.cash, left.receivable, left.anchor) == expected.left
        seen |= set(kinds_of(outcome))
        skips |= set(expected.skips)
    assert seen >= {SPLIT, EX, PAY, FILL}
    assert len(skips) > 4


def test_cutting_the_future_off_or_changing_it_changes_no_decision_of_the_past():
    random = np.random.default_rng(SEED)
    for seed in range(SEED, SEED + 30):
        life = usual_life(seed, 3_000, a_day=20)
        whole = outcome_of(life).steps
        cut = int(random.integers(2, 3_000))
        bars = life.bars
        earlier = type(bars)(bars.at[:cut], bars.days[:cut], bars.prices[:cut], bars.market[:cut], bars.is_daily)
        other = bars._replace(prices=bars.prices.copy())
        other.prices[cut:] = other.prices[cut:][::-1] + 12_345
        for changed in (earlier, other):
            stage = stage_of(changed, life.dividends, life.splits)
            steps = outcome_of(life._replace(stage=stage)).steps
            assert steps[steps[:, 0] < cut].tolist() == whole[whole[:, 0] < cut].tolist()


def test_a_second_run_is_the_same_to_the_last_digit():
    life = usual_life(SEED + 2, 20_000)
    given = life.bars, life.dividends, life.splits, life.rules, micros("10000"), HALF, life.slippage, CLOSE
    first, again = report_of(*given), report_of(*given)
    assert first == again
    assert first["trades"] > 0


@pytest.mark.parametrize(
    ("start", "price", "settings", "expected"),
    [
        (cell("100", "10000", "100"), "97", {}, "10.4687"),
        (cell("100", "10000", "100"), "103", {}, "-9.567348"),
        (cell("100", "10000", "100"), "97", {"sizing": "proportional"}, "10.468909"),
        (cell("100", "10000", "100"), "97.01", {}, None),
        (cell("100", "10000", "100"), "102.99", {}, None),
        (cell("70", "2000", "100"), "97", {}, "guardrail"),
        (
            cell("60", "4000", "110"),
            "100",
            {"sizing": "proportional", "guardrail_high": "0.7", "commission_bps": "10"},
            "9.993004",
        ),
        (cell("100", "0", "100", receivable="5000"), "97", {}, "insufficient_cash"),
    ],
)
def test_the_worked_examples_of_the_contract(start, price, settings, expected):
    done = lived(bars_of("100", price), start=start, **({"commission_bps": "1"} | settings))
    if expected is None or expected.isalpha() or "_" in expected:
        assert kinds(done) == []
        assert skips_of(done.outcome) == ({expected: 1} if expected else {})
    else:
        assert [as_text(quantity) for quantity in done.outcome.steps[:, 3].tolist()] == [expected]


def test_the_worked_dividend_of_the_contract():
    bars = bars_of("150", "149.18")
    done = lived(bars, [Dividend(day(1), day(31), micros("0.82"))], start=cell("100", "15000", "150"))
    (step,) = done.outcome.steps.tolist()
    assert [as_text(figure) for figure in step[7:]] == ["100", "15000", "61.5", "149.18", "61.5"]


def test_the_first_bar_sets_the_anchor_and_nothing_else():
    done = lived(bars_of("100", "100", "100"), start=cell("1", "10000", "100"), auto_rebalance=False)
    assert kinds(done) == []
    outside = lived(bars_of("100", "100"), start=cell("0", "10000", "100"))
    assert outside.outcome.steps[:, [0, 1]].tolist() == [[1, FILL]]  # drift is acted on at the second look


def test_shares_at_the_start_are_bought_without_commission_and_down_to_the_lot():
    for fractional, shares, cash in ((True, "51.546391", 10_000 * MICROS - 5_000_000_000 + 73), (False, "51", None)):
        ruled = rules(fractional=fractional, commission_bps="100")
        start = starting(micros("10000"), HALF, micros("97"), ruled.lot)
        assert as_text(start.shares) == shares
        assert start.cash == micros("10000") - -(-start.shares * 97)
        assert cash is None or start.cash == cash
    assert starting(micros("10000"), 0, micros("97"), 1)[:2] == (0, micros("10000"))
    assert starting(micros("10000"), PPM, micros("100"), 1)[:2] == (micros("100"), 0)


def test_on_one_day_the_split_comes_first_then_the_dividend_then_the_payment_then_the_market():
    """50 shares of 100 become 100 of 50; the dividend is for the 100; what is paid at once can be spent at once."""
    bars = bars_of("100", "47")
    done = lived(bars, [Dividend(day(1), day(1), micros("1"))], [Split(day(1), 2, 1)], withholding="0.25")
    assert kinds(done) == [SPLIT, EX, PAY, FILL]
    shares, cash, receivable, anchor = (done.outcome.steps[:, column].tolist() for column in (7, 8, 9, 10))
    assert shares[:3] == [micros("100")] * 3
    assert cash[:3] == [micros("5000"), micros("5000"), micros("5075")]
    assert receivable[:3] == [0, micros("75"), 0]
    # 47 is 4.1 % below the anchor of 49: the trigger has seen all three
    assert anchor[:3] == [micros("50"), micros("49"), micros("49")]


def test_on_one_day_without_a_trigger_nothing_is_traded():
    done = lived(bars_of("100", "49"), [Dividend(day(1), day(1), micros("1"))], [Split(day(1), 2, 1)])
    assert kinds(done) == [SPLIT, EX, PAY]


def test_what_falls_on_days_without_bars_happens_before_the_next_bar_in_the_order_of_the_days():
    """Ex on Saturday for 50 shares, split on Sunday: a dividend of the old shares, not of the new ones."""
    bars = bars_of("100", "100", "100", "100", "50")
    kept = [0, 1, 4]
    bars = type(bars)(bars.at[kept], bars.days[kept], bars.prices[kept], bars.market[kept], is_daily=True)
    done = lived(bars, [Dividend(day(2), day(9), micros("1"))], [Split(day(3), 2, 1)], withholding="0")
    assert kinds(done) == [EX, SPLIT]
    assert done.outcome.holding.receivable == micros("50")
    assert done.outcome.holding.shares == micros("100")


def test_what_is_due_on_the_first_day_or_after_the_last_does_not_happen():
    bars = bars_of("100", "100", "100")
    past = [Dividend(day(-1), day(1), micros("1")), Dividend(day(0), day(1), micros("1"))]
    done = lived(bars, [*past, Dividend(day(3), day(3), micros("1"))], [Split(day(0), 2, 1), Split(day(3), 2, 1)])
    assert kinds(done) == []
    unpaid = lived(bars, [Dividend(day(2), day(32), micros("1"))], withholding="0")
    assert (kinds(unpaid), unpaid.outcome.holding.receivable) == ([EX], micros("50"))


def test_a_dividend_as_large_as_the_anchor_clears_it_and_pauses_the_cell():
    done = lived(bars_of("100", "90", "50", "25"), [Dividend(day(1), day(1), micros("100"))])
    assert kinds(done) == [EX, PAY, ANCHOR_SET]
    assert skips_of(done.outcome) == {"paused": 2}


def test_before_and_after_the_session_nothing_is_traded_unless_allowed():
    bars = bars_of("100", "97", "96", market=[0, 1, 0])
    assert lived(bars).outcome.steps[:, 0].tolist() == [2]
    assert skips_of(lived(bars).outcome) == {"market_closed": 1}
    assert lived(bars, after_hours=True).outcome.steps[:, 0].tolist() == [1]


def test_the_daily_limit_counts_a_day_and_begins_anew_with_the_next():
    closes = ["100", *(f"{100 * 0.96**number:.4f}" for number in range(1, 9))]
    bars = bars_of(*closes)
    bars = bars._replace(days=np.array([0, 0, 0, 0, 0, 1, 1, 1, 1], np.int32))
    done = lived(bars, max_orders_per_day=2, r="0.01", min_notional="0")
    assert done.outcome.steps[:, 0].tolist() == [1, 2, 5, 6]
    assert skips_of(done.outcome) == {"daily_limit": 4}
    assert kinds(lived(bars, max_orders_per_day=0)) == []


def test_slippage_and_limit_move_the_fill_and_with_it_the_anchor():
    bars = bars_of("100", "96")
    assert lived(bars, slippage_bps=50).outcome.steps[0, 4] == micros("96.48")
    kept = lived(bars, slippage_bps=50, order_type="limit", limit_offset_bps="10")
    assert (kept.outcome.steps[0, 4], kept.outcome.holding.anchor) == (micros("96.096"), micros("96.096"))
    assert totals_of(kept).slippage == -(-kept.outcome.steps[0, 3] * 96_000 // MICROS)


def test_a_fee_is_at_least_the_minimum_and_rounded_against_the_cell():
    done = lived(bars_of("100", "96"), commission_bps="1", commission_min="1.5")
    assert done.outcome.steps[0, 6] == micros("1.5")
    rounded = lived(bars_of("100", "96"), commission_bps="1")
    assert rounded.outcome.steps[0, 6] == -(-int(rounded.outcome.steps[0, 5]) * 100 // PPM)


@pytest.mark.parametrize(
    ("bar", "path", "order"),
    [
        (("100", "103", "96", "98"), PATH, "100 103 96 98"),
        (("100", "104", "97", "98"), PATH, "100 97 104 98"),
        (("100", "102", "98", "99"), PATH, "100 98 102 99"),
        (("100", "103", "96", "98"), LOW_FIRST, "100 96 103 98"),
        (("100", "104", "97", "98"), HIGH_FIRST, "100 104 97 98"),
        (("100", "104", "97", "98"), CLOSE, "98"),
    ],
)
def test_inside_a_bar_the_nearer_extreme_comes_first_and_of_equals_the_low(bar, path, order):
    bars = bars_of("1", "2")._replace(prices=np.array([[micros(price) for price in bar]] * 2, np.int64))
    prices, number = looks(bars, path)
    half = len(prices) // 2
    assert " ".join(as_text(price) for price in prices[:half].tolist()) == order
    assert number.tolist() == [0] * half + [1] * half


def test_looks_inside_a_bar_see_what_its_close_hides():
    bars = bars_of("100", "100")
    bars.prices[1] = [micros(price) for price in ("100", "103", "96", "100")]
    assert lived(bars).outcome.steps[:, 1].tolist() == []
    both = {path: lived(bars, path=path) for path in (LOW_FIRST, HIGH_FIRST)}
    assert [totals_of(done).trades for done in both.values()] == [2, 3]


def test_minutes_have_days_and_sessions():
    bars = minutes(np.random.default_rng(1), 1_000, 100 * MICROS, 0.001)
    assert np.bincount(bars.days - bars.days[0]).tolist() == [500, 500]
    assert bars.market.sum() == 200
    assert (bars.prices[:, 1] >= bars.prices.max(axis=1)).all()
    assert (bars.prices[:, 2] <= bars.prices.min(axis=1)).all()
