"""Who gets in, what strangers learn, and in which order a door checks."""

import uuid

import pytest
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig
from django.db import OperationalError
from django.http import Http404
from django.test import Client, RequestFactory

from portfolios.api import problems
from portfolios.models import Position
from tests.factories import bearer, make_portfolio, make_position, make_user
from tests.integration.problems import problem

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def cell() -> Position:
    return make_position()


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


@pytest.mark.parametrize("door", ["/healthz", "/readyz", "/v1/healthz", "/v1/version"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_a_door_only_to_look_at_says_so_before_it_asks_for_anything(method: str, door: str) -> None:
    refused = Client(enforce_csrf_checks=True).generic(method, door)
    assert problem(refused) == (405, "method_not_allowed")
    assert refused["Allow"] == "GET, HEAD"


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
