"""Which price decides: the last trade or the middle of bid and ask, and which prices are refused outright."""

from enum import IntEnum
from typing import NamedTuple

from portfolios.domain.amounts import MAX_PRICE, MIN_PRICE, PPM
from portfolios.domain.exact import compare_products


class PriceKind(IntEnum):
    LAST = 1
    MID = 2


class Refusal(IntEnum):
    NONE = 0
    OUT_OF_RANGE = 1
    CROSSED = 2
    OUT_OF_ORDER = 3
    STALE = 4
    FROM_THE_FUTURE = 5
    OUTLIER = 6
    UNCONFIRMED = 7
    CORRECTION = 8
    NOT_A_NUMBER = 9


class Chosen(NamedTuple):
    """The price to decide at (micros), where it came from, and 1 when it is too old to act on."""

    price: int
    kind: PriceKind
    stale: int


def refusal_of(last: int, bid: int, ask: int, older_than_newest: int) -> Refusal:
    """Why a price may not be used at all: it decides nothing and sets no anchor. bid and ask are 0 when unknown."""
    if last < MIN_PRICE or last > MAX_PRICE:
        return Refusal.OUT_OF_RANGE
    if bid < 0 or ask < 0 or (ask > 0 and bid > ask):
        return Refusal.CROSSED
    if older_than_newest:
        return Refusal.OUT_OF_ORDER
    return Refusal.NONE


def choose_price(last: int, bid: int, ask: int, age: int, max_age: int, max_last_to_mid: int) -> Chosen:
    """`last` while it is fresh and near the middle, else the middle. Ages in milliseconds, distance in ppm."""
    stale = 1 if age > max_age else 0
    if bid <= 0 or ask <= 0:
        return Chosen(last, PriceKind.LAST, stale)
    mid = (bid + ask) // 2
    near = compare_products(abs(last - mid), PPM, max_last_to_mid, mid) <= 0
    if near and not stale:
        return Chosen(last, PriceKind.LAST, stale)
    return Chosen(mid, PriceKind.MID, stale)
