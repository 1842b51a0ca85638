"""The ladder through the door, and walked through the real services: what was shown is what happens."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from portfolios.domain.amounts import as_text
from portfolios.models import Position
from tests.factories import NOON, bearer, make_position, make_quote
from tests.integration.problems import pointers, problem
from tests.market import assert_sound, tick
from trading.domain.choices import Side
from trading.models import Order

pytestmark = pytest.mark.django_db


@pytest.fixture
def cell() -> Position:
    """A small one, so that the guardrail comes into sight."""
    make_quote(price="100")
    return make_position(shares="100", cash="5000", anchor="100", max_orders_per_day=100)


def ladder(cell: Position, query: str = "") -> Any:
    return Client(headers=bearer(cell.portfolio.owner)).get(f"/v1/positions/{cell.public_id}/ladder{query}")


def test_the_ladder_shows_price_size_and_what_is_left_after_each_order(cell: Position) -> None:
    shown = ladder(cell).json()
    assert (shown["price"], shown["position_id"]) == ("100", str(cell.public_id))
    assert [rung["price"] for rung in shown["sells"]["rungs"]] == [
        "103",
        "106.09",
        "109.2727",
        "112.550881",
        "115.927408",
    ]
    first = shown["buys"]["rungs"][0]
    assert (first["side"], first["price"], first["qty"], first["reason"]) == ("BUY", "97", "7.811669", "trigger_down")
    assert (first["qty_after"], first["cash_after"], first["anchor_after"]) == ("107.811669", "4242.192333", "97")
    assert (first["ends"], first["fired"]) == (None, False)
    assert shown["buys"]["guardrail_at"] == "94.09"
    assert shown["buys"]["rungs"][-1]["ends"] == "below_min_notional"
    assert shown["buys"]["short_at"] is None


def test_its_first_rungs_are_what_the_card_shows(cell: Position) -> None:
    shown = ladder(cell, "?rungs=1").json()
    card = Client(headers=bearer(cell.portfolio.owner)).get(f"/v1/positions/{cell.public_id}").json()
    for way, name in (("buys", "next_buy"), ("sells", "next_sell")):
        (rung,) = shown[way]["rungs"]
        assert {field: rung[field] for field in card[name]} == card[name]


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
@pytest.mark.parametrize("settings", [{}, {"sizing": "proportional", "commission_min": "1"}, {"fractional": False}])
def test_moving_the_price_to_each_rung_makes_the_robot_do_what_was_shown(side: Side, settings: dict[str, Any]) -> None:
    """Through the real services and the paper broker; a micro before each rung, nothing."""
    make_quote(price="100")
    cell = make_position(shares="100", cash="5000", anchor="100", max_orders_per_day=100, **settings)
    rungs = ladder(cell, "?rungs=6").json()["buys" if side == Side.BUY else "sells"]["rungs"]
    traded = [rung for rung in rungs if rung["ends"] is None]
    assert len(traded) >= 2
    at = NOON
    for rung in traded:
        price = int(rung["price"].replace(".", "").ljust(len(rung["price"].partition(".")[0]) + 6, "0"))
        for step in (1 if side == Side.BUY else -1, 0):
            at += timedelta(minutes=1)
            make_quote(price=as_text(price + step), at=at)
            order = tick(cell)
            assert (order is None) == (step != 0)
        assert order
        assert (order.side, as_text(order.quantity), as_text(order.fee)) == (side.name, rung["qty"], rung["commission"])
        assert (as_text(cell.shares), as_text(cell.cash)) == (rung["qty_after"], rung["cash_after"])
        assert as_text(cell.anchor) == rung["anchor_after"] == rung["price"]
    assert Order.objects.count() == len(traded)
    assert_sound()


def test_without_anchor_or_price_there_is_nothing_to_climb() -> None:
    cell = make_position(symbol="ZIM", shares="0")
    nothing = {"rungs": [], "guardrail_at": None, "short_at": None}
    shown = ladder(cell).json()
    assert (shown["price"], shown["price_at"], shown["buys"], shown["sells"]) == (None, None, nothing, nothing)


@pytest.mark.parametrize(
    ("query", "at_fault"),
    [
        ("rungs=0", "rungs"),
        ("rungs=21", "rungs"),
        ("rungs=-1", "rungs"),
        ("rungs=x", "rungs"),
        ("rungs=1.5", "rungs"),
        ("rungs=", "rungs"),
        ("rungs=1&rungs=2", "rungs"),
        ("colour=red", "colour"),
    ],
)
def test_a_ladder_asked_for_wrongly_is_refused(cell: Position, query: str, at_fault: str) -> None:
    refused = ladder(cell, f"?{query}")
    assert problem(refused) == (400, "invalid_parameters")
    assert pointers(refused) == {at_fault}


def test_twenty_rungs_cost_no_more_queries_than_one(cell: Position, django_assert_num_queries: Any) -> None:
    client = Client(headers=bearer(cell.portfolio.owner))
    client.get("/v1/positions")  # the token's first use is written down
    for rungs in (1, 20):
        with django_assert_num_queries(5):  # who, which cell, its price, its clock, its splits
            client.get(f"/v1/positions/{cell.public_id}/ladder?rungs={rungs}")
