"""Statistics of many trials, against the papers' worked numbers, a published implementation and plain counting;
and what they make of noise.
"""

from itertools import combinations
from math import e, log, sqrt

import holdout.deflated
import numpy as np
import pytest
from holdout.pbo import probability_of_backtest_overfitting
from scipy import stats

from tests.unit.noise import AXES, bars_of_noise, offers, swept, verdict
from trading.simulation.honesty import (
    EULER,
    Moments,
    Sums,
    block_sizes,
    block_sums,
    blocks_of,
    deflated_sharpe,
    expected_best_sharpe,
    moments_of,
    overfit_probability,
    probabilistic_sharpe,
    sharpe_within,
    stability,
    timing_returns,
    walk_forward,
)

YEAR = sqrt(250)  # as the papers count


def paper(trials: int) -> float:
    """The example of "The Deflated Sharpe Ratio" (2014): 2.5 a year over 1250 days, variance of the trials 1/2."""
    moments = Moments(1_250, 2.5 / YEAR, 1.0, -3.0, 10.0)
    return deflated_sharpe(moments, trials, sqrt(0.5 / 250))


def test_the_papers_own_example() -> None:
    """It prints 0.1132, 0.9004 for 100 trials and 0.9505 for 46."""
    assert expected_best_sharpe(100, sqrt(0.5 / 250)) == pytest.approx(0.1132, abs=5e-5)
    assert paper(100) == pytest.approx(0.9004, abs=5e-5)
    assert paper(46) == pytest.approx(0.9505, abs=5e-5)


@pytest.mark.parametrize("seed", range(20))
def test_deflated_sharpe_ratios_are_those_of_a_published_implementation(seed: int) -> None:
    draw = np.random.default_rng(seed)
    trials = int(draw.integers(2, 400))
    returns = draw.standard_t(4, (int(draw.integers(60, 3_000)), trials)) * 0.01 + draw.normal(0, 0.0005)
    sharpes = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    best = returns[:, sharpes.argmax()]
    moments, variance = moments_of(best), float(sharpes.var(ddof=1))
    shape = {"skewness": stats.skew(best), "kurtosis": stats.kurtosis(best, fisher=False)}
    hurdle = holdout.deflated.expected_maximum_sharpe(trials, variance)
    assert expected_best_sharpe(trials, sqrt(variance)) == pytest.approx(hurdle, abs=1e-9)
    for benchmark in (0.0, 0.02):
        expected = holdout.deflated.probabilistic_sharpe_ratio(sharpes.max(), len(best), benchmark=benchmark, **shape)
        assert probabilistic_sharpe(moments, benchmark) == pytest.approx(expected, abs=1e-9)
    expected = holdout.deflated.deflated_sharpe_ratio(
        sharpes.max(), len(best), n_trials=trials, trials_variance=variance, **shape
    )
    assert deflated_sharpe(moments, trials, sqrt(variance)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("seed", "blocks", "trials", "skill"), [(1, 8, 7, 0.0), (2, 12, 50, 0.1), (3, 12, 200, 0.03)])
def test_overfitting_is_that_of_a_published_implementation(seed: int, blocks: int, trials: int, skill: float) -> None:
    returns = np.random.default_rng(seed).normal(0, 0.01, (blocks * 40, trials))
    returns[:, 0] += skill * 0.01
    expected = probability_of_backtest_overfitting(returns, n_blocks=blocks).pbo
    assert overfit_probability(block_sums(returns, blocks_of(len(returns), blocks))) == pytest.approx(
        expected, abs=1e-9
    )


