"""Amounts as integer counts of millionths, and the one way in and out of text."""

import re
from decimal import Decimal

MICROS = 1_000_000
PPM = 1_000_000
MAX_AMOUNT = 10**18
MIN_PRICE = 100
MAX_PRICE = 10**12

AMOUNT_PATTERN = re.compile(r"-?\d{1,12}(\.\d{1,6})?")


def micros(value: str | int | Decimal) -> int:
    """Millionths of an amount in plain decimal notation, exactly.

    Raises ValueError for an exponent, more than 12 digits before or 6 after the point, or anything not a number.
    """
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    if not AMOUNT_PATTERN.fullmatch(text) or not text.isascii():
        raise ValueError("must be a plain number with at most 12 digits before and 6 after the point")
    whole, _, fraction = text.lstrip("-").partition(".")
    amount = int(whole) * MICROS + int(fraction.ljust(6, "0"))
    return -amount if text.startswith("-") else amount


def as_text(amount: int) -> str:
    """Plain decimal notation without needless zeros: 97_250_000 is "97.25", 100_000_000 is "100"."""
    whole, fraction = divmod(abs(amount), MICROS)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}.{fraction:06d}".rstrip("0").rstrip(".")


def as_decimal(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-6)
