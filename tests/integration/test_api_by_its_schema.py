"""What the committed schema promises, the API keeps: made-up requests, good and bad, to every door, as three roles.

Everything runs in one transaction per role, and what one request changes the next one meets.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as effort
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.bars import make_import
from tests.factories import bearer, make_portfolio, make_position, make_quote, make_user
from tests.recorded import make_bars, make_done_run
from tests.swept import carried_out, make_sweep
from trading.domain.choices import Side
from trading.services.evaluation import evaluate_position
from trading.services.ordering import place_order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]

COMMITTED = Path(settings.BASE_DIR, "docs/api/openapi.yaml")
PROMISES = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SCOPES = ["read", "simulate", "propose", "trade", "admin"]
EFFORT = {"viewer": 1, "trader": 1, "owner": 2}  # requests of each kind to each door
QUICK = effort(deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def operations() -> list[Any]:
    schema = schemathesis.openapi.from_path(COMMITTED)
    schema.app = get_wsgi_application()
    return [found.ok() for found in schema.get_all_operations()]


@pytest.fixture(autouse=True)
def transaction_outlives_a_request() -> Iterator[None]:
    """As with Django's own test client; the server it stands for would close the connection after each request."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def scene() -> tuple[dict[str, Any], dict[str, Any]]:
    """Members by role, and what addresses may name so that a request meets something that exists."""
    portfolio = make_portfolio(make_user("owner", is_staff=True), trader="trader", viewer="viewer")
    users = {membership.role: membership.user for membership in portfolio.memberships.select_related("user")}
    make_quote()
    make_bars("IBM")
    busy = make_position(portfolio, symbol="AAPL")
    order = place_order(
        position_id=busy.pk, side=Side.BUY, quantity=2_000_000, limit=None, author=portfolio.owner, actor="x", key="x"
    )
    cell = make_position(portfolio, anchor="100", max_trade="0.5")
    ids = {"portfolios": portfolio.public_id, "positions": cell.public_id, "orders": order.public_id}
    ids["accounts"] = portfolio.account.public_id
    ids["simulations"] = make_done_run(portfolio.owner).public_id
    ids["bars"] = make_import().public_id
    ids["sweeps"] = carried_out(make_sweep(portfolio.owner)).public_id
    asked = evaluate_position(position_id=cell.pk, asked_by="user:owner", act=False)
    ids["evaluations"] = f"{cell.public_id}.{asked.event.seq}" if asked.event else ""
    return users, ids


def meet_what_exists(case: Case, ids: dict[str, Any]) -> None:
    """Names of things that are there instead of made-up ones, and the conditions a good client would send."""
    named = {"symbol": "IBM", "username": "viewer", "number": 1, "kind": "orders", "form": "csv", "resolution": "1day"}
    thing = case.path.split("/")[2]
    named["public_id"] = named["evaluation_id"] = str(ids.get(thing))
    if thing in ("simulations", "sweeps"):
        named["kind"] = "trades"
        if case.method == "DELETE":  # those who ask next would find nothing
            return
    if case.path.endswith("/map"):
        case.query = {"x": "tau", "y": "guardrail_low"}
    if case.path.endswith("/trials"):
        case.query = {}
    case.path_parameters = {name: named.get(name, value) for name, value in case.path_parameters.items()}
    for name, thing in (("cursor", None), ("position_id", "positions"), ("portfolio_id", "portfolios")):
        if name in (case.query or {}):
            case.query = {key: value for key, value in case.query.items() if key != name}
            case.query |= {name: str(ids[thing])} if thing else {}
    if case.path == "/v1/events":  # exactly one stream is named
        case.query = {name: value for name, value in (case.query or {}).items() if name in ("after", "limit")}
        case.query |= {"position_id": str(ids["positions"])}
    if "If-Match" in case.headers:
        case.headers["If-Match"] = "*"


def examine(operation: Any, kind: GenerationMode, headers: dict[str, str], ids: dict[str, Any], times: int) -> set[int]:
    """Ask a few made-up requests, good or bad, check every promise; which statuses came back."""
    statuses: set[int] = set()

    @seed(20261120)
    @effort(QUICK, max_examples=times)
    @given(case=operation.as_strategy(generation_mode=kind))
    def keeps_its_promises(case: Case) -> None:
        if kind is GenerationMode.POSITIVE:
            meet_what_exists(case, ids)
        case.headers.update(headers)
        response = case.call()
        case.validate_response(response, checks=PROMISES)
        statuses.add(response.status_code)

    keeps_its_promises()
    return statuses


@pytest.mark.parametrize("role", ["viewer", "trader", "owner"])
def test_every_door_keeps_what_its_schema_promises(role: str, operations: list[Any]) -> None:
    users, ids = scene()
    unread = []
    for operation in operations:
        headers = bearer(users[role], SCOPES)  # a token each: none is throttled
        good, _ = (examine(operation, kind, headers, ids, EFFORT[role]) for kind in GenerationMode)
        if operation.method == "get" and 200 not in good:
            unread.append(operation.path)
    owners = ["/v1/accounts/{public_id}/reconciliations", "/v1/bars/imports", "/v1/bars/imports/{public_id}"]
    owners += ["/v1/portfolios/{public_id}/invitations"]
    runs = ["", "/daily", "/exports/{kind}.{form}", "/fills"]
    owners += [*(f"/v1/simulations/{{public_id}}{rows}" for rows in runs)]
    trials = ["", "/map", "/trials", "/trials/{number}"]
    owners += [*(f"/v1/sweeps/{{public_id}}{rows}" for rows in trials), "/v1/tokens"]
    assert unread == ([] if role == "owner" else owners), "good questions must be answered, or this test tests nothing"
