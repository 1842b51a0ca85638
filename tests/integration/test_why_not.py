"""What would have to differ, through the door: of what was written and of quiet minutes, and what then happens."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portfolios.domain.amounts import as_text, micros
from portfolios.models import Position
from portfolios.services.positions import pause
from tests.factories import NOON, bearer, make_portfolio, make_position, make_quote, make_user
from tests.integration.problems import problem
from tests.market import later, tick

pytestmark = pytest.mark.django_db
UNKNOWN = "0192a1b2-0000-7000-8000-000000000000"


def make_story() -> Position:
    """A quiet minute, a skip for its size, and a quiet minute again."""
    cell = make_position(anchor="100", min_notional="1200")
    for minute, price in enumerate(["100", "102.61", "103", "102.9"]):
        make_quote(price=price, at=later(minute))
        tick(cell)
    return cell


def rows(cell: Position) -> list[Any]:
    listed = Client(headers=bearer(cell.portfolio.owner)).get(f"/v1/positions/{cell.public_id}/timeline")
    return list(listed.json()["evaluations"])


def why(cell: Position, name: str) -> Any:
    return Client(headers=bearer(cell.portfolio.owner)).get(f"/v1/evaluations/{name}/why-not")


def found(cell: Position, name: str) -> dict[str, Any]:
    answer = why(cell, name).json()
    return {f"{row['input']} {row['direction']}": row for row in answer["differences"]}


def test_each_row_of_the_timeline_is_found_again_by_its_id() -> None:
    cell = make_story()
    listed = rows(cell)
    assert [row["computed"] for row in listed] == [True, True, False, True]
    client = Client(headers=bearer(cell.portfolio.owner))
    for row in listed:
        assert client.get(f"/v1/evaluations/{row['id']}").json() == row
        assert why(cell, row["id"]).json()["reason"] == row["reason"]


def test_a_skip_names_the_smallest_order_and_with_it_the_robot_trades() -> None:
    cell = make_story()
    skip = rows(cell)[2]
    assert skip["reason"] == "below_min_notional"
    differences = found(cell, skip["id"])
    assert differences["min_notional down"]["value"] == "985.436844"
    assert differences["min_notional down"]["side"] == "SELL"
    twin = make_position(
        make_portfolio(make_user("twin")),
        anchor="100",
        symbol="KO",
        min_notional=differences["min_notional down"]["value"],
    )
    make_quote("KO", "103", at=later(9))
    order = tick(twin)
    assert order is not None
    assert as_text(order.quantity) == differences["min_notional down"]["qty"]


def test_shut_gates_are_named() -> None:
    cell = make_position(anchor="100")
    pause(position_id=cell.pk, market_at=NOON, actor="user:ann", reason="so")
    make_quote(price="103")
    tick(cell)
    (skip,) = rows(cell)
    answer = why(cell, skip["id"]).json()
    assert answer["shut"] == [{"name": "paused", "value": "paused"}]
    assert [(row["input"], row["value"]) for row in answer["differences"] if row["value"]] == [("gates", "1")]


def test_what_traded_has_no_differences_and_what_set_the_anchor_none_that_help() -> None:
    cell = make_position()
    make_quote(price="100")
    tick(cell)
    make_quote(price="97", at=later(1))
    tick(cell)
    anchor, trade = rows(cell)
    assert why(cell, trade["id"]).json()["differences"] == []
    assert {row["value"] for row in why(cell, anchor["id"]).json()["differences"]} == {None}


@pytest.mark.parametrize(
    "name",
    [
        "1",
        "nonsense",
        UNKNOWN,
        f"{UNKNOWN}.1",
        f"{UNKNOWN}.q1",
        "{cell}.0",
        "{cell}.99",
        "{cell}.1",  # its creation: an event, but no evaluation
        "{cell}.q5",
        "{cell}.q99999999999999999",
        "{cell}.-1",
        "{cell}.1e3",
        "{cell}.٣",
        "{cell}.1%00",
    ],
)
def test_what_names_no_evaluation_is_not_there(name: str) -> None:
    cell = make_story()
    for tail in ("", "/why-not"):
        address = f"/v1/evaluations/{name.format(cell=cell.public_id)}{tail}"
        answer = Client(headers=bearer(cell.portfolio.owner)).get(address)
        assert problem(answer) == (404, "evaluation_not_found"), address


def test_a_strangers_is_as_unknown_as_none() -> None:
    cell = make_story()
    name = rows(cell)[2]["id"]
    stranger = Client(headers=bearer(make_user("eve")))
    there, not_there = (stranger.get(f"/v1/evaluations/{one}/why-not") for one in (name, f"{UNKNOWN}.3"))
    assert there.status_code == not_there.status_code == 404
    same = {key: value for key, value in there.json().items() if key not in ("instance", "request_id")}
    assert same == {key: value for key, value in not_there.json().items() if key not in ("instance", "request_id")}


def test_it_costs_the_same_however_long_the_log() -> None:
    counts = []
    for length in (4, 40):
        cell = make_position(make_portfolio(make_user(f"u{length}")), anchor="100", symbol=f"S{length}")
        for minute in range(length):
            make_quote(cell.symbol, f"{100 + minute % 2}", at=later(minute))
        name = rows(cell)[-1]["id"]
        client = Client(headers=bearer(cell.portfolio.owner))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(f"/v1/evaluations/{name}/why-not").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 16


def test_the_price_it_names_makes_the_robot_trade() -> None:
    cell = make_position(anchor="100")
    make_quote(price="101")
    tick(cell)
    (quiet,) = rows(cell)
    named = found(cell, quiet["id"])["price up"]
    assert (named["value"], named["side"]) == ("103", "SELL")
    make_quote(price=as_text(micros(named["value"]) - 1), at=later(1))
    assert tick(cell) is None
    make_quote(price=named["value"], at=later(2))
    order = tick(cell)
    assert order is not None
    assert as_text(order.quantity) == named["qty"]
