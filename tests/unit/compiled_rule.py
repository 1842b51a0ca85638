"""The rule as it stands, compiled: the domain's own functions over 128-bit counterparts of the exact primitives."""

import inspect

import numpy as np
from numba import literal_unroll, njit
from numba.extending import overload, register_jitable
from numba.np.unsafe.ndarray import to_fixed_tuple

from portfolios.domain import exact, holding
from portfolios.domain.holding import Holding, Rules
from trading.domain import band, choices, costs, decision, drift, explanation, ladder, sizing, trims
from trading.domain.choices import OPEN, Gates

MODULES = (holding, band, choices, costs, decision, drift, explanation, ladder, sizing, trims)
HOLDING, RULES, GATES = len(Holding._fields), len(Rules._fields), len(Gates._fields)

# uint64 and int64 mixed become float64 in numba, so every constant is a uint64.
ZERO, ONE, HALF = np.uint64(0), np.uint64(1), np.uint64(32)
LOW, BASE = np.uint64(2**32 - 1), np.uint64(2**32)
LARGEST = np.uint64(exact.LARGEST)


@register_jitable
def wide_product(a, b):
    """The 128 bits of a*b as two uint64, high word first."""
    a_high, a_low, b_high, b_low = a >> HALF, a & LOW, b >> HALF, b & LOW
    low = a_low * b_low
    middle = a_high * b_low + (low >> HALF)
    carry = a_low * b_high + (middle & LOW)
    return a_high * b_high + (middle >> HALF) + (carry >> HALF), (carry << HALF) | (low & LOW)


@register_jitable
def divided(high, low, divisor):
    """Quotient (two words) and remainder of a 128-bit number by a divisor below 2**63."""
    rest = high % divisor
    quotient, rest = digits_divided(rest, low, divisor)
    return high // divisor, quotient, rest


@register_jitable
def digits_divided(high, low, divisor):
    """Knuth's algorithm D with two 32-bit digits, for high < divisor: one word of quotient, and the remainder."""
    shift = ZERO
    while divisor >> np.uint64(63) == ZERO:
        divisor <<= ONE
        shift += ONE
    if shift > ZERO:
        high = (high << shift) | (low >> (np.uint64(64) - shift))
        low <<= shift
    first, rest = digit(high, low >> HALF, divisor)
    second, rest = digit(rest, low & LOW, divisor)
    return (first << HALF) | second, rest >> shift


@register_jitable
def digit(high, low, divisor):
    """One 32-bit digit of (high, low) / divisor: guessed from the leading digits, then corrected at most twice."""
    top, bottom = divisor >> HALF, divisor & LOW
    guess, rest = high // top, high % top
    while guess >= BASE or guess * bottom > ((rest << HALF) | low):
        guess -= ONE
        rest += top
        if rest >= BASE:
            break
    return guess, ((high << HALF) | low) - guess * divisor


@register_jitable
def muldiv(a, b, c, d, e):
    """floor(a*b*c / (d*e)), saturated, and whether there was a remainder; floor(floor(n/d)/e) is floor(n/(d*e))."""
    high, low = wide_product(np.uint64(a), np.uint64(b))
    over, low = wide_product(low, np.uint64(c))
    high = high * np.uint64(c) + over
    high, low, first_rest = divided(high, low, np.uint64(d))
    high, low, second_rest = divided(high, low, np.uint64(e))
    inexact = first_rest > ZERO or second_rest > ZERO
    if high > ZERO or low > LARGEST:
        return exact.LARGEST, inexact
    return np.int64(low), inexact


@overload(exact.muldiv_floor)
def compiled_muldiv_floor(a, b, d, c=1, e=1):
    def floor(a, b, d, c=1, e=1):
        return muldiv(a, b, c, d, e)[0]

    return floor


@overload(exact.muldiv_ceil)
def compiled_muldiv_ceil(a, b, d, c=1, e=1):
    def ceil(a, b, d, c=1, e=1):
        quotient, inexact = muldiv(a, b, c, d, e)
        if inexact and quotient < exact.LARGEST:
            return quotient + 1
        return quotient

    return ceil


@register_jitable
def signed_product(a, b):
    """The high word of a*b, signed, and its low word."""
    high, low = wide_product(np.uint64(a), np.uint64(b))
    if a < 0:
        high -= np.uint64(b)
    if b < 0:
        high -= np.uint64(a)
    return np.int64(high), low


@overload(exact.compare_products)
def compiled_compare_products(a, b, c, d):
    def compare(a, b, c, d):
        left_high, left_low = signed_product(a, b)
        right_high, right_low = signed_product(c, d)
        if left_high != right_high:
            return 1 if left_high > right_high else -1
        if left_low != right_low:
            return 1 if left_low > right_low else -1
        return 0

    return compare


for module in MODULES:
    for function in vars(module).values():
        if inspect.isfunction(function) and function.__module__ == module.__name__:
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
