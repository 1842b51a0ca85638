"""Acts on a cell through the door: each an event with actor and reason, none that the cell cannot bear."""

from typing import Any

import pytest
from django.test import Client

from portfolios.models import Event, IdempotencyKey, Position
from tests.factories import bearer, make_position, make_quote
from tests.integration.problems import pointers, problem
from tests.market import assert_sound, story
from trading.domain.choices import Side
from trading.models import Order
from trading.services.ordering import place_order

pytestmark = pytest.mark.django_db
JSON = "application/json"
HUGE = "1000000000000"


@pytest.fixture
def cell() -> Position:
    """100 shares, 10,000 in cash, anchor 100, and a price of 100."""
    make_quote(price="100")
    return make_position(anchor="100")


@pytest.fixture
def client(cell: Position) -> Client:
    return Client(headers=bearer(cell.portfolio.owner))


def act(client: Client, cell: Position, door: str, body: dict[str, Any], **headers: str) -> Any:
    return client.post(f"/v1/positions/{cell.public_id}/{door}", body, JSON, headers=headers)


def last_event(cell: Position) -> Event:
    return Event.objects.of(cell).latest("seq")


ACTS: list[tuple[str, dict[str, Any], str, dict[str, str]]] = [
    ("deposit", {"amount": "250.5", "note": "salary"}, "deposited", {"cash": "10250.5"}),
    ("withdraw", {"amount": 10_000}, "withdrawn", {"cash": "0"}),
    ("adjust", {"qty": "-1.5", "cash": "150", "reason": "moved"}, "adjusted", {"qty": "98.5", "cash": "10150"}),
    ("adjust", {"qty": "-100", "reason": "moved away"}, "adjusted", {"qty": "0", "cash": "10000"}),
    ("anchor", {"price": "97.25", "reason": "a new start"}, "anchor_reset", {"anchor": "97.25"}),
    ("pause", {"reason": "holidays"}, "paused", {"state": "paused"}),
    ("close", {"reason": "done with it"}, "closed", {"state": "closed", "qty": "100", "cash": "10000"}),
]


@pytest.mark.parametrize(("door", "body", "kind", "after"), ACTS)
def test_an_act_is_one_event_with_its_actor_and_reason(
    client: Client, cell: Position, door: str, body: dict[str, Any], kind: str, after: dict[str, str]
) -> None:
    answer = act(client, cell, door, body)
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in after} == after
    event = last_event(cell)
    assert event.type == kind
    assert event.actor.startswith("token:")
    assert event.actor.endswith(" ann")
    why = body.get("reason", body.get("note", ""))
    assert event.content["inputs"].get("reason", event.content["inputs"].get("note")) == why
    assert_sound()


def test_a_paused_cell_goes_on_and_pausing_twice_changes_nothing(client: Client, cell: Position) -> None:
    for door in ("pause", "pause", "resume", "resume"):
        assert act(client, cell, door, {"reason": "so"}).status_code == 200
    assert story(cell) == ["paused", "resumed"]


