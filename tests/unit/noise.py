"""Made-up pasts: prices without any pattern, and prices that return to their mean; and sweeps over them."""

from typing import Any, NamedTuple

import numpy as np

from portfolios.domain.amounts import MICROS
from portfolios.domain.settings import parse_settings
from trading.simulation.bars import Bars
from trading.simulation.grid import Grid, read_axes
from trading.simulation.honesty import Moments, Sums, block_sizes
from trading.simulation.stage import stage_of
from trading.simulation.trials import COLUMNS, Figures, Money, try_out
from trading.simulation.verdict import Verdict, assessed, judged

SESSIONS = 2_520
CENT = MICROS // 100
SHARPE = COLUMNS.index("timing_sharpe")
AXES = [
    {"name": "tau", "from": "0.01", "to": "0.1", "step": "0.01"},
    {"name": "r", "values": ["0.02", "0.05", "0.1", "0.2", "0.4"]},
    {"name": "guardrail_low", "values": ["0", "0.25"]},
]


class Swept(NamedTuple):
    grid: Grid
    figures: Figures
    found: dict[str, Any]


def bars_of_noise(seed: int, *, drift: float = 0.0, deviation: float = 0.02, memory: float = 1.0) -> Bars:
    """Ten years from 100. drift a year; memory 1: a random walk, below: back to its mean by that much a session."""
    shocks = np.random.default_rng(seed).normal(drift / 252, deviation, SESSIONS)
    logs = np.zeros(SESSIONS)
    for session in range(1, SESSIONS):
        logs[session] = memory * logs[session - 1] + shocks[session]
    prices = np.maximum(np.round(np.exp(logs) * 100 * 100), 1).astype(np.int64) * CENT
    days = np.arange(SESSIONS, dtype=np.int32) * 7 // 5 + 10_000
    columns = np.repeat(prices[:, None], 4, axis=1)
    return Bars(days.astype(np.int64) * 86_400, days, columns, np.zeros(SESSIONS, np.uint8), is_daily=True)


def swept(bars: Bars, axes: list[dict[str, Any]] = AXES, **settings: Any) -> Swept:
    grid = Grid(parse_settings(settings), read_axes(axes))
    figures = try_out(stage_of(bars, [], []), grid, 0, grid.size, Money(10**10, 500_000, 0), lambda: None)
    numbers = np.flatnonzero(~np.isnan(figures.table[:, SHARPE]))
    sums = Sums(block_sizes(len(bars.at) - 1), figures.totals[numbers].T, figures.squares[numbers].T)
    found = assessed(figures.table[numbers, SHARPE], sums, numbers) | {"look_ahead": True, "trials_before": 0}
    return Swept(grid, figures, found)


def verdict(sweep: Swept, number: int) -> Verdict:
    moments = Moments(sweep.found["sessions"], *(float(figure) for figure in sweep.figures.table[number, SHARPE + 1 :]))
    neighbours = sweep.figures.table[list(sweep.grid.neighbours(number)), SHARPE]
    return judged(sweep.found, moments, neighbours[~np.isnan(neighbours)])


def offers(sweep: Swept) -> list[int]:
    """Every setting that would be offered, not only the best."""
    tried = np.flatnonzero(~np.isnan(sweep.figures.table[:, SHARPE]))
    return [number for number in tried.tolist() if verdict(sweep, number).is_offered]
