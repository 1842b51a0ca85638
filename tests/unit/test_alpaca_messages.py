"""What a message of Alpaca's stream says, and what says nothing that could be booked."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from portfolios.domain.amounts import MICROS, micros
from trading.brokers.alpaca.fills import activity, without_gaps
from trading.brokers.alpaca.news import told
from trading.brokers.alpaca.words import STATES, instant
from trading.brokers.base import BadMessage, BrokerSilent, Fill, UnknownType
from trading.domain.choices import Side
from trading.domain.costs import OURS
from trading.sockets import LONGEST, pause

AT = "2026-03-02T15:04:05.123456789Z"
ORDER = {
    "id": "61e69015-8549-4bfd-b9c3-01e75843f47d",
    "client_order_id": "vb-1",
    "symbol": "IBM",
    "side": "buy",
    "qty": "10",
    "filled_qty": "7.5",
    "status": "partially_filled",
    "submitted_at": AT,
}
FILL = {"event": "partial_fill", "timestamp": AT, "price": "97.123", "qty": "2.5", "execution_id": "x"}


def message(order: dict[str, Any] | None = None, **data: Any) -> str:
    return json.dumps({"stream": "trade_updates", "data": FILL | {"order": ORDER | (order or {})} | data})


def test_a_fill_is_named_by_the_total_it_leaves() -> None:
    news = told(message())
    assert news
    at = datetime(2026, 3, 2, 15, 4, 5, 123456, tzinfo=UTC)
    assert news.fill == Fill(f"{ORDER['id']}@7.5", micros("2.5"), micros("97.123"), OURS, at)
    assert (news.client_order_id, news.symbol, news.side) == ("vb-1", "IBM", Side.BUY)
    assert (news.status, news.total, news.before) == ("partially_filled", micros("7.5"), 5 * MICROS)


def test_the_list_of_activities_calls_it_the_same() -> None:
    line = {
        "id": "20260302150405123::9f", "order_id": ORDER["id"], "symbol": "IBM", "side": "buy", "cum_qty": "7.5",
        "qty": "2.5", "price": "97.123", "transaction_time": AT,
    }  # fmt: skip
    news = told(message())
    assert news
    assert activity(line).fill == news.fill
    earlier = activity(line | {"cum_qty": "5", "qty": "5"})
    assert [one.total for one in without_gaps([activity(line), earlier, earlier])] == [5 * MICROS, micros("7.5")]
    assert without_gaps([activity(line)]) == []


@pytest.mark.parametrize("state", sorted(STATES))
def test_each_state_is_told(state: str) -> None:
    news = told(message({"status": state, "filled_qty": "0"}, event="new"))
    assert news
    assert (news.status, news.total, news.fill, news.before) == (STATES[state], 0, None, -1)


@pytest.mark.parametrize("event", ["trade_whispered", "??"])
def test_what_nobody_knows_yet_is_parked(event: str) -> None:
    with pytest.raises(UnknownType):
        told(message(event=event))
    with pytest.raises(UnknownType, match="bewitched"):
        told(message({"status": "bewitched"}))


def test_orders_that_are_not_ours_say_nothing() -> None:
    assert told(message({"client_order_id": "mine-by-hand"}, event="restated")) is None


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        '{"stream":"trade_updates"}',
        '{"stream":"trade_updates","data":[]}',
        '{"stream":"trade_updates","stream":"x","data":{}}',
        '{"stream":"listening","data":{"streams":[]}}',
        message(order={"side": "short"}),
        message(order={"filled_qty": "-1"}),
        message(order={"filled_qty": "1e5"}, qty="1e6"),
        message(order={"filled_qty": 7.5}, qty=True),
        message(order={"filled_qty": "NaN"}),
        message(order={"id": ""}),
        message(order={"client_order_id": None}),
        message(order={"submitted_at": "yesterday"}),
        message(qty="0"),
        message(qty="8"),
        message(qty=None),
        message(price="0"),
        message(price="1000001"),
        message(price="Infinity"),
        message(timestamp="2026-13-02T15:04:05Z"),
        message(timestamp=None),
        message() + "x",
        message(order={"symbol": "IBM\u0000"}),
        message(order={"symbol": "\ud800"}),
        "[" * 100_000,
    ],
)
def test_what_cannot_be_understood_is_bad(body: str) -> None:
    with pytest.raises(BadMessage):
        told(body)


@pytest.mark.parametrize("text", ["2026-03-02", "2026-03-02 15:04:05Z", "2026-03-02T15:04:05", 5, None, ""])
def test_what_is_no_instant(text: Any) -> None:
    with pytest.raises(BrokerSilent):
        instant({"at": text}, "at")


def test_attempts_grow_rarer_and_never_meet() -> None:
    pauses = [pause(failures) for failures in range(40)]
    assert all(0.5 <= one <= LONGEST for one in pauses)
    assert max(pauses[:3]) < 8 < min(pauses[10:])
    assert len(set(pauses)) == 40
