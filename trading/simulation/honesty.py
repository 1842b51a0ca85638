"""How much of a grid's best result is luck: statistics of many trials on one past. Plain floats; nothing here trades.

All Sharpe ratios here are of one session (not annualised) and of *timing returns*, see `timing_returns`. Sources:
Bailey and Lopez de Prado, "The Sharpe Ratio Efficient Frontier" (2012); the same, "The Deflated Sharpe Ratio" (2014);
Bailey, Borwein, Lopez de Prado and Zhu, "The Probability of Backtest Overfitting" (2015).
"""

from collections.abc import Iterator
from itertools import combinations
from math import e, sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

BLOCKS = 12  # parts of the past, of which each half is compared with the other: 924 ways
FIRST_TEST = 4  # walk-forward: blocks before the first that is tested, and as many in a rolling window
BATCH = 2_000_000  # figures held at once while halves are compared
EULER = 0.577215664901532860606512090082
NORMAL = NormalDist()


class Moments(NamedTuple):
    """What a series of returns comes to. deviation: of the sample; kurtosis: 3 for a normal distribution."""

    sessions: int
    mean: float
    deviation: float
    skewness: float
    kurtosis: float

    @property
    def sharpe(self) -> float:
        return self.mean / self.deviation if self.deviation > 0 else 0.0


class Sums(NamedTuple):
    """Of the returns of many trials by block: counts (a block each); totals and squares: blocks x trials."""

    counts: np.ndarray
    totals: np.ndarray
    squares: np.ndarray


class Walk(NamedTuple):
    """Chosen on the past of each block and tested on it. sharpe: of all the tested blocks together."""

    chosen: list[int]
    sharpe: float
    sharpe_before: float


def timing_returns(worth: np.ndarray, stock: np.ndarray, asset: np.ndarray) -> np.ndarray:
    """What buying and selling earned: a session's return less that of the stock at the cell's usual stock share.

    worth, stock: of the cell at each close, or a row of them for each of many; asset: the stock's own total return
    since the close before. The usual share is the mean of all closes before: known that day, so luck of a rising market
    at a high share does not count as skill, and nothing of it looks ahead.
    """
    worth = worth.astype(np.float64)
    before = worth[..., :-1]
    alive = before > 0
    divisor = before if alive.all() else np.where(alive, before, 1.0)
    usual = np.cumsum(stock[..., :-1] / divisor, axis=-1) / np.arange(1, before.shape[-1] + 1)
    returns = worth[..., 1:] / divisor - 1
    if divisor is not before:
        returns = np.where(alive, returns, 0.0)
    return returns - usual * asset


def moments_of(returns: np.ndarray) -> Moments:
    """As `moments_each`, of one series."""
    return Moments(len(returns), *(float(column[0]) for column in moments_each(returns[None])))


