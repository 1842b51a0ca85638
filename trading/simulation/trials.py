"""Every setting of a part of a grid tried on one stage: a row of figures each, and the sums that honesty needs."""

import io
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from portfolios.domain.holding import Rules
from portfolios.domain.settings import merge_settings, rules_from
from trading.simulation import many
from trading.simulation.baselines import buy_and_hold
from trading.simulation.grid import Grid
from trading.simulation.honesty import BLOCKS, block_sums, blocks_of, moments_each, timing_returns
from trading.simulation.machine import compiled
from trading.simulation.metrics import exposures, measured, turnovers
from trading.simulation.runs import TooLarge, session_ends
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
    "guardrail_time",
    "trades",
    "turnover",
    "fees",
    "timing_sharpe",
)
LOOKS_AT_A_TIME = 60_000_000  # between two looks at whether it is still wanted: about half a second
AT_A_TIME = 256  # settings at most
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


class Trials(NamedTuple):
    """Some settings that are tried together. rows: where their figures go; asset: the stock's own returns for each."""

    rows: np.ndarray
    rules: list[Rules]
    asset: np.ndarray


def try_out(stage: Stage, grid: Grid, begin: int, end: int, money: Money, tell: Callable[[], None]) -> Figures:
    """On all cores. `tell` is called now and then; it may raise to stop it. Raises TooLarge."""
    ends = session_ends(stage)
    figures = empty(end - begin)
    asset: dict[int, np.ndarray] = {}
    step = min(max(LOOKS_AT_A_TIME // len(stage.bar), 2 * many.AT_A_TIME), AT_A_TIME)
    for at in range(begin, end, step):
        tell()
        rows, rules = [], []
        for number in range(at, min(at + step, end)):
            if (merged := grid.merged(number)) is not None:
                rows.append(number - begin)
                rules.append(rules_from(merged, default_buffer=money.slippage))
        for withholding in {rule.withholding for rule in rules} - asset.keys():
            asset[withholding] = asset_returns(stage, ends, withholding, money)
        if rows:
            own = np.array([asset[rule.withholding] for rule in rules])
            try_together(stage, ends, Trials(np.array(rows), rules, own), money, figures)
    return figures


def try_together(stage: Stage, ends: np.ndarray, trials: Trials, money: Money, figures: Figures) -> None:
    """Fills in their figures; each core adds those of the settings it is through with."""
    first, days, begins = int(stage.points.prices[0]), stage.points.days[ends], blocks_of(len(ends) - 1)
    starts = [starting(money.cash, money.in_stock, first, rule.lot) for rule in trials.rules]

    def look(cut: slice, amounts: np.ndarray, worth: np.ndarray, stock: np.ndarray) -> None:
        if amounts[:, many.BROKEN].any():
            raise TooLarge
        timing = timing_returns(worth, stock, trials.asset[cut])
        sums = block_sums(timing.T, begins)
        rows = trials.rows[cut]
        figures.totals[rows], figures.squares[rows] = sums.totals.T, sums.squares.T
        told = measured(worth, days) | skill_of(timing) | dealt(amounts)
        told["exposure"] = exposures(worth, stock)
        told["guardrail_time"] = amounts[:, many.INSIDE] / len(ends)
        told["turnover"] = turnovers(amounts[:, many.TRADED], worth, days)
        figures.table[rows] = np.column_stack([told[name] for name in COLUMNS])

    many.simulate_many(stage.points, stage.happenings, trials.rules, starts, money.slippage, ends, look=look)


def skill_of(timing: np.ndarray) -> dict[str, np.ndarray]:
    mean, deviation, skewness, kurtosis = moments_each(timing)
    sharpe = np.where(deviation > 0, mean / np.where(deviation > 0, deviation, 1.0), 0.0)
    return dict(zip(("timing_sharpe", *MOMENTS), (sharpe, mean, deviation, skewness, kurtosis), strict=True))


def dealt(amounts: np.ndarray) -> dict[str, np.ndarray]:
    places = {"value": many.VALUE, "trades": many.TRADES, "fees": many.FEES}
    return {name: amounts[:, place] for name, place in places.items()}


def empty(count: int) -> Figures:
    nothing = np.full((count, BLOCKS), np.nan)
    return Figures(np.full((count, len(COLUMNS)), np.nan), nothing, nothing.copy())


def asset_returns(stage: Stage, ends: np.ndarray, withholding: int, money: Money) -> np.ndarray:
    """The stock's own total return a session, net dividends included: what holding nothing else comes to.

    Bought and reinvested at the usual costs, whatever a trial pays: it must not depend on who is tried beside whom.
    """
    rules = rules_from(merge_settings({}), default_buffer=0)._replace(withholding=withholding)
    start, steps = buy_and_hold(stage, rules, money.cash, money.slippage)
    worth = compiled("follow")(stage.points, start, steps, ends)[:, 0].astype(np.float64)
    alive = worth[:-1] > 0
    return np.where(alive, worth[1:] / np.where(alive, worth[:-1], 1.0) - 1, 0.0)


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
