"""Whatever is sent, the answer is a problem with a status and a code; never a 500, never a guess."""

import uuid
from typing import Any

import pytest
from django.test import Client

from portfolios.models import Account, IdempotencyKey, Position, SettingsVersion
from tests.factories import bearer, make_position
from tests.integration.problems import pointers, problem
from trading.models import Order

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def cell() -> Position:
    return make_position()


@pytest.fixture
def client(cell: Position) -> Client:
    return Client(headers=bearer(cell.portfolio.owner))


BODIES: list[tuple[str | bytes, int, str]] = [
    ("{", 400, "malformed_json"),
    ('{"side": "BUY", "qty": 1, "qty": 2}', 400, "malformed_json"),
    ('{"side": "BUY", "qty": NaN}', 400, "malformed_json"),
    ('{"side": "BUY", "qty": Infinity}', 400, "malformed_json"),
    ('{"side": "BUY", "qty": 1e3}', 400, "malformed_json"),
    (b'{"side": "BUY\xff"}', 400, "malformed_json"),
    ('{"side": "BUY", "qty": "\\u0000"}', 400, "malformed_json"),
    ('{"\\ud800": 1, "\\ud800": 2}', 400, "malformed_json"),
    ("[" * 1_000, 400, "malformed_json"),
    ('{"qty": "' + "1" * 70_000 + '"}', 413, "body_too_large"),
    ("null", 422, "invalid_fields"),
    ("[]", 422, "invalid_fields"),
    ('"BUY"', 422, "invalid_fields"),
    ("17", 422, "invalid_fields"),
    ("{}", 422, "invalid_fields"),
    ("", 422, "invalid_fields"),
    ('{"side": "buy", "qty": 1}', 422, "invalid_fields"),
    ('{"side": ["BUY"], "qty": 1}', 422, "invalid_fields"),
    ('{"side": "BUY", "qty": 0}', 422, "invalid_fields"),
    ('{"side": "BUY", "qty": -1}', 422, "invalid_fields"),
    ('{"side": "BUY", "qty": true}', 422, "invalid_fields"),
    ('{"side": "BUY", "qty": null}', 422, "invalid_fields"),
    ('{"side": "BUY", "qty": {}}', 422, "invalid_fields"),
    ('{"side": "BUY", "qty": "1e3"}', 422, "invalid_fields"),
    ('{"side": "BUY", "qty": "NaN"}', 422, "invalid_fields"),
    ('{"side": "BUY", "qty": " 1"}', 422, "invalid_fields"),
    ('{"side": "BUY", "qty": "1,5"}', 422, "invalid_fields"),
    ('{"side": "BUY", "qty": "٣"}', 422, "invalid_fields"),
    ('{"side": "BUY", "qty": 0.0000001}', 422, "invalid_fields"),
    ('{"side": "BUY", "qty": 1000000000000000}', 422, "invalid_fields"),
    ('{"side": "BUY", "qty": 1, "limit_price": 0}', 422, "invalid_fields"),
    ('{"side": "BUY", "qty": 1, "limit_price": "1000000.01"}', 422, "invalid_fields"),
    ('{"side": "BUY", "qty": 1, "colour": "red"}', 422, "invalid_fields"),
    ('{"side": "SELL", "qty": "100.000001"}', 422, "insufficient_shares"),
]


@pytest.mark.parametrize(("body", "status", "code"), BODIES)
def test_an_order_that_cannot_be_is_refused_and_uses_up_no_key(
    client: Client, cell: Position, body: str | bytes, status: int, code: str
) -> None:
    url = f"/v1/positions/{cell.public_id}/orders"
    refused = client.post(url, body, JSON, headers={"Idempotency-Key": "k"})
    assert problem(refused) == (status, code)
    assert not Order.objects.exists()
    assert not IdempotencyKey.objects.exists()