BAD: list[tuple[str, dict[str, Any], int, str]] = [
    ("deposit", {}, 422, "invalid_fields"),
    ("deposit", {"amount": 0}, 422, "invalid_fields"),
    ("deposit", {"amount": "-1"}, 422, "invalid_fields"),
    ("deposit", {"amount": "1e3"}, 422, "invalid_fields"),
    ("deposit", {"amount": "0.0000001"}, 422, "invalid_fields"),
    ("deposit", {"amount": True}, 422, "invalid_fields"),
    ("deposit", {"amount": None}, 422, "invalid_fields"),
    ("deposit", {"amount": HUGE}, 422, "out_of_range"),
    ("deposit", {"amount": 1, "note": "a\nb"}, 422, "invalid_fields"),
    ("deposit", {"amount": 1, "note": "x" * 201}, 422, "invalid_fields"),
    ("deposit", {"amount": 1, "colour": "red"}, 422, "invalid_fields"),
    ("withdraw", {"amount": "10000.000001"}, 422, "insufficient_cash"),
    ("withdraw", {"amount": "0"}, 422, "invalid_fields"),
    ("adjust", {"qty": 1}, 422, "invalid_fields"),
    ("adjust", {"qty": 1, "reason": ""}, 422, "invalid_fields"),
    ("adjust", {"qty": 1, "reason": "  "}, 422, "invalid_reason"),
    ("adjust", {"qty": 1, "reason": 7}, 422, "invalid_fields"),
    ("adjust", {"reason": "nothing"}, 422, "out_of_range"),
    ("adjust", {"qty": 0, "cash": "0", "reason": "nothing"}, 422, "out_of_range"),
    ("adjust", {"qty": "-100.000001", "reason": "too much"}, 422, "insufficient_shares"),
    ("adjust", {"cash": "-10000.01", "reason": "too much"}, 422, "insufficient_cash"),
    ("adjust", {"cash": HUGE, "reason": "too much"}, 422, "out_of_range"),
    ("adjust", {"qty": HUGE, "reason": "too much"}, 422, "out_of_range"),
    ("adjust", {"cash": "--1", "reason": "odd"}, 422, "invalid_fields"),
    ("anchor", {"price": "100"}, 422, "invalid_fields"),
    ("anchor", {"price": 0, "reason": "none"}, 422, "invalid_fields"),
    ("anchor", {"price": "0.00009", "reason": "low"}, 422, "invalid_fields"),
    ("anchor", {"price": "1000000.01", "reason": "high"}, 422, "invalid_fields"),
    ("anchor", {"price": None, "reason": "none"}, 422, "invalid_fields"),
    ("pause", {}, 422, "invalid_fields"),
    ("pause", {"reason": None}, 422, "invalid_fields"),
    ("resume", {"reason": ["so"]}, 422, "invalid_fields"),
    ("close", {}, 422, "invalid_fields"),
    ("close", {"reason": "x" * 201}, 422, "invalid_fields"),
]


@pytest.mark.parametrize(("door", "body", "status", "code"), BAD)
def test_an_act_that_cannot_be_changes_nothing_and_uses_up_no_key(
    client: Client, cell: Position, door: str, body: dict[str, Any], status: int, code: str
) -> None:
    refused = act(client, cell, door, body, **{"Idempotency-Key": "k"})
    assert problem(refused) == (status, code)
    assert story(cell) == []
    assert not IdempotencyKey.objects.exists()


def test_what_an_open_order_is_promised_cannot_be_taken_away(client: Client, cell: Position) -> None:
    owner = cell.portfolio.owner
    place_order(position_id=cell.pk, side=Side.SELL, quantity=60_000_000, limit=None, author=owner, actor="x", key="x")
    assert problem(act(client, cell, "adjust", {"qty": "-41", "reason": "moved"})) == (422, "insufficient_shares")
    assert act(client, cell, "adjust", {"qty": "-40", "reason": "moved"}).json()["qty"] == "60"
    assert problem(act(client, cell, "close", {"reason": "done"})) == (409, "order_open")


def test_a_closed_cell_only_pays_out(client: Client, cell: Position) -> None:
    act(client, cell, "close", {"reason": "done"})
    assert act(client, cell, "close", {"reason": "again"}).status_code == 200
    for door, body in (("deposit", {"amount": 1}), ("adjust", {"qty": 1, "reason": "so"})):
        assert problem(act(client, cell, door, body)) == (409, "position_closed")
    assert problem(act(client, cell, "anchor", {"price": 1, "reason": "so"})) == (409, "position_closed")
    for door in ("pause", "resume"):
        assert problem(act(client, cell, door, {"reason": "so"})) == (409, "wrong_state")
    assert act(client, cell, "withdraw", {"amount": 10_000}).json()["cash"] == "0"
    assert story(cell) == ["closed", "withdrawn"]
    assert_sound()


