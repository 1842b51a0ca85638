"""Proposals through the API: listed, approved, dismissed; by whom, and what is said where it is too late."""

import json
from typing import Any

import pytest
from django.test import Client

from portfolios.models import Event, Position, User
from tests.factories import bearer, make_portfolio, make_quote, make_user
from tests.integration.browsing import signed_in
from tests.integration.problems import problem
from tests.market import later, make_fallen_cell
from trading.models import Order
from trading.services.evaluation import evaluate_position
from trading.services.proposals import set_approve_first

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def cell() -> Position:
    portfolio = make_portfolio(make_user("ann"), bob="viewer", cat="trader")
    set_approve_first(portfolio_id=portfolio.pk, on=True, actor="user:ann")
    return make_fallen_cell(portfolio=portfolio)


@pytest.fixture
def order(cell: Position) -> Order:
    order = evaluate_position(position_id=cell.pk).order
    assert order is not None
    return order


@pytest.fixture
def client(cell: Position) -> Client:
    return Client(headers=bearer(cell.portfolio.owner))


def post(client: Client, order: Order, door: str, body: Any = None, **headers: str) -> Any:
    return client.post(f"/v1/orders/{order.public_id}/{door}", json.dumps(body or {}), JSON, headers=headers)


def test_proposals_are_listed_and_one_is_approved(client: Client, order: Order) -> None:
    (listed,) = client.get("/v1/orders", {"status": "proposed"}).json()["results"]
    assert (listed["order_id"], listed["expires_at"]) == (str(order.public_id), "2007-01-03T18:00:00Z")
    for _ in range(2):
        assert post(client, order, "approve").json()["status"] == "new"
    assert client.get("/v1/orders", {"status": "proposed"}).json()["results"] == []


def test_a_key_answers_the_same_and_means_the_same(client: Client, order: Order) -> None:
    first, again = (post(client, order, "approve", **{"Idempotency-Key": "once"}) for _ in range(2))
    assert first.content == again.content
    assert Event.objects.filter(type="order_intent").count() == 1


def test_too_late_is_said_and_the_proposal_has_ended(client: Client, order: Order) -> None:
    make_quote("IBM", "96", at=later(1))
    for headers in ({}, {"Idempotency-Key": "k"}, {"Idempotency-Key": "k"}):
        answer = post(client, order, "approve", **headers)
        assert problem(answer) == (409, "proposal_expired")
        assert answer.json()["detail"] == "Not sent: 97 became 96."
    order.refresh_from_db()
    assert order.status == "expired"


def test_one_is_dismissed_with_a_reason(client: Client, order: Order) -> None:
    for _ in range(2):
        assert post(client, order, "dismiss", {"reason": "not today"}).json()["status"] == "cancelled"
    assert problem(post(client, order, "approve")) == (409, "not_proposed")


def test_traders_approve_and_viewers_look_on(order: Order) -> None:
    assert problem(post(signed_in_as("bob"), order, "approve")) == (403, "read_only")
    assert post(signed_in_as("cat"), order, "approve").json()["status"] == "new"


def signed_in_as(name: str) -> Client:
    return signed_in(User.objects.get(username=name))


def test_strangers_find_nothing(order: Order) -> None:
    stranger = signed_in(make_user("dan"))
    for door in ("approve", "dismiss"):
        assert problem(post(stranger, order, door, {"reason": "so"})) == (404, "order_not_found")


def test_a_token_that_may_propose_lets_the_robot_propose_and_sends_nothing(cell: Position) -> None:
    client = Client(headers=bearer(cell.portfolio.owner, ("read", "propose")))
    tick = client.post(f"/v1/positions/{cell.public_id}/tick", "{}", JSON)
    assert tick.json()["order"]["status"] == "proposed"
    order = Order.objects.get()
    assert problem(post(client, order, "approve")) == (403, "insufficient_scope")
    set_approve_first(portfolio_id=cell.portfolio_id, on=False, actor="user:ann")
    assert problem(client.post(f"/v1/positions/{cell.public_id}/tick", "{}", JSON)) == (403, "insufficient_scope")


BAD = [
    ("approve", {"price": "1"}, 422, "invalid_fields"),
    ("dismiss", {}, 422, "invalid_fields"),
    ("dismiss", {"reason": ""}, 422, "invalid_fields"),
    ("dismiss", {"reason": "x" * 201}, 422, "invalid_fields"),
    ("dismiss", {"reason": "a\nb"}, 422, "invalid_fields"),
    ("dismiss", {"reason": 7}, 422, "invalid_fields"),
    ("dismiss", {"reason": "so", "really": True}, 422, "invalid_fields"),
]


@pytest.mark.parametrize(("door", "body", "status", "code"), BAD)
def test_bad_input_is_a_problem_and_the_proposal_waits(
    client: Client, order: Order, door: str, body: Any, status: int, code: str
) -> None:
    assert problem(post(client, order, door, body)) == (status, code)
    order.refresh_from_db()
    assert order.status == "proposed"


def test_the_owner_alone_takes_the_leash_off(cell: Position) -> None:
    path = f"/v1/portfolios/{cell.portfolio.public_id}/approval"
    body = {"approve_first": False}
    assert problem(signed_in_as("cat").put(path, body, JSON)) == (403, "owners_only")
    token = Client(headers=bearer(cell.portfolio.owner, ("read", "trade", "propose")))
    assert problem(token.put(path, body, JSON)) == (403, "insufficient_scope")
    assert signed_in_as("ann").put(path, body, JSON).json()["approve_first"] is False


def test_the_timeline_in_hindsight_says_what_the_robot_said(client: Client, cell: Position, order: Order) -> None:
    """The second quiet quote is computed, the first was written down: both wait for the same answer."""
    for minute in (1, 2):
        make_quote("IBM", f"96.9{minute}", at=later(minute))
        evaluate_position(position_id=cell.pk)
    make_quote("IBM", "96", at=later(3))
    evaluate_position(position_id=cell.pk)
    rows = client.get(f"/v1/positions/{cell.public_id}/timeline").json()["evaluations"]
    told = {row["at"]: (row["computed"], row["reason"], row["outputs"]["gates"]["order_open"]) for row in rows}
    assert list(told.values()) == [
        (False, "trigger_down", "no"),
        (False, "order_open", "a proposal waits"),
        (True, "order_open", "a proposal waits"),
        (False, "trigger_down", "no"),
    ]
    (first,) = [row for row in rows if row["order_id"] == str(order.public_id)]
    assert first["reason"] == "trigger_down"