@pytest.mark.parametrize("seed", range(5))
def test_sharpe_ratios_deflated_agree_with_the_definition(seed: int) -> None:
    draw = np.random.default_rng(seed)
    returns = draw.standard_t(4, (700, 12)) * 0.01 + 0.0005
    sharpes = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    best = returns[:, sharpes.argmax()]
    sharpe, skew, kurtosis = sharpes.max(), stats.skew(best), stats.kurtosis(best, fisher=False)
    hurdle = sharpes.std(ddof=1) * (
        (1 - np.euler_gamma) * stats.norm.ppf(1 - 1 / 12) + np.euler_gamma * stats.norm.ppf(1 - 1 / (12 * e))
    )
    error = sqrt((1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2) / (len(best) - 1))
    moments = moments_of(best)
    assert (moments.skewness, moments.kurtosis) == pytest.approx((skew, kurtosis), abs=1e-12)
    assert probabilistic_sharpe(moments, 0.0) == pytest.approx(stats.norm.cdf(sharpe / error), abs=1e-12)
    told = deflated_sharpe(moments, 12, float(sharpes.std(ddof=1)))
    assert told == pytest.approx(stats.norm.cdf((sharpe - hurdle) / error), abs=1e-12)


def counted_overfit(returns: np.ndarray, blocks: int) -> float:
    """As the paper tells it (2015, section 2.2), one way after the other, on the returns themselves."""
    parts = np.split(returns, blocks)
    logits = []
    for inside in combinations(range(blocks), blocks // 2):
        first = np.concatenate([parts[part] for part in inside])
        second = np.concatenate([parts[part] for part in range(blocks) if part not in inside])
        one, other = (half.mean(axis=0) / half.std(axis=0, ddof=1) for half in (first, second))
        share = stats.rankdata(other)[one.argmax()] / (returns.shape[1] + 1)
        logits.append(log(share / (1 - share)))
    return float(np.mean(np.array(logits) <= 0))


@pytest.mark.parametrize(("seed", "blocks", "trials", "skill"), [(1, 6, 5, 0.0), (2, 8, 10, 0.1), (3, 12, 40, 0.05)])
def test_overfitting_is_counted_as_the_paper_tells(seed: int, blocks: int, trials: int, skill: float) -> None:
    returns = np.random.default_rng(seed).normal(0, 0.01, (blocks * 30, trials))
    returns[:, 0] += skill * 0.01
    told = overfit_probability(block_sums(returns, blocks_of(len(returns), blocks)))
    assert told == pytest.approx(counted_overfit(returns, blocks), abs=1e-12)


def test_sums_of_blocks_give_the_sharpe_ratio_of_any_of_them() -> None:
    returns = np.random.default_rng(4).normal(0.001, 0.01, (1_003, 3))
    sums = block_sums(returns, blocks_of(1_003, 4))
    assert sums.counts.tolist() == block_sizes(1_003, 4).tolist() == [250, 251, 251, 251]
    part = np.concatenate([returns[:250], returns[752:]])
    told = sharpe_within(sums, np.array([[1.0, 0.0, 0.0, 1.0]]))[0]
    assert told == pytest.approx(part.mean(axis=0) / part.std(axis=0, ddof=1), abs=1e-12)


def test_walking_forward_chooses_by_the_past_alone() -> None:
    """The first trial is good in the first half, the second one in the second: rolling notices, anchored does late."""
    good, bad = np.tile([0.02, 0.01], 60), np.tile([-0.02, -0.01], 60)
    returns = np.column_stack([np.append(good, bad), np.append(bad, good)])
    sums = block_sums(returns, blocks_of(240))
    anchored, rolling = walk_forward(sums, anchored=True), walk_forward(sums, anchored=False)
    assert anchored.chosen == [0, 0, 0, 0, 0, 0, 0, 0]
    assert rolling.chosen == [0, 0, 0, 0, 0, 1, 1, 1]
    assert (rolling.sharpe > 0) == (rolling.sharpe > anchored.sharpe) == True  # noqa: E712


def test_timing_is_what_is_left_of_a_return_without_the_usual_share() -> None:
    """Half in stock all the time earns nothing by timing, whatever the stock does; more stock before a rise does."""
    asset = np.array([0.10, -0.10, 0.20])
    worth = np.array([100, 105, 99.75, 109.725])
    assert timing_returns(worth, worth / 2, asset) == pytest.approx([0, 0, 0], abs=1e-12)
    assert timing_returns(np.array([100, 100, 110.0]), np.array([0, 100, 110.0]), np.array([0.1, 0.1])) == (
        pytest.approx([0, 0.05], abs=1e-12)
    )


def test_what_cannot_be_told_is_no_merit() -> None:
    flat = moments_of(np.zeros(300))
    assert (flat.sharpe, probabilistic_sharpe(flat, 0.0), deflated_sharpe(flat, 10, 0.0)) == (0.0, 0.0, 0.0)
    assert expected_best_sharpe(1, 0.5) == 0.0
    assert stability(0.1, np.array([])) is None
    assert stability(-0.1, np.array([0.1])) == 0.0
    assert stability(0.1, np.array([0.05, 0.08])) == pytest.approx(0.65)
    assert overfit_probability(Sums(np.full(4, 30), np.zeros((4, 3)), np.zeros((4, 3)))) == 1.0
    assert np.euler_gamma == EULER


KINDS = ({}, {"drift": 0.1, "deviation": 0.0125}, {"drift": 0.3}, {"drift": -0.2})


def offered_on_noise(series: int) -> list[int]:
    """Of so many series of pure noise, those on which any of 100 settings would be offered."""
    return [seed for seed in range(series) if offers(swept(bars_of_noise(seed, **KINDS[seed % len(KINDS)])))]


def test_on_noise_nothing_is_offered() -> None:
    assert len(offered_on_noise(20)) <= 1


@pytest.mark.long
def test_on_much_noise_hardly_anything_is_offered() -> None:
    assert len(offered_on_noise(200)) <= 10


def test_on_noise_few_settings_are_not_offered_either() -> None:
    axes = [{"name": "tau", "from": "0.02", "to": "0.06", "step": "0.01"}]
    assert sum(bool(offers(swept(bars_of_noise(100 + seed), axes))) for seed in range(20)) <= 1


def test_where_prices_return_to_their_mean_it_is_offered() -> None:
    axes = [{"name": "tau", "from": "0.02", "to": "0.1", "step": "0.01"}, {"name": "r", "values": ["0.05", "0.2"]}]
    found = [offers(swept(bars_of_noise(seed, memory=0.9), axes)) for seed in range(6)]
    assert sum(map(bool, found)) >= 3


def test_why_not_is_said_in_words() -> None:
    sweep = swept(bars_of_noise(0))
    told = verdict(sweep, sweep.found["best"])
    assert not told.is_offered
    assert told.sentence.startswith("Not offered. After 100 tries on this symbol")
    assert [check.name for check in told.checks] == [
        "deflated_sharpe",
        "overfit_probability",
        "walk_forward_anchored",
        "walk_forward_rolling",
        "stability",
        "look_ahead",
    ]


def test_a_short_past_and_a_single_setting_tell_nothing() -> None:
    bars = bars_of_noise(1)
    short = swept(bars._replace(at=bars.at[:200], days=bars.days[:200], prices=bars.prices[:200]), AXES[:1])
    assert verdict(short, 0).sentence == ("Not offered: fewer than 252 sessions, so nothing can be told from luck.")
    alone = swept(bars, [{"name": "tau", "values": ["0.03"]}])
    assert verdict(alone, 0).sentence.startswith("Not offered: fewer than two settings")


def test_a_lone_peak_and_more_tries_before_are_held_against_it() -> None:
    sweep = swept(bars_of_noise(2, memory=0.9), [{"name": "tau", "values": ["0.03", "0.05"]}])
    best = sweep.found["best"]
    before = verdict(sweep, best).checks[0].figure
    sweep.found["trials_before"] = 10_000
    sweep.found["look_ahead"] = False
    after = verdict(sweep, best)
    assert before is not None
    assert after.checks[0].figure is not None
    assert after.checks[0].figure <= before
    assert not after.is_offered
    assert "these figures cannot be trusted" in after.sentence
