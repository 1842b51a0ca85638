"""Every route x method x caller, generated from the URL resolver and compared with the table in access.py."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from portfolios.models import Portfolio, Position, Role
from portfolios.services.members import invite
from portfolios.services.portfolios import add_member
from portfolios.services.settings import change_settings
from portfolios.services.tokens import create_token
from tests.bars import make_import
from tests.factories import NOON, make_portfolio, make_position, make_quote, make_user
from tests.integration.access import ADMIN, CALLERS, TABLE, Row
from tests.recorded import make_bars, make_done_run
from tests.swept import TAU, make_sweep
from trading.domain.choices import Side
from trading.market.models import Instrument
from trading.services.evaluation import evaluate_position
from trading.services.ordering import place_order

pytestmark = pytest.mark.django_db
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NOBODY_ENTERS = (302, 401, 403, 404, 405)
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
Scene = dict[str, Any]


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, prefix + str(pattern.pattern))
        else:
            yield prefix + str(pattern.pattern)


ROUTES = sorted(set(routes(get_resolver().url_patterns)))
OURS = [route for route in ROUTES if not route.startswith(ADMIN)]
ADMINS = [route for route in ROUTES if route.startswith(ADMIN)]


@pytest.fixture
def scene() -> Scene:
    """A portfolio with its members, one idle cell with a price, another cell with an open order."""
    portfolio = make_portfolio(make_user("owner"))
    users = {"owner": portfolio.owner, "stranger": make_user("stranger"), "staff": make_user("staff", is_staff=True)}
    users |= {name: join(portfolio, name) for name in ("viewer", "trader")}
    make_quote()
    busy = make_position(portfolio, symbol="AAPL")
    order = place_order(
        position_id=busy.pk, side=Side.BUY, quantity=2_000_000, limit=None, author=portfolio.owner, actor="x", key="x"
    )
    clients = {"anonymous": Client(raise_request_exception=False)}
    for name, user in users.items():
        clients[name] = Client(raise_request_exception=False)
        clients[name].force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    cell = make_position(portfolio, max_trade="0.5")
    named = named_in(portfolio) | {"session_id": str(portfolio.owner.sessions.get().public_id)}
    named["evaluation_id"] = evaluated(cell)
    make_bars("OLD", ("1", "2"))
    make_bars("IBM", ("1", "2"))
    things = {
        "run": make_done_run(portfolio.owner),
        "sweep": make_sweep(portfolio.owner, symbol="OLD", axes=[TAU], settings={}),
        "import": make_import(),
        "cell": cell,
        "order": order,
        "portfolio": portfolio,
        "account": portfolio.account,
    }
    return things | {"clients": clients, "named": named}


def evaluated(cell: Position) -> str:
    make_quote(cell.symbol, "100")
    asked = evaluate_position(position_id=cell.pk, asked_by="user:owner", act=False)
    return f"{cell.public_id}.{asked.event.seq}" if asked.event else ""


def named_in(portfolio: Portfolio) -> dict[str, str]:
    """What else an address may name: a member, an invitation, a token of the owner, a version of the settings."""
    Instrument.objects.create(symbol="IBM")
    change_settings(portfolio_id=portfolio.pk, given={}, author=portfolio.owner, note="", market_at=NOON)
    invitation, _ = invite(portfolio_id=portfolio.pk, email=None, role="viewer", actor="user:owner")
    token, _ = create_token(user=portfolio.owner, name="laptop", scopes=["read"], days=1)
    named = {"source": "replay", "symbol": "IBM", "username": "viewer", "number": "1", "prefix": token.prefix}
    named["membership_id"] = str(portfolio.memberships.get(user__username="viewer").pk)
    return named | {"invitation_id": str(invitation.public_id), "kind": "events", "form": "csv", "resolution": "1day"}


def join(portfolio: Portfolio, name: str) -> Any:
    user = make_user(name)
    add_member(portfolio=portfolio, user=user, role=Role(name), actor="user:owner")
    return user


def address(route: str, scene: Scene, subject: str = "cell") -> str:
    values = scene["named"] | {"public_id": str(scene[subject].public_id)}
    return "/" + PARAMETER.sub(lambda found: values.get(found[1], "1"), route)


def ask(scene: Scene, caller: str, method: str, url: str, body: dict[str, Any] | None = None) -> HttpResponseBase:
    """One request whose deeds are undone, so that every caller meets the same scene."""
    client: Client = scene["clients"][caller]
    with transaction.atomic():
        if method in ("GET", "HEAD"):
            named = {name: str(scene[thing].public_id) for name, thing in (body or {}).items()}
            response = client.generic(method, url, query_params=named)
        else:
            response = getattr(client, method.lower())(
                url, body or {}, "application/json", headers={"Idempotency-Key": "k", "If-Match": "*"}
            )
        transaction.set_rollback(True)
    return response


def test_every_route_is_declared_and_every_declared_route_exists() -> None:
    assert {row.route for row in TABLE} == set(OURS)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.method} {row.route}")
def test_each_caller_gets_what_the_table_says(row: Row, scene: Scene) -> None:
    url = address(row.route, scene, row.subject)
    got = {caller: ask(scene, caller, row.method, url, row.body).status_code for caller in CALLERS}
    wanted = dict(zip(CALLERS, row.answers, strict=True))
    told = {caller: status if status in options(wanted[caller]) else wanted[caller] for caller, status in got.items()}
    assert got == told
    if row.method == "GET":
        assert got == {caller: ask(scene, caller, "HEAD", url, row.body).status_code for caller in CALLERS}


def options(answer: int | tuple[int, ...]) -> tuple[int, ...]:
    return answer if isinstance(answer, tuple) else (answer,)


@pytest.mark.parametrize("route", OURS)
def test_a_method_that_is_not_declared_lets_nobody_in(route: str, scene: Scene) -> None:
    declared = {row.method for row in TABLE if row.route == route}
    declared |= {"HEAD"} if "GET" in declared else set()
    subject = next((row.subject for row in TABLE if row.route == route), "cell")
    for method in sorted(set(METHODS) - declared):
        for caller in CALLERS:
            status = ask(scene, caller, method, address(route, scene, subject)).status_code
            assert status in NOBODY_ENTERS, (method, caller, status)


def test_the_admin_is_for_staff_alone(scene: Scene) -> None:
    outside = [route for route in ADMINS if route not in ("admin/login/", "admin/(?P<url>.*)$")]
    assert outside
    for route in outside:
        for caller in ("anonymous", "owner"):  # to the admin, the other three are what the owner is
            for method in ("GET", "POST"):
                status = ask(scene, caller, method, address(route, scene)).status_code
                assert status in NOBODY_ENTERS, (route, method, caller, status)