def test_all_that_is_wrong_with_a_body_is_said_at_once(client: Client) -> None:
    refused = client.post("/v1/positions", {"qty": "x", "cash": -1, "colour": "red", "a/b": 1}, JSON)
    assert pointers(refused) == {"#/ticker", "#/qty", "#/cash", "#/colour", "#/a~1b"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"ticker": "zim"}, "invalid_ticker"),
        ({"ticker": "Z IM"}, "invalid_ticker"),
        ({"ticker": "1ZIM"}, "invalid_ticker"),
        ({"ticker": ""}, "invalid_fields"),
        ({"ticker": 7}, "invalid_fields"),
        ({"ticker": "ZIMZIMZIMZIMZ"}, "invalid_fields"),
        ({"ticker": "ZIM", "anchor": 0}, "invalid_fields"),
        ({"ticker": "ZIM", "settings": []}, "invalid_fields"),
        ({"ticker": "ZIM", "settings": {"trigger_up": 9}}, "invalid_setting"),
        ({"ticker": "ZIM", "settings": {"trigger_up": {"a": []}}}, "invalid_setting"),
        ({"ticker": "ZIM", "settings": {"sizing": ["x"]}}, "invalid_setting"),
        ({"ticker": "ZIM", "settings": {"colour": "red"}}, "invalid_setting"),
        ({"ticker": "ZIM", "portfolio": 7}, "invalid_fields"),
        ({"ticker": "ZIM", "portfolio_id": 7}, "invalid_fields"),
        ({"ticker": "ZIM", "portfolio": "7", "portfolio_id": "8"}, "invalid_fields"),
    ],
)
def test_a_cell_that_cannot_be_leaves_nothing_behind(client: Client, body: dict[str, Any], code: str) -> None:
    assert problem(client.post("/v1/positions", body, JSON)) == (422, code)
    assert Position.objects.count() == 1
    assert not SettingsVersion.objects.exists()


def test_a_bad_setting_is_named_by_its_place(client: Client) -> None:
    body = {"ticker": "ZIM", "settings": {"trigger_up": "9"}}
    assert pointers(client.post("/v1/positions", body, JSON)) == {"#/settings/trigger_up"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"price": 50, "filled_qty": 2}, 422, "fill_too_large"),
        ({"price": 0, "filled_qty": 1}, 422, "invalid_fields"),
        ({"price": 50, "filled_qty": 0}, 422, "invalid_fields"),
        ({"price": 50, "filled_qty": 1, "commission": -1}, 422, "invalid_fields"),
        ({"price": 500_000, "filled_qty": 1}, 422, "insufficient_cash"),
        ({}, 422, "invalid_fields"),
    ],
)
def test_a_fill_that_cannot_be_books_nothing(
    client: Client, cell: Position, body: dict[str, Any], status: int, code: str
) -> None:
    url = f"/v1/positions/{cell.public_id}/orders"
    order = client.post(url, {"side": "BUY", "qty": 1.5}, JSON, headers={"Idempotency-Key": "k"}).json()["order_id"]
    assert problem(client.post(f"/v1/orders/{order}/fill", body, JSON)) == (status, code)
    cell.refresh_from_db()
    assert (cell.shares, cell.cash) == (100_000_000, 10_000_000_000)


def test_an_order_that_ended_is_neither_filled_nor_cancelled(client: Client, cell: Position) -> None:
    url = f"/v1/positions/{cell.public_id}/orders"
    order = client.post(url, {"side": "BUY", "qty": 1}, JSON, headers={"Idempotency-Key": "k"}).json()["order_id"]
    assert client.post(f"/v1/orders/{order}/cancel", content_type=JSON).json()["status"] == "cancelled"
    assert client.post(f"/v1/orders/{order}/cancel", content_type=JSON).json()["status"] == "cancelled"  # twice is once
    Order.objects.update(status="filled")
    assert problem(client.post(f"/v1/orders/{order}/cancel", content_type=JSON)) == (409, "not_cancellable")
    assert problem(client.post(f"/v1/orders/{order}/fill", {"price": 1, "filled_qty": 1}, JSON)) == (409, "order_ended")


def test_a_second_order_waits_for_the_first_to_end(client: Client, cell: Position) -> None:
    url = f"/v1/positions/{cell.public_id}/orders"
    for key, status in (("k1", 201), ("k2", 409)):
        answer = client.post(url, {"side": "BUY", "qty": 1}, JSON, headers={"Idempotency-Key": key})
        assert answer.status_code == status
    assert problem(answer) == (409, "order_open")


