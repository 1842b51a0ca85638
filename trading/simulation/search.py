"""The next price at which a cell has to wake up, found at the speed of memory."""

import numpy as np

NEAR = 16  # prices worth a look one by one before this, as most triggers come soon or late
BLOCK = 256
COARSE, MOST = 100, 2**31 - 1  # micros of a coarse price, and more than any of them


def first_outside(prices: np.ndarray, coarse: np.ndarray, begin: int, end: int, below: int, above: int) -> int:
    """The first point from `begin` on with price <= below or price >= above; `end` if none.

    Whole blocks, each by comparisons that the compiler turns into wide instructions, then one by one.
    """
    at = begin
    if len(coarse) and below >= 0:
        low, high = coarse_band(below, above)
        while at + BLOCK <= end:
            hit = False
            block = coarse[at : at + BLOCK]
            for number in range(BLOCK):
                hit |= (block[number] <= low) | (block[number] >= high)
            if hit:
                break
            at += BLOCK
    while at < end:
        if prices[at] <= below or prices[at] >= above:
            return at
        at += 1
    return end


def coarse_band(below: int, above: int) -> tuple[np.int32, np.int32]:
    """The same band in counts of 0.0001. No coarse price is as large as the largest int32: nothing is ever above it."""
    return np.int32(min(below // COARSE, MOST)), np.int32(min(-(-above // COARSE), MOST))
