"""What a message of a broker must look like; what does not is refused with a reason, never guessed at."""

import json
from typing import Any

import pytest

from portfolios.domain.amounts import micros
from tests.deliveries import AT
from trading.brokers.base import BadMessage, UnknownType
from trading.domain.choices import Side
from trading.domain.costs import OURS
from trading.services.news import read_news

ORDER = {"client_order_id": "vb-1", "symbol": "IBM", "side": "BUY", "at": AT}
FILL = ORDER | {"execution_id": "x1", "quantity": "4", "price": "97.25"}
TOTAL = ORDER | {"status": "partially_filled", "filled_quantity": "4", "average_price": "97"}


def message(kind: str, data: Any, **more: Any) -> str:
    return json.dumps({"type": kind, "timestamp": AT, "data": data} | more)


def test_a_fill_is_read_to_the_last_micro() -> None:
    news = read_news(message("execution.filled", FILL | {"commission": "0.000001"}))
    assert news
    assert (news.client_order_id, news.symbol, news.side, news.total) == ("vb-1", "IBM", Side.BUY, -1)
    assert news.fill
    assert (news.fill.quantity, news.fill.price, news.fill.commission) == (4_000_000, micros("97.25"), 1)


def test_a_fee_that_is_not_told_is_ours() -> None:
    news = read_news(message("execution.filled", FILL | {"commission": None}))
    assert news
    assert news.fill
    assert news.fill.commission == OURS


def test_a_bust_is_a_correction_to_nothing() -> None:
    news = read_news(message("execution.busted", ORDER | {"replaces": "x1"}))
    assert news
    assert news.fill
    assert (news.fill.execution_id, news.fill.quantity, news.fill.replaces) == ("x1-bust", 0, "x1")


def test_a_heartbeat_says_nothing_of_any_order() -> None:
    assert read_news(json.dumps({"type": "heartbeat", "timestamp": AT})) is None


def test_an_unknown_type_is_not_a_bad_message() -> None:
    with pytest.raises(UnknownType, match="order\\.greeted"):
        read_news(message("order.greeted", {"whatever": 1}))


BAD: list[tuple[str, str]] = [
    ("", "not acceptable JSON"),
    ("{", "not acceptable JSON"),
    ("[" * 5_000, "too deep"),
    ('{"type": "heartbeat", "type": "heartbeat"}', "given twice"),
    ('{"type": "heartbeat", "timestamp": NaN}', "is not a number"),
    ('"\\ud800"', "characters that are none"),
    ("null", "message is no object"),
    ("[]", "message is no object"),
    ("{}", "timestamp"),
    ('{"type": "heartbeat"}', "timestamp"),
    ('{"type": "heartbeat", "timestamp": "2007-01-03"}', "timestamp"),
    ('{"type": "heartbeat", "timestamp": "2007-01-03T17:00:00"}', "timestamp"),
    ('{"type": "heartbeat", "timestamp": "0001-01-01T00:00:00+14:00"}', "timestamp is no instant"),
    ('{"type": "heartbeat", "timestamp": "2007-02-31T17:00:00Z"}', "timestamp is no instant"),
    ('{"type": "heartbeat", "timestamp": 1}', "timestamp"),
    (json.dumps({"type": ["heartbeat"], "timestamp": AT}), "type"),
    (json.dumps({"type": "x" * 65, "timestamp": AT}), "type"),
    (message("heartbeat", None, more=1), "'more' is no field of message"),
    (message("order.updated", None), "data is no object"),
    (message("order.updated", []), "data is no object"),
    (message("order.updated", TOTAL | {"colour": "red"}), "'colour' is no field of data"),
]
MISSING = [
    ("order.updated", TOTAL, ("client_order_id", "symbol", "side", "at", "status", "filled_quantity", "average_price")),
    ("execution.filled", FILL, ("client_order_id", "symbol", "side", "at", "execution_id", "quantity", "price")),
    ("execution.corrected", FILL | {"replaces": "x0"}, ("execution_id", "quantity", "price", "replaces")),
    ("execution.busted", ORDER | {"replaces": "x0"}, ("client_order_id", "replaces")),
]
BAD += [
    (message(kind, {key: value for key, value in whole.items() if key != name}), f"{name} is missing")
    for kind, whole, names in MISSING
    for name in names
]
WRONG: list[tuple[str, list[Any]]] = [
    ("client_order_id", ["", 1, [], "with space", "é", "x" * 65]),
    ("symbol", ["", "ibm", "IBM ", 1, "X" * 13]),
    ("side", ["buy", "", 1, ["BUY"], {}]),
    ("at", ["", "noon", 0, "2007-01-03T17:00:00", "2007-01-03 17:00:00Z", "٢٠٠٧-01-03T17:00:00Z"]),
    ("execution_id", ["", 1, "a b", "x" * 65]),
    ("quantity", ["0", "-1", 4, 4.0, "4e0", "NaN", "0.0000001", "1000000000001", "٤", " 4", "", True, []]),
    ("price", ["0", "0.00009", "-1", 97, "1000000.01", "1e2", "Infinity", ""]),
    ("commission", ["-0.01", 1, "free", "1000000000001"]),
    ("status", ["done", "FILLED", 1, []]),
    ("filled_quantity", ["-1", 4, "four"]),
    ("average_price", ["0", 97, "1000001"]),
    ("replaces", ["x0"]),
]
BAD += [(message("execution.filled", FILL | {name: value}), name) for name, values in WRONG for value in values]
BAD += [
    (message("order.updated", TOTAL | {"price": "97"}), "execution_id is missing"),
    (message("order.updated", TOTAL | {"commission": "1"}), "execution_id is missing"),
    (message("execution.corrected", FILL | {"replaces": "x1"}), "replaces names itself"),
    (message("execution.corrected", FILL | {"replaces": "x0", "quantity": "0"}), "quantity"),
]


@pytest.mark.parametrize(("body", "why"), BAD)
def test_what_cannot_be_read_is_refused_with_the_reason(body: str, why: str) -> None:
    with pytest.raises(BadMessage, match=why):
        read_news(body)