def test_a_quarantined_cell_takes_no_orders(client: Client, cell: Position) -> None:
    Position.objects.update(state="quarantined")
    url = f"/v1/positions/{cell.public_id}/orders"
    refused = client.post(url, {"side": "BUY", "qty": 1}, JSON, headers={"Idempotency-Key": "k"})
    assert problem(refused) == (423, "quarantined")


def test_a_live_order_is_not_filled_by_hand(client: Client, cell: Position) -> None:
    url = f"/v1/positions/{cell.public_id}/orders"
    order = client.post(url, {"side": "BUY", "qty": 1}, JSON, headers={"Idempotency-Key": "k"}).json()["order_id"]
    Account.objects.update(adapter="elsewhere", mode="live")
    assert problem(client.post(f"/v1/orders/{order}/fill", {"price": 1, "filled_qty": 1}, JSON)) == (403, "live_order")


@pytest.mark.parametrize(
    ("query", "at_fault"),
    [
        ("limit=0", {"limit"}),
        ("limit=501", {"limit"}),
        ("limit=x", {"limit"}),
        ("limit=1&limit=2", {"limit"}),
        ("cursor=abc", {"cursor"}),
        ("ordering=cash", {"ordering"}),
        ("colour=red&limit=0", {"colour", "limit"}),
        ("status=asleep", {"status"}),
        ("position_id=7", {"position_id"}),
        ("side=%00", {"side"}),
    ],
)
def test_a_query_is_read_as_strictly_as_a_body(client: Client, query: str, at_fault: set[str]) -> None:
    refused = client.get(f"/v1/orders?{query}")
    assert problem(refused) == (400, "invalid_parameters")
    assert pointers(refused) == at_fault


@pytest.mark.parametrize(
    ("method", "url", "status", "code"),
    [
        ("get", "/v1/nowhere", 404, "not_found"),
        ("get", "/v1/positions/", 404, "not_found"),
        ("get", "/v1/positions/7", 404, "position_not_found"),
        ("get", "/v1/positions/%00", 404, "position_not_found"),
        ("get", f"/v1/positions/{uuid.UUID(int=1)}", 404, "position_not_found"),
        ("get", f"/v1/positions/{uuid.UUID(int=1)}?colour=red", 400, "invalid_parameters"),
        ("get", "/v1/events", 400, "invalid_parameters"),
        ("get", "/v1/events?position_id=", 400, "invalid_parameters"),
        ("get", "/v1/events?position_id=7", 404, "position_not_found"),
        ("get", "/v1/orders/7", 404, "order_not_found"),
        ("post", "/v1/orders/7/fill", 404, "order_not_found"),
        ("post", "/v1/orders/7/cancel", 404, "order_not_found"),
        ("post", "/v1/positions/7/tick", 404, "position_not_found"),
        ("delete", "/v1/positions", 405, "method_not_allowed"),
        ("options", "/v1/positions", 405, "method_not_allowed"),
        ("get", "/v1/positions/7/tick", 405, "method_not_allowed"),
    ],
)
def test_a_door_that_is_not_there_says_so(client: Client, method: str, url: str, status: int, code: str) -> None:
    assert problem(getattr(client, method)(url)) == (status, code)


def test_an_unknown_portfolio_is_not_replaced_by_the_first(client: Client) -> None:
    for name in ("", "7", str(uuid.uuid4())):
        for field in ("portfolio", "portfolio_id"):
            refused = client.post("/v1/positions", {"ticker": "ZIM", field: name}, JSON)
            assert problem(refused) == (404, "portfolio_not_found")


def test_only_json_is_spoken(client: Client) -> None:
    assert problem(client.post("/v1/positions", {"ticker": "ZIM"})) == (415, "unsupported_media_type")
    assert problem(client.post("/v1/positions", "<x/>", "text/xml")) == (415, "unsupported_media_type")
    assert problem(client.get("/v1/positions", headers={"Accept": "text/html"})) == (406, "not_acceptable")