def moments_each(returns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean, deviation, skewness and kurtosis of each row.

    Skewness and kurtosis of the population (divided by n), the deviation of the sample (n - 1).
    """
    count = returns.shape[1]
    mean = np.mean(returns, axis=1) if count else np.zeros(len(returns))
    around = returns - mean[:, None]
    square = around * around  # powers are slow
    spread = np.mean(square, axis=1) if count > 1 else np.zeros(len(returns))
    flat = spread <= 0
    divisor = np.where(flat, 1.0, spread)
    deviation = np.sqrt(spread * count / max(count - 1, 1))
    skewness = np.where(flat, 0.0, np.sum(square * around, axis=1) / max(count, 1) / divisor**1.5)
    kurtosis = np.where(flat, 3.0, np.sum(square * square, axis=1) / max(count, 1) / divisor**2)
    return mean, deviation, skewness, kurtosis


def probabilistic_sharpe(moments: Moments, benchmark: float) -> float:
    """The probability that the true Sharpe ratio is above the benchmark (Bailey and Lopez de Prado 2012, eq. 9)."""
    sharpe = moments.sharpe
    variance = 1 - moments.skewness * sharpe + (moments.kurtosis - 1) / 4 * sharpe**2
    if moments.sessions < 2 or moments.deviation <= 0 or variance <= 0:
        return 0.0
    return NORMAL.cdf((sharpe - benchmark) * sqrt(moments.sessions - 1) / sqrt(variance))


def expected_best_sharpe(trials: int, deviation: float) -> float:
    """The best of so many trials without any skill, their Sharpe ratios spread by `deviation` (2014, eq. 1)."""
    if trials < 2:
        return 0.0
    usual, rare = NORMAL.inv_cdf(1 - 1 / trials), NORMAL.inv_cdf(1 - 1 / (trials * e))
    return deviation * ((1 - EULER) * usual + EULER * rare)


def deflated_sharpe(moments: Moments, trials: int, deviation: float) -> float:
    """The probability that it is more than the best of so many trials without skill would be (2014, eq. 2)."""
    return probabilistic_sharpe(moments, expected_best_sharpe(trials, deviation))


def blocks_of(sessions: int, blocks: int = BLOCKS) -> np.ndarray:
    """Where each block begins: as equal as they can be, in order."""
    return np.arange(blocks) * sessions // blocks


def block_sizes(sessions: int, blocks: int = BLOCKS) -> np.ndarray:
    return np.diff(np.append(blocks_of(sessions, blocks), sessions))


def block_sums(returns: np.ndarray, begins: np.ndarray) -> Sums:
    """returns: sessions x trials, or the sessions of one."""
    counts = np.diff(np.append(begins, len(returns)))
    return Sums(counts, np.add.reduceat(returns, begins, axis=0), np.add.reduceat(returns**2, begins, axis=0))


def sharpe_within(sums: Sums, chosen: np.ndarray) -> np.ndarray:
    """Sharpe ratios over some of the blocks. chosen: ways x blocks of 0 and 1; the answer: ways x trials."""
    count = (chosen @ sums.counts).astype(np.float64)[:, None]
    mean = chosen @ sums.totals / count
    variance = np.maximum(chosen @ sums.squares - count * mean**2, 0.0) / np.maximum(count - 1, 1.0)
    flat = variance <= 1e-18
    return np.where(flat, 0.0, mean / np.sqrt(np.where(flat, 1.0, variance)))


def overfit_probability(sums: Sums) -> float:
    """Combinatorially symmetric cross-validation (2015): how often the best of one half is below the other's median.

    Each way to take half of the blocks: the best trial within them, its relative rank w = rank / (trials + 1) in the
    other half, and logit(w) <= 0. Equals share their rank.
    """
    below = count = 0
    for chosen in halves(len(sums.counts), max(BATCH // sums.totals.shape[1], 1)):
        inside, outside = sharpe_within(sums, chosen), sharpe_within(sums, 1.0 - chosen)
        best = np.argmax(inside, axis=1)[:, None]
        there = np.take_along_axis(outside, best, axis=1)
        rank = np.sum(outside < there, axis=1) + (np.sum(outside == there, axis=1) + 1) / 2
        below += int(np.sum(rank / (outside.shape[1] + 1) <= 0.5))
        count += len(chosen)
    return below / count


def halves(blocks: int, batch: int) -> Iterator[np.ndarray]:
    """Every way to take half of the blocks, as rows of 0 and 1, some at a time."""
    ways = np.array(list(combinations(range(blocks), blocks // 2)))
    for begin in range(0, len(ways), batch):
        rows = np.zeros((len(ways[begin : begin + batch]), blocks))
        np.put_along_axis(rows, ways[begin : begin + batch], 1.0, axis=1)
        yield rows


def walk_forward(sums: Sums, *, anchored: bool) -> Walk:
    """The best trial of all blocks so far (anchored), or of the last four (rolling), tested on the next block."""
    blocks = len(sums.counts)
    chosen, before = [], []
    for tested in range(FIRST_TEST, blocks):
        window = np.zeros((1, blocks))
        window[0, 0 if anchored else tested - FIRST_TEST : tested] = 1.0
        sharpes = sharpe_within(sums, window)[0]
        chosen.append(int(np.argmax(sharpes)))
        before.append(float(np.max(sharpes)))
    tests = np.arange(FIRST_TEST, blocks)
    lived = Sums(sums.counts[tests], sums.totals[tests, chosen][:, None], sums.squares[tests, chosen][:, None])
    return Walk(chosen, float(sharpe_within(lived, np.ones((1, len(tests))))[0, 0]), float(np.mean(before)))


def stability(sharpe: float, neighbours: np.ndarray) -> float | None:
    """How much of its Sharpe ratio the median neighbour keeps; None without neighbours, 0 for nothing to keep."""
    if not len(neighbours):
        return None
    return float(np.median(neighbours)) / sharpe if sharpe > 0 else 0.0
