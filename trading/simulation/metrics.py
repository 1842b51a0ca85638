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
    worth = values.astype(np.float64)
    returns = daily_returns(worth)
    grown = float(worth[-1] / worth[0]) if worth[0] else 1.0
    years = (int(days[-1]) - int(days[0])) / CALENDAR_YEAR
    cagr = yearly(grown, years) if worth[0] else None
    fall = max_drawdown(worth)
    return Metrics(
        total_return=grown - 1,
        cagr=cagr,
        volatility=told(np.std(returns, ddof=1) * math.sqrt(YEAR)) if len(returns) > 1 else None,
        sharpe=sharpe(returns),
        sortino=sortino(returns),
        max_drawdown=fall,
        calmar=cagr / -fall if cagr is not None and fall < 0 else None,
    )


def yearly(grown: float, years: float) -> float | None:
    """What a growth to this multiple is a year; of one that is beyond all numbers, nothing can be told."""
    if years <= 0 or grown <= 0:
        return None
    power = math.log(grown) / years
    return math.expm1(power) if power < MOST_POWER else None


def daily_returns(worth: np.ndarray) -> np.ndarray:
    """n - 1 simple returns; a cell that was worth nothing has none."""
    if len(worth) < 2 or (worth[:-1] <= 0).any():
        return np.empty(0)
    return worth[1:] / worth[:-1] - 1


def max_drawdown(worth: np.ndarray) -> float:
    return float(np.min(drawdowns(worth), initial=0.0))


def drawdowns(worth: np.ndarray) -> np.ndarray:
    """How far below the highest value before it each is, at most 0; a cell that never was worth anything has none."""
    peaks = np.maximum.accumulate(worth)
    fallen: np.ndarray = worth / np.where(peaks > 0, peaks, 1) - 1
    return np.where(peaks > 0, fallen, 0.0)


def sharpe(returns: np.ndarray) -> float | None:
    if len(returns) < 2:
        return None
    deviation = float(np.std(returns, ddof=1))
    return float(np.mean(returns)) / deviation * math.sqrt(YEAR) if deviation > 0 else None


def sortino(returns: np.ndarray) -> float | None:
    if len(returns) < 2:
        return None
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2))) * math.sqrt(YEAR)
    return float(np.mean(returns)) * YEAR / downside if downside > 0 else None


def told(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
