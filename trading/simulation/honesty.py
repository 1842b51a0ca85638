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

    worth, stock: of the cell at each close; asset: the stock's own total return since the close before. The usual share
    is the mean of all closes before: known that day, so luck of a rising market at a high share does not count as
    skill, and nothing of it looks ahead.
    """
    worth = worth.astype(np.float64)
    share = stock[:-1] / np.where(worth[:-1] > 0, worth[:-1], 1.0)
    usual = np.cumsum(share) / np.arange(1, len(share) + 1)
    returns = np.where(worth[:-1] > 0, worth[1:] / np.where(worth[:-1] > 0, worth[:-1], 1.0) - 1, 0.0)
    return returns - usual * asset


def moments_of(returns: np.ndarray) -> Moments:
    """Skewness and kurtosis of the population (divided by n), the deviation of the sample (n - 1)."""
    count = len(returns)
    if count < 2:
        return Moments(count, float(np.sum(returns)), 0.0, 0.0, 3.0)
    mean = float(np.mean(returns))
    around = returns - mean
    square = around * around  # powers are slow
    spread = float(np.mean(square))
    if spread <= 0:
        return Moments(count, mean, 0.0, 0.0, 3.0)
    skewness, kurtosis = float(np.mean(square * around)) / spread**1.5, float(np.mean(square * square)) / spread**2
    return Moments(count, mean, sqrt(spread * count / (count - 1)), skewness, kurtosis)


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
