"""A split n for m: at the exactly adjusted price nothing triggers."""

from typing import NamedTuple

from portfolios.domain.amounts import MICROS
from portfolios.domain.exact import muldiv_floor


class SplitHolding(NamedTuple):
    """Micro-shares kept, anchor after, and cash in lieu of the fraction that cannot be held (micros)."""

    shares: int
    anchor: int
    cash_in_lieu: int


def split_holding(
    shares: int, anchor: int, lot: int, numerator: int, denominator: int, last_close: int
) -> SplitHolding:
    """shares floor(S*n/m); anchor to the nearest micro of anchor*m/n; the rest of a lot at the adjusted last close."""
    adjusted = muldiv_floor(shares, numerator, denominator)
    rest = adjusted % lot
    moved = muldiv_floor(2 * anchor * denominator + numerator, 1, 2 * numerator)
    in_lieu = muldiv_floor(rest, last_close, MICROS, denominator, numerator)
    return SplitHolding(adjusted - rest, moved, in_lieu)


def split_later(before: int, late: int, lot: int, numerator: int, denominator: int, last_close: int) -> tuple[int, int]:
    """What `late` micro-shares (below zero: sold), which a holder of `before` had as well, have become by a split, and
    the cash in lieu (micros) of them: the difference to what was booked, so that all ends as had they come in time.
    """
    had, has = (
        split_holding(max(shares, 0), 0, lot, numerator, denominator, last_close) for shares in (before, before + late)
    )
    missing = -muldiv_floor(max(-before - late, 0), numerator, denominator)  # sold, and never had
    return has.shares + missing - had.shares, has.cash_in_lieu - had.cash_in_lieu
