"""The kill switch through the API: who may stop what, what is refused, and what everybody sees."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portfolios.models import Event, Position, User
from tests.factories import bearer, make_portfolio, make_position, make_user
from tests.integration.problems import pointers, problem
from trading.risk.models import Halt
from trading.services.halts import halt

pytestmark = pytest.mark.django_db
JSON = "application/json"
WHY = {"reason": "the news are bad"}


@pytest.fixture
def cell() -> Position:
    return make_position(make_portfolio(make_user("ann"), eve="viewer", tom="trader"))


def as_(user: User | str, *scopes: str) -> Client:
    user = User.objects.get(username=user) if isinstance(user, str) else user
    return Client(headers=bearer(user, scopes or ("read", "trade")))


def doors(cell: Position) -> dict[str, str]:
    return {
        "position": f"/v1/positions/{cell.public_id}/halt",
        "portfolio": f"/v1/portfolios/{cell.portfolio.public_id}/halt",
        "account": f"/v1/accounts/{cell.portfolio.account.public_id}/halt",
    }


def post(client: Client, url: str, body: Any = WHY) -> Any:
    return client.post(url, body, JSON)


def root() -> User:
    return make_user("root", is_staff=True, is_superuser=True)


@pytest.mark.parametrize("scope", ["position", "portfolio", "account"])
def test_a_halt_is_shown_whole_and_orders_are_locked_until_it_is_lifted(cell: Position, scope: str) -> None:
    ann = as_("ann")
    told = post(ann, doors(cell)[scope], WHY | {"cancel_working": True}).json()
    ids = {name: told[f"{name}_id"] for name in ("position", "portfolio", "account")}
    assert {name for name, value in ids.items() if value} == {scope}
    assert (told["scope"], told["reason"], told["cancel_working"]) == (scope, WHY["reason"], True)
    assert told["halted_by"].startswith("token:")
    assert told["rearmed_at"] is None
    buy = {"side": "BUY", "qty": 1}
    orders = f"/v1/positions/{cell.public_id}/orders"
    for body in (buy, buy | {"dry_run": True}):
        locked = ann.post(orders, body, JSON, headers={"Idempotency-Key": "k"})
        assert problem(locked) == (423, "halted")
        assert WHY["reason"] in locked.json()["detail"]
    lifted = post(ann, f"/v1/halts/{told['id']}/rearm", {"reason": "over"}).json()
    assert (lifted["rearm_reason"], lifted["rearmed_by"]) == ("over", told["halted_by"])
    assert ann.post(orders, buy, JSON, headers={"Idempotency-Key": "k"}).status_code == 201


def test_halting_again_answers_with_the_halt_in_force(cell: Position) -> None:
    url = doors(cell)["portfolio"]
    first, again = (post(as_("ann"), url, {"reason": reason}) for reason in ("first", "second"))
    assert (first.status_code, first.content) == (200, again.content)
    assert Event.objects.filter(type="halted").count() == 1


@pytest.mark.parametrize(("kind", "back"), [("position", "rearm"), ("portfolio", "resume")])
def test_a_cell_and_a_portfolio_are_let_go_on_at_their_own_address(cell: Position, kind: str, back: str) -> None:
    tom, url = as_("tom"), doors(cell)[kind]
    lift = url.removesuffix("halt") + back
    assert problem(post(tom, lift)) == (409, "not_halted")
    told = post(tom, url).json()
    lifted = post(tom, lift, {"reason": "over"}).json()
    assert (lifted["id"], lifted["rearm_reason"]) == (told["id"], "over")
    assert problem(post(tom, lift)) == (409, "not_halted")


def test_a_viewer_sees_and_never_acts(cell: Position) -> None:
    eve, ann = as_("eve"), as_("ann")
    known = {kind: post(ann, url).json()["id"] for kind, url in doors(cell).items()}
    assert {row["id"] for row in eve.get("/v1/halts").json()["results"]} == set(known.values())
    for kind in ("position", "portfolio"):
        assert problem(post(eve, doors(cell)[kind])) == (403, "read_only")
    for halted in known.values():
        assert problem(post(eve, f"/v1/halts/{halted}/rearm")) == (403, "read_only")
    assert problem(post(eve, doors(cell)["account"])) == (404, "account_not_found")
    assert Halt.objects.in_force().count() == 3


def test_a_strangers_things_are_as_unknown_as_what_never_was(cell: Position) -> None:
    known = [post(as_("ann"), url).json()["id"] for url in doors(cell).values()]
    bob = as_(make_user("bob"))
    assert bob.get("/v1/halts").json()["results"] == []
    nobody = Position(public_id=uuid.uuid4())
    pairs = [
        (doors(cell)[kind], doors(cell)[kind].replace(doors(cell)[kind].split("/")[3], str(nobody.public_id)))
        for kind in doors(cell)
    ]
    pairs += [(f"/v1/halts/{one}/rearm", f"/v1/halts/{uuid.uuid4()}/rearm") for one in known]
    for theirs, nobodys in pairs:
        answers = [post(bob, url) for url in (theirs, nobodys)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content


def test_only_a_superuser_with_the_scope_stops_the_house_and_lets_it_go_on(cell: Position) -> None:
    staff, boss = make_user("staff", is_staff=True), root()
    every = ("read", "trade", "admin")
    assert problem(post(as_("ann"), "/v1/halts")) == (403, "insufficient_scope")
    assert problem(post(as_(staff, *every), "/v1/halts")) == (403, "superusers_only")
    assert problem(post(as_(boss, "read", "trade"), "/v1/halts")) == (403, "insufficient_scope")
    told = post(as_(boss, *every), "/v1/halts").json()
    assert told["scope"] == "global"
    url = f"/v1/halts/{told['id']}/rearm"
    for client in (as_("ann"), as_(staff, *every), as_(boss, "read", "trade")):
        assert client.get("/v1/halts").json()["results"][0]["id"] == told["id"]
        assert problem(post(client, url)) == (403, "superusers_only")
    assert post(as_(boss, *every), url).json()["rearmed_at"]


def test_a_token_that_may_only_read_halts_nothing(cell: Position) -> None:
    reader = as_("ann", "read")
    for url in doors(cell).values():
        assert problem(post(reader, url)) == (403, "insufficient_scope")


BAD: list[tuple[Any, int, str, set[str]]] = [
    ({}, 422, "invalid_fields", {"#/reason"}),
    ({"reason": ""}, 422, "invalid_fields", {"#/reason"}),
    ({"reason": "   "}, 422, "invalid_reason", {"#/reason"}),
    ({"reason": None}, 422, "invalid_fields", {"#/reason"}),
    ({"reason": 7}, 422, "invalid_fields", {"#/reason"}),
    ({"reason": "two\nlines"}, 422, "invalid_fields", {"#/reason"}),
    ({"reason": "x" * 201}, 422, "invalid_fields", {"#/reason"}),
    ({"reason": "so\x00"}, 400, "malformed_json", set()),
    (WHY | {"cancel_working": "yes"}, 422, "invalid_fields", {"#/cancel_working"}),
    (WHY | {"cancel_working": 1}, 422, "invalid_fields", {"#/cancel_working"}),
    (WHY | {"cancels": True}, 422, "invalid_fields", {"#/cancels"}),
    ([], 422, "invalid_fields", {"#"}),
    ("{", 400, "malformed_json", set()),
    ('{"reason": "a", "reason": "b"}', 400, "malformed_json", set()),
    (b"\xff", 400, "malformed_json", set()),
]


@pytest.mark.parametrize(("body", "status", "code", "where"), BAD)
def test_a_bad_halt_is_refused_at_every_door(
    cell: Position, body: Any, status: int, code: str, where: set[str]
) -> None:
    clients = {url: as_("ann") for url in doors(cell).values()} | {"/v1/halts": as_(root(), "read", "admin")}
    for url, client in clients.items():
        refused = post(client, url, body)
        assert problem(refused) == (status, code), url
        assert pointers(refused) == where
    assert not Halt.objects.exists()


@pytest.mark.parametrize(("body", "status", "code", "where"), [row for row in BAD if "cancel" not in str(row[0])])
def test_a_bad_lift_is_refused_at_every_door(
    cell: Position, body: Any, status: int, code: str, where: set[str]
) -> None:
    ann = as_("ann")
    for url in doors(cell).values():
        post(ann, url)
    lifts = [doors(cell)["position"].replace("halt", "rearm"), doors(cell)["portfolio"].replace("halt", "resume")]
    lifts += [f"/v1/halts/{known.public_id}/rearm" for known in Halt.objects.all()]
    for url in lifts:
        refused = post(ann, url, body)
        assert problem(refused) == (status, code), url
        assert pointers(refused) == where
    assert Halt.objects.in_force().count() == 3


@pytest.mark.parametrize("name", ["1", "x", "%00", "é", "-" * 36])
def test_what_is_no_id_is_not_there(name: str) -> None:
    ann = as_(make_user("ann"))
    for url in ("positions/{}/halt", "positions/{}/rearm", "portfolios/{}/halt", "portfolios/{}/resume"):
        assert post(ann, f"/v1/{url.format(name)}").status_code == 404
    for url in ("accounts/{}/halt", "halts/{}/rearm"):
        assert post(ann, f"/v1/{url.format(name)}").status_code == 404


@pytest.mark.parametrize("query", ["in_force=maybe", "limit=0", "cursor=x", "what=1", "ordering=reason"])
def test_a_list_asked_for_wrongly_says_so(query: str) -> None:
    assert problem(as_(make_user("ann")).get(f"/v1/halts?{query}")) == (400, "invalid_parameters")


def test_the_list_is_paged_and_tells_past_from_present(cell: Position) -> None:
    ann = as_("ann")
    for url in doors(cell).values():
        post(ann, url)
    post(ann, doors(cell)["position"].replace("halt", "rearm"))
    assert [len(ann.get(f"/v1/halts?in_force={flag}").json()["results"]) for flag in ("true", "false")] == [2, 1]
    page = ann.get("/v1/halts?limit=2").json()
    assert [row["scope"] for row in page["results"]] == ["account", "portfolio"]
    assert [row["scope"] for row in ann.get(page["next"]).json()["results"]] == ["position"]


def test_the_list_costs_the_same_however_many_there_are(cell: Position) -> None:
    ann = as_("ann")

    def cost() -> int:
        ann.get("/v1/halts")
        with CaptureQueriesContext(connection) as captured:
            ann.get("/v1/halts")
        return len(captured)

    post(ann, doors(cell)["portfolio"])
    few = cost()
    for symbol in ("AAPL", "GOOG", "MSFT"):
        other = make_position(cell.portfolio, symbol=symbol)
        halt(scope="position", target_id=other.pk, reason="so", actor="user:ann")
    assert cost() == few <= 4
