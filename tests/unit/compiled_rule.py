"""The rule as it stands, compiled as the product compiles it, over arrays: a case a row."""

from inspect import isfunction

import numpy as np

from portfolios.domain import exact
from portfolios.domain.holding import Holding, Rules
from trading.domain import band, decision, explanation, ladder
from trading.domain.choices import OPEN, Gates
from trading.simulation.machine import make_compilable

make_compilable()

from numba import literal_unroll, njit  # noqa: E402 - the machine says where numba keeps its cache
from numba.extending import register_jitable  # noqa: E402
from numba.np.unsafe.ndarray import to_fixed_tuple  # noqa: E402

HOLDING, RULES, GATES = len(Holding._fields), len(Rules._fields), len(Gates._fields)

for module in (explanation, ladder):  # the rest of the domain, which no simulation needs
    for function in vars(module).values():
        if isfunction(function) and function.__module__ == module.__name__:
            register_jitable(function)


@njit
def decide_all(holdings, rules, prices, gates, decisions):
    """One decision a row, from and into arrays of int64."""
    for row in range(len(prices)):
        held = Holding(*to_fixed_tuple(holdings[row], HOLDING))
        ruled = Rules(*to_fixed_tuple(rules[row], RULES))
        gated = Gates(*to_fixed_tuple(gates[row], GATES))
        decided = decision.decide(held, ruled, prices[row], gated)
        column = 0
        for value in literal_unroll(decided):
            decisions[row, column] = value
            column += 1  # noqa: SIM113 - enumerate takes no tuple of several types here


@njit
def bands_of(holdings, rules, bands):
    for row in range(len(holdings)):
        held = Holding(*to_fixed_tuple(holdings[row], HOLDING))
        ruled = Rules(*to_fixed_tuple(rules[row], RULES))
        sleeps = band.wake_band(held, ruled)
        bands[row, 0], bands[row, 1] = sleeps.below, sleeps.above


@njit
def ladders_of(holdings, rules, prices, side, rungs):
    """The price of the next order on this side, and what the cell holds once it has filled; a row per case."""
    for row in range(len(prices)):
        held = Holding(*to_fixed_tuple(holdings[row], HOLDING))
        ruled = Rules(*to_fixed_tuple(rules[row], RULES))
        price = ladder.next_price(held, ruled, side, prices[row])
        rungs[row, 0] = price
        rungs[row, 1:] = holdings[row]
        if price != ladder.NOWHERE:
            left = ladder.after_fill(held, decision.decide(held, ruled, price, OPEN), price)
            rungs[row, 1], rungs[row, 2], rungs[row, 6] = left.shares, left.cash, left.anchor


@njit
def muldiv_each(rows):
    """Floors and ceilings of rows (a, b, c, d, e)."""
    floors, ceils = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    for row in range(len(rows)):
        a, b, c, d, e = to_fixed_tuple(rows[row], 5)
        floors[row] = exact.muldiv_floor(a, b, d, c, e)
        ceils[row] = exact.muldiv_ceil(a, b, d, c, e)
    return floors, ceils


@njit
def compare_each(rows):
    signs = np.empty(len(rows), np.int64)
    for row in range(len(rows)):
        a, b, c, d = to_fixed_tuple(rows[row], 4)
        signs[row] = exact.compare_products(a, b, c, d)
    return signs
