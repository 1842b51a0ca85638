"""The exact products as machine code, in 128 bits. Imports numba: only `machine` imports this.

A quotient is guessed in floating point, which is right to one unit below 2^49, and settled by its exact remainder.
Larger ones are found in two digits of 32 bits.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from portfolios.domain.exact import LARGEST

WORD, DOUBLE = ir.IntType(64), ir.IntType(128)
GUESSABLE = float(2**49)
NARROW = 2**61  # a remainder up to one of these too large or too small is right in 64 bits, whatever overflowed
TOO_LARGE = 9.3e18  # well above 2^63
TWO_32, TWO_64 = float(2**32), float(2**64)


def joined(build: Any, high: Any, low: Any) -> Any:
    shifted = build.shl(build.zext(high, DOUBLE), ir.Constant(DOUBLE, 64))
    return build.or_(shifted, build.zext(low, DOUBLE))


def halves(build: Any, value: Any) -> tuple[Any, Any]:
    return build.trunc(build.lshr(value, ir.Constant(DOUBLE, 64)), WORD), build.trunc(value, WORD)


@intrinsic
def product(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """(high, low) of a*b*c."""

    def generate(context: Any, build: Any, signature: Any, given: Any) -> Any:
        x, y, z = (build.zext(value, DOUBLE) for value in given)
        parts = halves(build, build.mul(build.mul(x, y), z))
        return context.make_tuple(build, signature.return_type, parts)

    return types.UniTuple(types.int64, 2)(types.int64, types.int64, types.int64), generate


@intrinsic
def settled(typing: Any, n_high: Any, n_low: Any, d_high: Any, d_low: Any, guess: Any) -> Any:
    """(n // d, high and low of n % d) for a guess that is at most one off."""

    def generate(context: Any, build: Any, signature: Any, given: Any) -> Any:
        n, d, quotient = joined(build, *given[0:2]), joined(build, *given[2:4]), given[4]
        one = ir.Constant(WORD, 1)
        rest = build.sub(n, build.mul(build.zext(quotient, DOUBLE), d))
        over = build.icmp_signed("<", rest, ir.Constant(DOUBLE, 0))
        rest = build.select(over, build.add(rest, d), rest)
        quotient = build.select(over, build.sub(quotient, one), quotient)
        under = build.icmp_signed(">=", rest, d)
        rest = build.select(under, build.sub(rest, d), rest)
        quotient = build.select(under, build.add(quotient, one), quotient)
        return context.make_tuple(build, signature.return_type, (quotient, *halves(build, rest)))

    return types.UniTuple(types.int64, 3)(*[types.int64] * 5), generate


@intrinsic
def quotient_of(typing: Any, n: Any, d: Any) -> Any:
    """n // d for n >= 0 and d > 0: the bare instruction, or a multiplication where d is a constant."""

    def generate(context: Any, build: Any, signature: Any, given: Any) -> Any:
        return build.udiv(*given)

    return types.int64(types.int64, types.int64), generate


@intrinsic
def sign_of_difference(typing: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """-1, 0 or 1 as a*b is below, at or above c*d."""

    def generate(context: Any, build: Any, signature: Any, given: Any) -> Any:
        p, q, r, s = (build.sext(value, DOUBLE) for value in given)
        left, right = build.mul(p, q), build.mul(r, s)
        above = build.zext(build.icmp_signed(">", left, right), WORD)
        return build.sub(above, build.zext(build.icmp_signed("<", left, right), WORD))

    return types.int64(*[types.int64] * 4), generate


@njit
def as_float(high: int, low: int) -> float:
    return np.float64(high) * TWO_64 + np.float64(np.uint64(low))


@njit
def large_quotient(n_high: int, n_low: int, d_high: int, d_low: int, guess: float) -> Any:
    if guess >= TOO_LARGE:
        return LARGEST, 0, 0
    shifted = (d_high << 32) | ((d_low >> 32) & 0xFFFFFFFF)
    first, n_high, n_low = settled(n_high, n_low, shifted, d_low << 32, np.int64(guess / TWO_32))
    if first >= 2**31:
        return LARGEST, 0, 0
    rest = as_float(n_high, n_low) / as_float(d_high, d_low)
    second, n_high, n_low = settled(n_high, n_low, d_high, d_low, np.int64(rest))
    return (first << 32) + second, n_high, n_low


@njit
def divided(a: int, b: int, c: int, d: int, e: int) -> Any:
    """(a*b*c // (d*e), high and low of the remainder); LARGEST where it would be more."""
    d_high, d_low = product(d, e, 1)
    guess = (np.float64(a) * np.float64(b) * np.float64(c)) / (np.float64(d) * np.float64(e))
    if guess < GUESSABLE and d_high == 0 and 0 < d_low < NARROW:
        quotient = np.int64(guess)
        rest = a * b * c - quotient * d_low
        if rest < 0:
            return quotient - 1, 0, rest + d_low
        if rest >= d_low:
            return quotient + 1, 0, rest - d_low
        return quotient, 0, rest
    n_high, n_low = product(a, b, c)
    if guess < GUESSABLE:
        return settled(n_high, n_low, d_high, d_low, np.int64(guess))
    return large_quotient(n_high, n_low, d_high, d_low, guess)


@intrinsic
def called(typing: Any, a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
    """`divided`, never copied into its caller: it is rarely needed, and the copies took most of the compiling."""
    answer = types.UniTuple(types.int64, 3)(*[types.int64] * 5)

    def generate(context: Any, build: Any, signature: Any, given: Any) -> Any:
        division = context.compile_subroutine(build, divided.py_func, answer)
        result = context.call_internal(build, division.fndesc, answer, given)
        for block in build.function.blocks:
            for instruction in block.instructions:
                if isinstance(instruction, ir.CallInstr) and instruction.callee.name == division.fndesc.mangled_name:
                    instruction.attributes.add("noinline")
        return result

    return answer, generate


def muldiv_floor(a: int, b: int, d: int, c: int = 1, e: int = 1) -> Any:
    def exactly(a: int, b: int, d: int, c: int = 1, e: int = 1) -> int:
        high, numerator = product(a, b, c)
        wide, denominator = product(d, e, 1)
        if (high | wide) == 0 and numerator >= 0 and denominator > 0:
            return quotient_of(numerator, denominator)  # type: ignore[no-any-return]
        return called(a, b, c, d, e)[0]  # type: ignore[no-any-return]

    return exactly


def muldiv_ceil(a: int, b: int, d: int, c: int = 1, e: int = 1) -> Any:
    def exactly(a: int, b: int, d: int, c: int = 1, e: int = 1) -> int:
        high, numerator = product(a, b, c)
        wide, denominator = product(d, e, 1)
        if (high | wide) == 0 and numerator >= 0 and denominator > 0:
            quotient = quotient_of(numerator, denominator)
            if quotient * denominator < numerator:
                quotient += 1
            return quotient  # type: ignore[no-any-return]
        quotient, high, low = called(a, b, c, d, e)
        if (high | low) != 0 and quotient < LARGEST:
            quotient += 1
        return quotient  # type: ignore[no-any-return]

    return exactly


def compare_products(a: int, b: int, c: int, d: int) -> Any:
    def exactly(a: int, b: int, c: int, d: int) -> int:
        return sign_of_difference(a, b, c, d)  # type: ignore[no-any-return]

    return exactly
