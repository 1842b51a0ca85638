"""Every setting of a part of a grid tried on one stage: a row of figures each, and the sums that honesty needs."""

import io
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from portfolios.domain.settings import rules_from
from trading.simulation.baselines import buy_and_hold
from trading.simulation.grid import Grid
from trading.simulation.honesty import BLOCKS, block_sums, blocks_of, moments_of, timing_returns
from trading.simulation.machine import compiled
from trading.simulation.metrics import metrics_of
from trading.simulation.runs import Run, exposure, fills_of, run, session_ends, total, value_at_end
from trading.simulation.stage import Stage, starting

METRICS = (
    "value",
    "total_return",
    "cagr",
    "volatility",
    "sharpe",
    "sortino",
    "max_drawdown",
    "calmar",
    "exposure",
    "trades",
    "fees",
    "timing_sharpe",
)
MOMENTS = ("mean", "deviation", "skewness", "kurtosis")
COLUMNS = METRICS + MOMENTS


class Figures(NamedTuple):
    """table: trials x COLUMNS, all NaN for a setting that cannot be; a figure that cannot be told is NaN as well.

    value and fees in micros; the rest as `metrics` says; timing_sharpe and MOMENTS of timing returns a session.
    totals, squares: trials x blocks, of timing returns.
    """

    table: np.ndarray
    totals: np.ndarray
    squares: np.ndarray


class Money(NamedTuple):
    """What every trial begins with: cash in micros, in_stock and slippage in ppm."""

    cash: int
    in_stock: int
    slippage: int


def try_out(stage: Stage, grid: Grid, begin: int, end: int, money: Money, tell: Callable[[], None]) -> Figures:
    """`tell` is called between trials; it may raise to stop them."""
    ends = session_ends(stage)
    begins = blocks_of(len(ends) - 1)
    figures = empty(end - begin)
    asset: dict[int, np.ndarray] = {}
    for row, number in enumerate(range(begin, end)):
        tell()
        merged = grid.merged(number)
        if merged is None:
            continue
        rules = rules_from(merged, default_buffer=money.slippage)
        start = starting(money.cash, money.in_stock, int(stage.points.prices[0]), rules.lot)
        done = run(stage, rules, start, money.slippage)
        if rules.withholding not in asset:
            asset[rules.withholding] = asset_returns(done, money)
        timing = timing_returns(done.daily[:, 0], done.daily[:, 5], asset[rules.withholding])
        figures.table[row] = row_of(done, timing)
        sums = block_sums(timing, begins)
        figures.totals[row], figures.squares[row] = sums.totals, sums.squares
    return figures


def empty(count: int) -> Figures:
    nothing = np.full((count, BLOCKS), np.nan)
    return Figures(np.full((count, len(COLUMNS)), np.nan), nothing, nothing.copy())


def asset_returns(done: Run, money: Money) -> np.ndarray:
    """The stock's own total return a session, net dividends included: what holding nothing else comes to."""
    start, steps = buy_and_hold(done.stage, done.rules, money.cash, money.slippage)
    daily = compiled("follow")(done.stage.points, start, steps, done.ends)
    worth = daily[:, 0].astype(np.float64)
    return worth[1:] / np.where(worth[:-1] > 0, worth[:-1], 1.0) - np.where(worth[:-1] > 0, 1.0, 0.0)


def row_of(done: Run, timing: np.ndarray) -> list[float]:
    fills, moments = fills_of(done.outcome), moments_of(timing)
    figures = metrics_of(done.daily[:, 0], done.stage.points.days[done.ends])._asdict()
    figures |= {
        "value": value_at_end(done),
        "exposure": exposure(done),
        "trades": len(fills),
        "fees": total(fills[:, 6]),
        "timing_sharpe": moments.sharpe,
        "mean": moments.mean,
        "deviation": moments.deviation,
        "skewness": moments.skewness,
        "kurtosis": moments.kurtosis,
    }
    return [np.nan if figures[name] is None else float(figures[name]) for name in COLUMNS]


def packed_figures(figures: Figures) -> bytes:
    kept = io.BytesIO()
    np.savez_compressed(kept, **figures._asdict())
    return kept.getvalue()


def unpacked_table(kept: bytes) -> np.ndarray:
    """The figures alone: a page of a ranking has no use for the sums."""
    with np.load(io.BytesIO(bytes(kept)), allow_pickle=False) as arrays:
        table: np.ndarray = arrays["table"]
    return table


def unpacked_figures(kept: bytes) -> Figures:
    with np.load(io.BytesIO(bytes(kept)), allow_pickle=False) as arrays:
        return Figures(*(arrays[name] for name in Figures._fields))
