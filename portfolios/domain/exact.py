"""Exact products of state values: the only functions with a compiled counterpart, because int64 wraps silently.

Inside the limits a product has up to 121 bits. A result above 2^63-1 saturates there, in Python as in compiled code.
"""

LARGEST = 2**63 - 1


def muldiv_floor(a: int, b: int, d: int, c: int = 1, e: int = 1) -> int:
    """floor(a*b*c / (d*e)) for a, b, c >= 0 and d, e > 0, at most 2^63-1."""
    return min(a * b * c // (d * e), LARGEST)


def muldiv_ceil(a: int, b: int, d: int, c: int = 1, e: int = 1) -> int:
    """ceil(a*b*c / (d*e)) for a, b, c >= 0 and d, e > 0, at most 2^63-1."""
    return min(-(-(a * b * c) // (d * e)), LARGEST)


def compare_products(a: int, b: int, c: int, d: int) -> int:
    """The sign of a*b - c*d: -1, 0 or 1. Operands may be negative."""
    left, right = a * b, c * d
    return (left > right) - (left < right)
