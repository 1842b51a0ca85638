"""Whatever is sent, the answer is a problem with a status and a code; never a 500, never a guess."""

import json
import uuid
from typing import Any

import pytest
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpResponse
from django.test import Client, RequestFactory

from portfolios.api import problems
from portfolios.models import IdempotencyKey, Portfolio, Position, SettingsVersion
from tests.factories import bearer, make_portfolio, make_position, make_user
from trading.models import Order

pytestmark = pytest.mark.django_db
JSON = "application/json"
PROBLEM = "application/problem+json"


def problem(response: HttpResponse) -> tuple[int, str]:
    body = json.loads(response.content)
    assert response["Content-Type"] == PROBLEM
    assert body["status"] == response.status_code
    assert body["type"].endswith(f"#{body['code']}")
    assert body["title"]
    assert body["detail"][0].isupper()
    assert body["detail"].endswith((".", "?", "!"))
    assert all(set(fault) <= {"code", "detail", "pointer", "parameter"} for fault in body["errors"])
    return response.status_code, body["code"]


def pointers(response: HttpResponse) -> set[str]:
    return {fault.get("pointer") or fault["parameter"] for fault in json.loads(response.content)["errors"]}


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
    Portfolio.objects.update(mode="live")
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
        ("get", f"/v1/positions/{uuid.uuid4()}", 404, "position_not_found"),
        ("get", f"/v1/positions/{uuid.uuid4()}?colour=red", 400, "invalid_parameters"),
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
    for name in ("7", str(uuid.uuid4())):
        refused = client.post("/v1/positions", {"ticker": "ZIM", "portfolio": name}, JSON)
        assert problem(refused) == (404, "portfolio_not_found")


def test_only_json_is_spoken(client: Client) -> None:
    assert problem(client.post("/v1/positions", {"ticker": "ZIM"})) == (415, "unsupported_media_type")
    assert problem(client.post("/v1/positions", "<x/>", "text/xml")) == (415, "unsupported_media_type")
    assert problem(client.get("/v1/positions", headers={"Accept": "text/html"})) == (406, "not_acceptable")


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Token x", "bearer vb_nonsense", "Bearer é", "Bearer a b"])
def test_a_bad_token_is_a_401_that_says_how_to_come_in(header: str) -> None:
    refused = Client().get("/v1/positions", headers={"Authorization": header})
    assert problem(refused) == (401, "invalid_token")
    assert refused["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "x"}])
def test_nobody_comes_in_without_a_credential(headers: dict[str, str]) -> None:
    refused = Client().get("/v1/positions", headers=headers)
    assert problem(refused) == (401, "not_authenticated")
    assert "WWW-Authenticate" in refused


def test_a_scope_that_is_missing_is_named(cell: Position) -> None:
    reader = Client(headers=bearer(cell.portfolio.owner, ["read"]))
    assert reader.get("/v1/positions").status_code == 200
    for door in ("tick", "evaluate", "orders"):
        refused = reader.post(f"/v1/positions/{cell.public_id}/{door}")
        assert problem(refused) == (403, "insufficient_scope")


def test_a_strangers_cell_is_as_unknown_as_one_that_never_was(cell: Position) -> None:
    stranger = Client(headers=bearer(make_user("stranger")))
    for url in ("/v1/positions/{}", "/v1/positions/{}/events", "/v1/events?position_id={}"):
        theirs, nobodys = (stranger.get(url.format(name)) for name in (cell.public_id, uuid.uuid4()))
        assert (theirs.status_code, theirs.content) == (nobodys.status_code, nobodys.content) == (404, theirs.content)


def test_a_viewer_looks_and_does_not_act() -> None:
    portfolio = make_portfolio(eve="viewer")
    cell = make_position(portfolio)
    viewer = Client(headers=bearer(portfolio.memberships.get(role="viewer").user))
    assert viewer.get(f"/v1/positions/{cell.public_id}").status_code == 200
    for door in ("tick", "evaluate", "orders"):
        assert problem(viewer.post(f"/v1/positions/{cell.public_id}/{door}")) == (403, "read_only")
    body = {"ticker": "ZIM", "portfolio": str(portfolio.public_id)}
    assert problem(viewer.post("/v1/positions", body, JSON)) == (403, "read_only")


def test_errors_outside_the_doors_are_problems_to_programs_and_pages_to_people(rf: RequestFactory) -> None:
    program, person = rf.get("/v1/x"), rf.get("/x", headers={"Accept": "text/html"})
    elsewhere = rf.get("/x", headers={"Accept": "application/json"})
    assert problem(problems.server_error(program)) == (500, "internal_error")
    assert problem(problems.page_not_found(elsewhere, Http404())) == (404, "not_found")
    assert problem(problems.permission_denied(program, PermissionDenied())) == (403, "forbidden")
    assert problem(problems.bad_request(program, RequestDataTooBig())) == (413, "body_too_large")
    assert problem(problems.bad_request(program, BadRequest())) == (400, "bad_request")
    assert problem(problems.csrf_failure(program)) == (403, "csrf_failed")
    assert problems.server_error(person)["Content-Type"].startswith("text/html")


def test_a_database_that_is_busy_asks_for_patience() -> None:
    busy = problems.problem_response(OperationalError("canceling statement due to lock timeout"), {})
    assert busy is not None
    assert (busy.status_code, busy["Retry-After"], busy.data["code"]) == (503, "1", "unavailable")
    assert "lock" not in busy.data["detail"]


def test_the_checks_run_in_the_order_of_the_contract(cell: Position) -> None:
    owner, stranger = Client(headers=bearer(cell.portfolio.owner)), Client(headers=bearer(make_user("stranger")))
    url, order = f"/v1/positions/{cell.public_id}/orders", {"side": "BUY", "qty": 1}
    assert problem(Client().post(url, "{", JSON)) == (401, "not_authenticated")
    assert problem(stranger.post(url, "{", JSON)) == (404, "position_not_found")
    assert problem(owner.post(url, "{", JSON)) == (400, "idempotency_key_missing")
    k = {"Idempotency-Key": "k"}
    assert problem(owner.post(url, "{", JSON, headers=k)) == (400, "malformed_json")
    assert owner.post(url, order, JSON, headers=k).status_code == 201
    assert problem(owner.post(url, {"colour": "red"}, JSON, headers=k)) == (409, "idempotency_signature_mismatch")
    assert problem(owner.post(url, {"colour": "red"}, JSON, headers={"Idempotency-Key": "l"})) == (
        422,
        "invalid_fields",
    )
