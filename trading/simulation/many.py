"""Many settings over the same points: every core works through some of them, and each leaves a row of figures."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from portfolios.domain.amounts import MAX_AMOUNT, PPM
from portfolios.domain.exact import LARGEST, compare_products
from portfolios.domain.holding import Holding, Rules
from trading.simulation.engine import EX, FILL, TOO_LARGE, Happenings, Points, follow, trade
from trading.simulation.machine import compiled

VALUE, TRADES, BUYS, TRADED, FEES, DIVIDENDS, INSIDE, BROKEN = range(8)
COLUMNS = 8
AT_A_TIME = 16  # settings a core takes from the pile
Look = Callable[[slice, np.ndarray, np.ndarray, np.ndarray], None]


def simulate_many(
    points: Points,
    happenings: Happenings,
    rules: Sequence[Rules],
    starts: Sequence[Holding],
    slippage: int,
    ends: np.ndarray,
    workers: int | None = None,
    look: Look | None = None,
) -> np.ndarray:
    """Exactly what `runs` finds for each of these rules and starts: a row of amounts each, columns as above.

    ends: the last point of each session. Amounts in micros, their sums stay below 2^63; INSIDE: sessions that closed
    within the guardrails; BROKEN: 1 where an amount would have passed its limit. look: is shown which settings a core
    is through with, their amounts, and their worth and stock at each close (a row each), before that core goes on.
    """
    amounts = np.zeros((len(rules), COLUMNS), np.int64)
    table = np.array(rules, np.int64).reshape(-1, len(Rules._fields))
    begun = np.array(starts, np.int64).reshape(-1, len(Holding._fields))
    work = compiled("trade_each", "many")

    def part(begin: int) -> None:
        cut = slice(begin, min(begin + AT_A_TIME, len(table)))
        closes = np.empty((2, cut.stop - begin, len(ends)), np.int64)
        work(points, happenings, table[cut], begun[cut], slippage, ends, amounts[cut], closes)
        if look:
            look(cut, amounts[cut], closes[0], closes[1])

    with ThreadPoolExecutor(workers or os.cpu_count()) as crew:
        list(crew.map(part, range(0, len(rules), AT_A_TIME)))
    return amounts


def trade_each(
    points: Points,
    happenings: Happenings,
    table: np.ndarray,
    starts: np.ndarray,
    slippage: int,
    ends: np.ndarray,
    amounts: np.ndarray,
    closes: np.ndarray,
) -> None:
    """closes: worth and stock by setting and session, filled in."""
    for row in range(len(table)):
        start, rules = holding_in(starts[row]), rules_in(table[row])
        outcome = trade(points, happenings, rules, start, slippage)
        add_up(outcome.steps, amounts[row])
        daily = follow(points, start, outcome.steps, ends)
        closes[0, row] = daily[:, 0]
        closes[1, row] = daily[:, 5]
        amounts[row, VALUE] = daily[-1, 0]
        amounts[row, INSIDE] = closes_inside(daily, rules.guardrail_low, rules.guardrail_high)
        amounts[row, BROKEN] = outcome.skips[TOO_LARGE]


def closes_inside(daily: np.ndarray, low: int, high: int) -> int:
    """How many sessions closed with the stock share within the guardrails (ppm). daily: see `follow`."""
    inside = 0
    for row in range(len(daily)):
        worth, stock = int(daily[row, 0]), int(daily[row, 5])
        above = compare_products(stock, PPM, low, worth) >= 0
        inside += 1 if above and compare_products(stock, PPM, high, worth) <= 0 else 0
    return inside


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
