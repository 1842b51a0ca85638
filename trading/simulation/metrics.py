"""Statistics of a run from its daily values. The only floats of a simulation: nothing here decides anything.

Definitions as in `empyrical` (https://github.com/quantopian/empyrical), against which they are tested; a year has 252
sessions, the risk-free rate is 0, and a figure that cannot be told (no loss, one day) is None.
"""

import math
from typing import NamedTuple

import numpy as np

YEAR = 252
CALENDAR_YEAR = 365.25
MOST_POWER = 700


class Metrics(NamedTuple):
    """Fractions, not per cent. Volatility, Sharpe and Sortino are annualised.

    total_return: last value / first - 1. cagr: the same a year of 365.25 days. volatility: sample standard deviation of
    daily returns * sqrt(252). sharpe: mean / sample deviation * sqrt(252). sortino: mean * 252 / downside deviation,
    that being the root of the mean of squared negative returns, * sqrt(252). max_drawdown: the deepest fall below the
    highest value before it, at most 0. calmar: cagr / -max_drawdown.
    """

    total_return: float
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    max_drawdown: float
    calmar: float | None


def metrics_of(values: np.ndarray, days: np.ndarray) -> Metrics:
    """values: a cell's worth at each session's close (micros), days: their dates as days of the epoch."""
    return Metrics(**{name: told(column[0]) for name, column in measured(values[None], days).items()})  # type: ignore[arg-type]  # two of them can always be told


def measured(values: np.ndarray, days: np.ndarray) -> dict[str, np.ndarray]:
    """`Metrics` of many cells at once, by name: a row of `values` each, NaN for what cannot be told."""
    worth = values.astype(np.float64)
    first = worth[:, 0]
    grown = np.where(first != 0, worth[:, -1] / np.where(first != 0, first, 1.0), 1.0)
    years = (int(days[-1]) - int(days[0])) / CALENDAR_YEAR
    cagr = np.array([yearly(one, years) if begun else None for one, begun in zip(grown, first, strict=True)], float)
    fall = np.min(drawdowns(worth), axis=1, initial=0.0)
    returns = returns_of(worth)
    if returns.shape[1] < 2:
        returns = np.full((len(worth), 2), np.nan)
    mean, deviation = np.mean(returns, axis=1), np.std(returns, axis=1, ddof=1)
    downside = np.sqrt(np.mean(np.minimum(returns, 0.0) ** 2, axis=1)) * math.sqrt(YEAR)
    return {
        "total_return": grown - 1,
        "cagr": cagr,
        "volatility": deviation * math.sqrt(YEAR),
        "sharpe": over(mean, deviation) * math.sqrt(YEAR),
        "sortino": over(mean * YEAR, downside),
        "max_drawdown": fall,
        "calmar": over(cagr, -fall),
    }


def over(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """The quotient; NaN over nothing."""
    return np.where(below > 0, above / np.where(below > 0, below, 1.0), np.nan)


def yearly(grown: float, years: float) -> float | None:
    """What a growth to this multiple is a year; of one that is beyond all numbers, nothing can be told."""
    if years <= 0 or grown <= 0:
        return None
    power = math.log(grown) / years
    return math.expm1(power) if power < MOST_POWER else None


def daily_returns(worth: np.ndarray) -> np.ndarray:
    """n - 1 simple returns; a cell that was worth nothing has none."""
    returns = returns_of(worth)
    return np.empty(0) if np.isnan(returns).any() else returns


def returns_of(worth: np.ndarray) -> np.ndarray:
    """Simple returns of each row; all NaN for a cell that was worth nothing at any close but the last."""
    before = worth[..., :-1]
    ruined = (before <= 0).any(axis=-1, keepdims=True)
    if not ruined.any():
        return np.asarray(worth[..., 1:] / before - 1)
    return np.where(ruined, np.nan, worth[..., 1:] / np.where(ruined, 1.0, before) - 1)


def max_drawdown(worth: np.ndarray) -> float:
    return float(np.min(drawdowns(worth), initial=0.0))


def drawdowns(worth: np.ndarray) -> np.ndarray:
    """How far below the highest value before it each is, at most 0; a cell that never was worth anything has none."""
    peaks = np.maximum.accumulate(worth, axis=-1)
    fallen: np.ndarray = worth / np.where(peaks > 0, peaks, 1) - 1
    return np.where(peaks > 0, fallen, 0.0)


def exposures(values: np.ndarray, stock: np.ndarray) -> np.ndarray:
    """The mean stock share at the sessions' closes, of each row."""
    worth = values.astype(np.float64)
    return np.mean(stock / np.where(worth > 0, worth, 1.0), axis=1)


def turnovers(traded: np.ndarray, values: np.ndarray, days: np.ndarray) -> np.ndarray:
    """How often a year the mean value at the closes is traded, of each row: bought and sold, over that, over years."""
    years = (int(days[-1]) - int(days[0])) / CALENDAR_YEAR
    return over(traded, np.mean(values.astype(np.float64), axis=1) * years)


def told(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
