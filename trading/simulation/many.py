"""Many settings over the same points: every core works through some of them, and each leaves a row of figures."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from portfolios.domain.amounts import MAX_AMOUNT
from portfolios.domain.exact import LARGEST
from portfolios.domain.holding import Holding, Rules
from trading.simulation.engine import EX, FILL, Happenings, Points, follow, trade
from trading.simulation.machine import compiled

VALUE, TRADES, BUYS, TRADED, FEES, DIVIDENDS = range(6)
COLUMNS = 6
AT_A_TIME = 16  # settings a core takes from the pile


class Figures(NamedTuple):
    """amounts: a row of settings, columns as above (micros; sums stay below 2^63). falls: deepest daily drawdown."""

    amounts: np.ndarray
    falls: np.ndarray


def simulate_many(
    points: Points,
    happenings: Happenings,
    rules: Sequence[Rules],
    starts: Sequence[Holding],
    slippage: int,
    ends: np.ndarray,
    workers: int | None = None,
) -> Figures:
    """Exactly what `runs` finds for each of these rules and starts. ends: the last point of each session."""
    figures = Figures(np.zeros((len(rules), COLUMNS), np.int64), np.zeros(len(rules)))
    table = np.array(rules, np.int64).reshape(-1, len(Rules._fields))
    begun = np.array(starts, np.int64).reshape(-1, len(Holding._fields))
    work = compiled("trade_each", "many")

    def part(begin: int) -> None:
        cut = slice(begin, begin + AT_A_TIME)
        work(points, happenings, table[cut], begun[cut], slippage, ends, figures.amounts[cut], figures.falls[cut])

    with ThreadPoolExecutor(workers or os.cpu_count()) as crew:
        list(crew.map(part, range(0, len(rules), AT_A_TIME)))
    return figures


def trade_each(
    points: Points,
    happenings: Happenings,
    table: np.ndarray,
    starts: np.ndarray,
    slippage: int,
    ends: np.ndarray,
    amounts: np.ndarray,
    falls: np.ndarray,
) -> None:
    for row in range(len(table)):
        start = holding_in(starts[row])
        outcome = trade(points, happenings, rules_in(table[row]), start, slippage)
        add_up(outcome.steps, amounts[row])
        daily = follow(points, start, outcome.steps, ends)
        amounts[row, VALUE] = daily[-1, 0]
        falls[row] = deepest_fall(daily[:, 0])


def add_up(steps: np.ndarray, amounts: np.ndarray) -> None:
    for step in range(len(steps)):
        if steps[step, 1] == FILL:
            amounts[TRADES] += 1
            amounts[BUYS] += 1 if steps[step, 3] > 0 else 0
            amounts[TRADED] = plus(int(amounts[TRADED]), int(steps[step, 5]))
            amounts[FEES] = plus(int(amounts[FEES]), int(steps[step, 6]))
        if steps[step, 1] == EX:
            amounts[DIVIDENDS] = plus(int(amounts[DIVIDENDS]), int(steps[step, 11]))


def plus(total: int, amount: int) -> int:
    """A sum of amounts that stays where there is room for no more."""
    return min(total, LARGEST - 2 * MAX_AMOUNT) + amount


def deepest_fall(values: np.ndarray) -> float:
    """As `metrics.max_drawdown`, value by value."""
    deepest, peak = 0.0, float(values[0])
    for value in values:
        peak = max(peak, float(value))
        deepest = min(deepest, float(value) / (peak if peak > 0 else 1.0) - 1)
    return deepest


def holding_in(row: np.ndarray) -> Holding:
    return Holding(int(row[0]), int(row[1]), int(row[2]), int(row[3]), int(row[4]), int(row[5]))


def rules_in(row: np.ndarray) -> Rules:
    """All fields one by one: compiled code takes a tuple of known length only."""
    return Rules(
        int(row[0]),
        int(row[1]),
        int(row[2]),
        int(row[3]),
        int(row[4]),
        int(row[5]),
        int(row[6]),
        int(row[7]),
        int(row[8]),
        int(row[9]),
        int(row[10]),
        int(row[11]),
        int(row[12]),
        int(row[13]),
        int(row[14]),
        int(row[15]),
        int(row[16]),
        int(row[17]),
        int(row[18]),
        int(row[19]),
        int(row[20]),
        int(row[21]),
        int(row[22]),
        int(row[23]),
    )