def test_a_quarantined_cell_is_put_right_but_not_closed(client: Client, cell: Position) -> None:
    Position.objects.update(state="quarantined")
    assert problem(act(client, cell, "close", {"reason": "done"})) == (423, "quarantined")
    assert act(client, cell, "adjust", {"qty": "1", "reason": "as the broker has it"}).json()["qty"] == "101"


def test_money_moves_once_per_key_whatever_happened_since(client: Client, cell: Position) -> None:
    seen = client.get(f"/v1/positions/{cell.public_id}")["ETag"]
    headers = {"Idempotency-Key": "k", "If-Match": seen}
    first = act(client, cell, "deposit", {"amount": "5"}, **headers)
    again = act(client, cell, "deposit", {"amount": "5.00"}, **headers)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert problem(act(client, cell, "deposit", {"amount": 6}, **headers)) == (409, "idempotency_signature_mismatch")
    assert story(cell) == ["deposited"]


def test_who_looked_before_something_happened_is_told_to_look_again(client: Client, cell: Position) -> None:
    seen = client.get(f"/v1/positions/{cell.public_id}")["ETag"]
    assert seen == '"1"'
    paused = act(client, cell, "pause", {"reason": "holidays"}, **{"If-Match": seen})
    assert (paused.status_code, paused["ETag"]) == (200, '"2"')
    for stale in (seen, "W/" + paused["ETag"], '"x"', "nonsense", ""):
        refused = act(client, cell, "withdraw", {"amount": 1}, **{"If-Match": stale})
        assert problem(refused) == (412, "stale_position")
    for fresh in (paused["ETag"], "*", f'"9", {paused["ETag"]}'):
        cell.refresh_from_db()
        current = f'"{cell.event_seq}"' if fresh != "*" else "*"
        assert (
            act(client, cell, "withdraw", {"amount": 1}, **{"If-Match": fresh.replace('"2"', current)}).status_code
            == 200
        )


PREVIEWS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"side": "BUY", "qty": "10"},
        {"price": "100", "commission": "0.1", "cost": "1000.1", "reserves": "1000.1", "stock_share_after": "0.550002"},
    ),
    (
        {"side": "SELL", "qty": "10"},
        {"price": "100", "commission": "0.1", "cost": "999.9", "reserves": "0", "stock_share_after": "0.450002"},
    ),
    ({"side": "BUY", "qty": "10", "limit_price": "98"}, {"price": "98", "cost": "980.098", "warnings": []}),
    ({"side": "BUY", "qty": "60"}, {"warnings": ["above_guardrail"]}),
    ({"side": "SELL", "qty": "60"}, {"warnings": ["below_guardrail"]}),
]


@pytest.mark.parametrize(("body", "shown"), PREVIEWS)
def test_a_dry_run_says_what_an_order_would_come_to_and_places_none(
    client: Client, cell: Position, body: dict[str, Any], shown: dict[str, Any]
) -> None:
    answer = act(client, cell, "orders", body | {"dry_run": True})
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in shown} == shown
    assert not Order.objects.exists()
    assert story(cell) == []


def test_a_preview_without_a_price_says_it_waits() -> None:
    cell = make_position(symbol="ZIM")
    client = Client(headers=bearer(cell.portfolio.owner))
    answer = act(client, cell, "orders", {"side": "SELL", "qty": 1, "dry_run": True}).json()
    assert (answer["price"], answer["cost"], answer["warnings"]) == (None, None, ["no_price"])


def test_a_dry_run_is_refused_as_the_order_would_be(client: Client, cell: Position) -> None:
    refused = act(client, cell, "orders", {"side": "BUY", "qty": "100", "dry_run": True})
    assert problem(refused) == (422, "insufficient_cash")
    assert pointers(refused) == {"#/qty"}
    refused = act(client, cell, "orders", {"side": "BUY", "qty": "1", "dry_run": "yes"}, **{"Idempotency-Key": "k"})
    assert problem(refused) == (422, "invalid_fields")
