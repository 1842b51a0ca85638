"""Amounts as integer counts of millionths, and the one way in and out of text."""

import re
from decimal import Decimal

MICROS = 1_000_000
PPM = 1_000_000
MAX_AMOUNT = 10**18
MIN_PRICE = 100
MAX_PRICE = 10**12

AMOUNT_PATTERN = re.compile(r"-?\d{1,13}(\.\d{1,6})?")


def micros(value: str | int | Decimal) -> int:
    """Millionths of an amount in plain decimal notation, exactly.

    Raises ValueError for an exponent, more than 6 digits after the point, more than 10^12, or anything not a number.
    """
    text = plain_text(value)
    if not AMOUNT_PATTERN.fullmatch(text) or not text.isascii():
        raise ValueError("must be a plain number up to 1000000000000 with at most 6 digits after the point")
    whole, _, fraction = text.lstrip("-").partition(".")
    amount = int(whole) * MICROS + int(fraction.ljust(6, "0"))
    if amount > MAX_AMOUNT:
        raise ValueError("must be at most 1000000000000")
    return -amount if text.startswith("-") else amount


def plain_text(value: str | int | Decimal) -> str:
    """The number written out, or, where that would take a screenful, something no amount looks like."""
    if isinstance(value, Decimal) and abs(value.adjusted()) < 24:
        return format(value, "f")
    if isinstance(value, int) and value.bit_length() > 64:
        return "too large"
    return str(value)


def as_text(amount: int) -> str:
    """Plain decimal notation without needless zeros: 97_250_000 is "97.25", 100_000_000 is "100"."""
    if not amount:  # most of what the log holds
        return "0"
    whole, fraction = divmod(abs(amount), MICROS)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}.{fraction:06d}".rstrip("0").rstrip(".")


def as_dollars(amount: int) -> str:
    """Exact, with two decimals at least: 97_000_000 is "$97.00", 8_026_648_481 is "$8,026.648481"."""
    whole, _, fraction = as_text(abs(amount)).partition(".")
    return f"{'-' if amount < 0 else ''}${int(whole):,}.{fraction:0<2}"


def as_decimal(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-6)
