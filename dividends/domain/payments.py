"""A dividend: what a holder is entitled to on the ex-date, and what that does to the anchor."""

from typing import NamedTuple

from portfolios.domain.amounts import MICROS, PPM
from portfolios.domain.exact import muldiv_ceil, muldiv_floor


class Payment(NamedTuple):
    """In micros; net goes ex as a receivable and is paid as cash."""

    gross: int
    tax: int
    net: int


def payment_for(shares: int, per_share: int, withholding: int) -> Payment:
    """gross = floor(S*dps), tax = ceil(gross*withholding)."""
    gross = muldiv_floor(shares, per_share, MICROS)
    tax = muldiv_ceil(gross, withholding, PPM)
    return Payment(gross, tax, gross - tax)


def anchor_ex_dividend(anchor: int, per_share: int) -> int:
    """The anchor falls by the dividend; one that would not stay above zero becomes absent (0)."""
    return max(anchor - per_share, 0)
