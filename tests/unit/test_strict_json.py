"""Bodies that two programs could read in two ways are refused before anybody acts on them."""

from decimal import Decimal

import pytest

from portfolios.strict_json import MAX_DEPTH, parse_json, reason


def refusal(raw: bytes) -> str:
    with pytest.raises((ValueError, RecursionError)) as caught:
        parse_json(raw)
    return reason(caught.value)


def test_a_number_keeps_every_digit_it_came_with() -> None:
    assert parse_json(b'{"qty": 0.1, "n": 3}') == {"qty": Decimal("0.1"), "n": 3}


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b'{"qty": 1, "qty": 2}', "twice"),
        (b'{"a": {"b": 1, "b": 1}}', "'b' is given twice"),
        (b'{"\\ud800": 1, "\\ud800": 1}', r"'\ud800' is given twice"),
        (b'{"qty": NaN}', "NaN"),
        (b'{"qty": -Infinity}', "Infinity"),
        (b'{"qty": 1e3}', "exponent"),
        (b'{"qty": 1.5E-3}', "exponent"),
        (b'{"qty": 0.' + b"1" * 50 + b"}", "too long"),
        (b'{"qty": ' + b"1" * 5000 + b"}", "too long"),
        (b'{"ticker": "\xff"}', "UTF-8"),
        (b'{"ticker": "\\u0000"}', "characters"),
        (b'{"ticker": "\\ud800"}', "characters"),
        (b'{"\\ud800": 1}', "characters"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "too deep"),
        (b"[" * 60_000, "too deep"),
        (b'{"qty": 1', ""),
        (b"", ""),
        (b"\xef\xbb\xbf{}", ""),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(raw: bytes, why: str) -> None:
    assert why in refusal(raw)


def test_sixty_four_levels_are_still_read() -> None:
    assert parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
