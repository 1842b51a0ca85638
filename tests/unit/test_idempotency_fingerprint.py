"""Which two requests are the same request."""

from decimal import Decimal
from typing import Any

import pytest

from portfolios.errors import Refused
from portfolios.services.idempotency import fingerprint_of, read_key


def fingerprint(body: Any, **other: str) -> str:
    asked = {"method": "POST", "route": "v1/positions/<uuid>/orders", "subject": "cell-1"} | other
    return fingerprint_of(body=body, **asked)


@pytest.mark.parametrize(
    "again",
    [
        {"qty": Decimal("1.50"), "side": "BUY"},
        {"side": "BUY", "qty": "1.5"},
        {"side": "BUY", "qty": "1.500000"},
        {"side": "BUY", "qty": "01.5"},
    ],
)
def test_the_same_order_written_differently_is_the_same(again: dict[str, Any]) -> None:
    assert fingerprint(again) == fingerprint({"side": "BUY", "qty": Decimal("1.5")})


@pytest.mark.parametrize(
    "other",
    [
        {"side": "SELL", "qty": Decimal("1.5")},
        {"side": "BUY", "qty": Decimal("-1.5")},
        {"side": "BUY", "qty": Decimal("15")},
        {"side": "BUY", "qty": Decimal("1.5"), "limit_price": None},
        [["side", "BUY"]],
        None,
    ],
)
def test_another_order_is_another(other: Any) -> None:
    assert fingerprint(other) != fingerprint({"side": "BUY", "qty": Decimal("1.5")})


def test_true_is_not_one_and_nothing_is_not_zero() -> None:
    prints = {fingerprint({"x": value}) for value in (True, 1, None, 0, "", False)}
    assert len(prints) == 6


def test_whole_numbers_keep_their_zeros() -> None:
    assert fingerprint({"qty": 100}) == fingerprint({"qty": Decimal("100.00")})
    assert fingerprint({"qty": 100}) != fingerprint({"qty": 1})


def test_the_same_body_for_another_cell_is_another_request() -> None:
    assert fingerprint({}) != fingerprint({}, subject="cell-2")


@pytest.mark.parametrize(("header", "key"), [("k1", "k1"), ('"k1"', "k1"), (" k1 ", "k1"), ("x" * 255, "x" * 255)])
def test_a_key_may_come_quoted_or_not(header: str, key: str) -> None:
    assert read_key(header) == key


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "idempotency_key_missing"),
        ("", "idempotency_key_missing"),
        ('""', "idempotency_key_missing"),
        ("x" * 256, "idempotency_key_invalid"),
        ("two words", "idempotency_key_invalid"),
        ("schlüssel", "idempotency_key_invalid"),
    ],
)
def test_a_key_that_is_none_is_refused(header: str | None, code: str) -> None:
    with pytest.raises(Refused) as caught:
        read_key(header)
    assert (caught.value.code, caught.value.status) == (code, 400)
