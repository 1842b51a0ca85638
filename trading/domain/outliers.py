"""Whether a price is believable after those before it, measured by how its source's prices go. Integers throughout.

A return is in ppm of the price before it. Times are microseconds. Variances are of a return over one cadence, in ppm
squared, and forget: of the newest KNOWN returns each counts about the same.
"""

from math import isqrt
from typing import NamedTuple

from portfolios.domain.amounts import PPM

FEW = 30  # so many returns must be known before they are the measure
FIRST = 100_000  # ppm; until then
DEVIATIONS = 10
MOST = 500_000  # ppm; more than that needs a second price whatever the returns were
TICKS = 10  # a price that stood still may move by so many ticks
KNOWN = 250
SESSION = 6.5 * 3_600 * 1_000_000  # a night, a weekend or a mute hour counts for no more than a session
DAY = 86_400 * 1_000_000


class Going(NamedTuple):
    """price: the last good one (micros), 0 for none, and when; doubted: an outlier that waits for a second price."""

    price: int = 0
    at: int = 0
    returns: int = 0
    variance: int = 0
    doubted: int = 0
    doubted_at: int = 0


def scaled(variance: int, passed: int, cadence: int) -> int:
    """Of a return over the time passed."""
    most = passed if cadence >= DAY else min(passed, int(SESSION))
    return variance * max(most, cadence) // cadence


def allowed(going: Going, price: int, passed: int, cadence: int, tick: int) -> int:
    """How far, in ppm, the next price may be from this one after that time."""
    if going.returns < FEW:
        return FIRST
    deviation = isqrt(scaled(going.variance, passed, cadence))
    return min(max(DEVIATIONS * deviation, TICKS * tick * PPM // price), MOST)


def away(price: int, base: int) -> int:
    """In ppm of the base, rounded up."""
    return -(-abs(price - base) * PPM // base)


def is_outlier(going: Going, price: int, at: int, cadence: int, tick: int) -> bool:
    """Whether it is too far from the last good one. A first price is compared with nothing: see `confirms`."""
    return away(price, going.price) > allowed(going, going.price, at - going.at, cadence, tick)


def confirms(going: Going, price: int, at: int, cadence: int, tick: int) -> bool:
    """Whether it is a second price, later than the doubted one and believable after it."""
    if not going.doubted or at <= going.doubted_at:
        return False
    return away(price, going.doubted) <= allowed(going, going.doubted, at - going.doubted_at, cadence, tick)


def doubting(going: Going, price: int, at: int) -> Going:
    return going._replace(doubted=price, doubted_at=at)


def after(going: Going, price: int, at: int, cadence: int, tick: int) -> Going:
    """With one more good price. A jump that was confirmed, and one over a longer time, is no return of the cadence."""
    passed = at - going.at
    counts = going.price and 0 < passed <= 2 * cadence and not is_outlier(going, price, at, cadence, tick)
    returns, variance = going.returns, going.variance
    if counts:
        returns += 1
        square = away(price, going.price) ** 2 * cadence // passed
        variance += (square - variance) // min(returns, KNOWN)
    return Going(price, at, returns, variance)


def rebased(going: Going, base: int) -> Going:
    """As if the last good price had been another: a split or dividend that is known explains the difference."""
    return going._replace(price=base)
