"""Portfolios and tokens through the door: opened, renamed, closed, shared; what a token may hand on."""

import uuid
from typing import Any

import pytest
from django.test import Client

from portfolios.models import ApiToken, Event, Membership, Portfolio, Position, SettingsPreset
from portfolios.services.tokens import find_token
from tests.factories import bearer, make_portfolio, make_position, make_user
from tests.integration.problems import pointers, problem
from tests.market import make_fallen_cell, tick

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def savings() -> Portfolio:
    return make_portfolio(make_user("ann"), bob="viewer", tom="trader")


def browser(name: str = "ann") -> Client:
    """Signed in, as a page is: sessions may do what tokens may not."""
    client = Client()
    user = Membership.objects.filter(user__username=name).select_related("user").first()
    client.force_login(user.user if user else make_user(name), backend="django.contrib.auth.backends.ModelBackend")
    return client


def last_event(portfolio: Portfolio) -> Event:
    return Event.objects.of(portfolio).last()  # type: ignore[return-value]


def test_a_portfolio_is_opened_on_paper_and_is_its_makers() -> None:
    ann = make_user("ann")
    answer = Client(headers=bearer(ann)).post("/v1/portfolios", {"name": " Pension "}, JSON)
    assert answer.status_code == 201
    told = answer.json()
    assert {name: told[name] for name in ("name", "mode", "state", "role", "open_cells")} == {
        "name": "Pension",
        "mode": "paper",
        "state": "active",
        "role": "owner",
        "open_cells": 0,
    }
    assert Client(headers=bearer(ann)).get(f"/v1/portfolios/{told['id']}").json() == told


def test_everybody_sees_his_own_portfolios_with_his_own_role(savings: Portfolio) -> None:
    make_portfolio(make_user("eve"), name="Another's")
    make_position(savings)
    Position.objects.filter(pk=make_position(savings, symbol="ZIM").pk).update(state="closed", shares=0, cash=0)
    for name, role in (("ann", "owner"), ("tom", "trader"), ("bob", "viewer")):
        listed = browser(name).get("/v1/portfolios").json()["results"]
        assert [(row["name"], row["role"], row["open_cells"]) for row in listed] == [("Savings", role, 1)]
    assert browser().get("/v1/portfolios?state=closed").json()["results"] == []


def test_an_overview_sums_up_the_open_cells_beside_having_left_them_alone(savings: Portfolio) -> None:
    cell = make_fallen_cell(portfolio=savings)
    tick(cell)
    make_position(savings, symbol="ZIM", cash="500")
    overview = browser("bob").get(f"/v1/portfolios/{savings.public_id}/overview").json()
    assert {name: overview[name] for name in ("name", "value", "left_alone", "unpriced")} == {
        "name": "Savings",
        "value": "19699.898453",
        "left_alone": "19700",
        "unpriced": 1,
    }
    assert overview["against_left_alone"] == "-0.101547"  # the fee of the one buy
    near, unknown = overview["cells"]
    assert (near["ticker"], near["qty"], near["price"], near["distance"]) == ("IBM", "110.4687", "97", "0.03")
    assert (unknown["ticker"], unknown["cash"], unknown["value"]) == ("ZIM", "500", None)


def test_a_new_name_is_an_event_and_the_same_name_again_is_none(savings: Portfolio) -> None:
    url = f"/v1/portfolios/{savings.public_id}"
    for _ in range(2):
        assert browser().patch(url, {"name": "Old age"}, JSON).json()["name"] == "Old age"
    event = last_event(savings)
    assert (event.type, event.actor, event.seq) == ("portfolio_renamed", "user:ann", 4)
    assert event.content["inputs"] == {"after": "Old age", "before": "Savings"}


def test_a_portfolio_closes_after_its_cells_and_for_good(savings: Portfolio) -> None:
    cell = make_position(savings)
    url = f"/v1/portfolios/{savings.public_id}/close"
    assert problem(browser().post(url, {}, JSON)) == (409, "cells_open")
    Position.objects.filter(pk=cell.pk).update(state="closed")
    for _ in range(2):
        assert browser().post(url, {}, JSON).json()["state"] == "closed"
    assert (last_event(savings).type, last_event(savings).state_after) == ("portfolio_closed", "closed")
    assert Event.objects.of(savings).filter(type="portfolio_closed").count() == 1
    body = {"ticker": "ZIM", "portfolio": str(savings.public_id)}
    assert problem(browser().post("/v1/positions", body, JSON)) == (409, "portfolio_closed")


def test_a_cell_opens_in_the_portfolio_named_by_either_name_but_not_by_two(savings: Portfolio) -> None:
    name, other = str(savings.public_id), str(make_portfolio(savings.owner, "Another").public_id)
    for ticker, named in (("AAA", {"portfolio": name}), ("BBB", {"portfolio_id": name})):
        opened = browser().post("/v1/positions", {"ticker": ticker, **named}, JSON)
        assert (opened.status_code, opened.json()["portfolio_id"]) == (201, name)
    both = {"ticker": "CCC", "portfolio": name, "portfolio_id": name}
    assert browser().post("/v1/positions", both, JSON).status_code == 201
    refused = browser().post("/v1/positions", both | {"portfolio_id": other}, JSON)
    assert problem(refused) == (422, "invalid_fields")
    assert refused.json()["errors"][0]["pointer"] == "#/portfolio_id"


def test_members_are_listed_changed_and_sent_away(savings: Portfolio) -> None:
    url = f"/v1/portfolios/{savings.public_id}/members"
    listed = browser("bob").get(f"{url}?ordering=created_at").json()["results"]
    assert [(row["username"], row["role"]) for row in listed] == [
        ("ann", "owner"),
        ("bob", "viewer"),
        ("tom", "trader"),
    ]
    assert browser().patch(f"{url}/bob", {"role": "trader"}, JSON).json()["role"] == "trader"
    assert browser().delete(f"{url}/tom").status_code == 204
    assert problem(browser("bob").delete(f"{url}/ann")) == (403, "owners_only")
    bob = browser("bob")
    assert bob.delete(f"{url}/bob").status_code == 204
    assert problem(bob.get(url)) == (404, "portfolio_not_found")


def test_an_invitation_lets_its_holder_in_once(savings: Portfolio) -> None:
    url = f"/v1/portfolios/{savings.public_id}/invitations"
    made = browser().post(url, {"role": "viewer"}, JSON)
    assert made.status_code == 201
    assert [row["id"] for row in browser().get(url).json()["results"]] == [made.json()["id"]]
    assert "secret" not in browser().get(url).json()["results"][0]
    eve = browser("eve")
    secret = {"secret": made.json()["secret"]}
    assert eve.post("/v1/invitations/accept", secret, JSON).json()["role"] == "viewer"
    assert problem(eve.post("/v1/invitations/accept", secret, JSON)) == (404, "invitation_not_found")
    assert eve.get(f"/v1/portfolios/{savings.public_id}").json()["role"] == "viewer"


def test_a_withdrawn_invitation_opens_nothing(savings: Portfolio) -> None:
    url = f"/v1/portfolios/{savings.public_id}/invitations"
    made = browser().post(url, {"role": "trader", "email": "eve@example.com"}, JSON).json()
    assert browser().delete(f"{url}/{made['id']}").status_code == 204
    assert problem(browser().delete(f"{url}/{made['id']}")) == (404, "invitation_not_found")
    refused = browser("eve").post("/v1/invitations/accept", {"secret": made["secret"]}, JSON)
    assert problem(refused) == (404, "invitation_not_found")


def test_the_owner_hands_the_portfolio_over_and_stays_as_a_trader(savings: Portfolio) -> None:
    url = f"/v1/portfolios/{savings.public_id}"
    assert problem(browser().delete(f"{url}/members/ann")) == (409, "ownership_is_transferred")
    assert browser().post(f"{url}/transfer", {"username": "tom"}, JSON).json()["role"] == "owner"
    assert browser().get(url).json()["role"] == "trader"


def test_a_leaked_trading_token_lets_nobody_in_and_makes_no_token(savings: Portfolio) -> None:
    robber = Client(headers=bearer(savings.owner))
    url = f"/v1/portfolios/{savings.public_id}"
    assert problem(robber.post(f"{url}/invitations", {"role": "trader"}, JSON)) == (403, "insufficient_scope")
    assert problem(robber.post(f"{url}/transfer", {"username": "tom"}, JSON)) == (403, "insufficient_scope")
    assert problem(robber.delete(f"{url}/members/bob")) == (403, "insufficient_scope")
    assert problem(robber.get("/v1/tokens")) == (403, "insufficient_scope")
    assert problem(robber.post("/v1/tokens", {"name": "x", "scopes": ["read"]}, JSON)) == (403, "insufficient_scope")


def test_a_tokens_secret_is_shown_once_and_gone_when_revoked(savings: Portfolio) -> None:
    ann = browser()
    made = ann.post("/v1/tokens", {"name": "laptop", "scopes": ["trade", "read"], "days": 7}, JSON)
    assert made.status_code == 201
    told = made.json()
    assert told["secret"].startswith(f"vb_{told['id']}")
    assert told["scopes"] == ["read", "trade"]
    listed = ann.get("/v1/tokens").json()["results"]
    assert listed == [{name: value for name, value in told.items() if name != "secret"}]
    assert find_token(told["secret"]) is not None
    assert browser("bob").get("/v1/tokens").json()["results"] == []
    assert problem(browser("bob").delete(f"/v1/tokens/{told['id']}")) == (404, "token_not_found")
    assert ann.delete(f"/v1/tokens/{told['id']}").status_code == 204
    assert problem(ann.delete(f"/v1/tokens/{told['id']}")) == (404, "token_not_found")
    assert find_token(told["secret"]) is None


def test_nobody_grants_what_he_has_not() -> None:
    staff = make_user("root", is_staff=True)
    asked = {"name": "x", "scopes": ["read", "admin"]}
    refused = browser("ann").post("/v1/tokens", asked, JSON)
    assert problem(refused) == (403, "insufficient_scope")
    assert pointers(refused) == {"#/scopes"}
    narrow = Client(headers=bearer(staff, ["read", "admin"]))
    assert narrow.post("/v1/tokens", asked, JSON).status_code == 201
    assert problem(narrow.post("/v1/tokens", {"name": "x", "scopes": ["trade"]}, JSON)) == (403, "insufficient_scope")
    assert ApiToken.objects.filter(name="x").count() == 1


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("/v1/portfolios", {}),
        ("/v1/portfolios", {"name": ""}),
        ("/v1/portfolios", {"name": " "}),
        ("/v1/portfolios", {"name": "x" * 81}),
        ("/v1/portfolios", {"name": "two\nlines"}),
        ("/v1/portfolios", {"name": "a\u202eb"}),
        ("/v1/portfolios", {"name": 7}),
        ("/v1/portfolios", {"name": "x", "mode": "live"}),
        ("/v1/portfolios", {"name": "x", "source": "gossip"}),
        ("/v1/portfolios", []),
        ("/v1/portfolios/{}/close", {"really": True}),
        ("/v1/portfolios/{}/transfer", {}),
        ("/v1/portfolios/{}/transfer", {"username": ["tom"]}),
        ("/v1/portfolios/{}/invitations", {}),
        ("/v1/portfolios/{}/invitations", {"role": "emperor"}),
        ("/v1/portfolios/{}/invitations", {"role": "viewer", "email": "nobody"}),
        ("/v1/portfolios/{}/invitations", {"role": ["viewer"]}),
        ("/v1/invitations/accept", {}),
        ("/v1/invitations/accept", {"secret": 7}),
        ("/v1/invitations/accept", {"secret": "x" * 101}),
        ("/v1/tokens", {}),
        ("/v1/tokens", {"name": "x"}),
        ("/v1/tokens", {"name": "x", "scopes": []}),
        ("/v1/tokens", {"name": "x", "scopes": "read"}),
        ("/v1/tokens", {"name": "x", "scopes": ["root"]}),
        ("/v1/tokens", {"name": "x", "scopes": [["read"]]}),
        ("/v1/tokens", {"name": "x", "scopes": ["read"], "days": 0}),
        ("/v1/tokens", {"name": "x", "scopes": ["read"], "days": 4_000}),
        ("/v1/tokens", {"name": "x", "scopes": ["read"], "days": "many"}),
        ("/v1/tokens", {"name": "x", "scopes": ["read"], "secret": "mine"}),
    ],
)
def test_a_body_that_cannot_be_leaves_nothing_behind(savings: Portfolio, url: str, body: Any) -> None:
    before = Event.objects.count()
    refused = browser().post(url.format(savings.public_id), body, JSON)
    assert problem(refused) == (422, "invalid_fields")
    assert (Event.objects.count(), ApiToken.objects.count(), Portfolio.objects.count()) == (before, 0, 1)


@pytest.mark.parametrize(
    ("method", "url", "status", "code"),
    [
        ("get", "/v1/portfolios/7", 404, "portfolio_not_found"),
        ("get", "/v1/portfolios/%00", 404, "portfolio_not_found"),
        ("get", "/v1/portfolios?colour=red", 400, "invalid_parameters"),
        ("get", "/v1/portfolios?state=asleep", 400, "invalid_parameters"),
        ("get", "/v1/portfolios/{}?colour=red", 400, "invalid_parameters"),
        ("put", "/v1/portfolios/{}", 405, "method_not_allowed"),
        ("delete", "/v1/portfolios/{}", 405, "method_not_allowed"),
        ("get", "/v1/portfolios/{}/close", 405, "method_not_allowed"),
        ("delete", "/v1/portfolios/{}/members/nobody", 404, "member_not_found"),
        ("delete", "/v1/portfolios/{}/members/%00", 404, "member_not_found"),
        ("delete", "/v1/portfolios/{}/invitations/7", 404, "not_found"),
        ("delete", f"/v1/portfolios/{{}}/invitations/{uuid.UUID(int=1)}", 404, "invitation_not_found"),
        ("delete", "/v1/tokens/7", 404, "token_not_found"),
        ("delete", "/v1/tokens/%00", 404, "not_found"),
        ("get", "/v1/tokens/7", 405, "method_not_allowed"),
    ],
)
def test_a_door_that_is_not_there_says_so(savings: Portfolio, method: str, url: str, status: int, code: str) -> None:
    assert problem(getattr(browser(), method)(url.format(savings.public_id))) == (status, code)


def test_a_page_elsewhere_cannot_make_a_token_with_my_session(savings: Portfolio) -> None:
    elsewhere = Client(enforce_csrf_checks=True)
    elsewhere.force_login(savings.owner, backend="django.contrib.auth.backends.ModelBackend")
    refused = elsewhere.post("/v1/tokens", {"name": "x", "scopes": ["read"]}, JSON)
    assert problem(refused) == (403, "csrf_failed")
    assert problem(browser().post("/v1/tokens", {"name": "x"})) == (415, "unsupported_media_type")
    assert problem(browser().get("/v1/tokens", headers={"Accept": "text/html"})) == (406, "not_acceptable")


@pytest.mark.parametrize("door", ["", "/members", "/settings", "/settings/versions"])
def test_a_strangers_portfolio_is_as_unknown_as_one_that_never_was(savings: Portfolio, door: str) -> None:
    stranger = browser("eve")
    theirs, nobodys = (stranger.get(f"/v1/portfolios/{name}{door}") for name in (savings.public_id, uuid.uuid4()))
    assert (theirs.status_code, theirs.content) == (nobodys.status_code, nobodys.content) == (404, theirs.content)


def test_a_longer_list_asks_the_database_no_more_often(django_assert_num_queries: Any) -> None:
    ann = make_user("ann")
    client = Client(headers=bearer(ann))
    portfolio = make_portfolio(ann)
    for url in ("/v1/portfolios", f"/v1/portfolios/{portfolio.public_id}/members"):
        client.get(url)
        queries = 2 if url == "/v1/portfolios" else 3  # who, whose, which
        with django_assert_num_queries(queries):
            client.get(url)
        for number in range(4):
            make_portfolio(ann, name=f"P{number}")
            name = f"m{Membership.objects.count()}"
            Membership.objects.create(portfolio=portfolio, user=make_user(name), role="viewer")
        with django_assert_num_queries(queries):
            assert len(client.get(url).json()["results"]) >= 5


def test_an_overview_of_more_cells_asks_the_database_no_more_often(
    savings: Portfolio, django_assert_num_queries: Any
) -> None:
    client = Client(headers=bearer(savings.owner))
    url = f"/v1/portfolios/{savings.public_id}/overview"
    make_fallen_cell(portfolio=savings)
    client.get(url)
    with django_assert_num_queries(8):
        client.get(url)
    for number in range(4):
        make_fallen_cell(portfolio=savings, symbol=f"S{number}")
    with django_assert_num_queries(8):
        assert len(client.get(url).json()["cells"]) == 5


def test_presets_are_kept_by_name_and_are_ones_own() -> None:
    ann, eve = (Client(headers=bearer(make_user(name))) for name in ("ann", "eve"))
    house = ann.get("/v1/presets").json()["results"]
    assert [(row["id"], row["name"]) for row in house] == [(None, "careful"), (None, "balanced"), (None, "active")]
    for ratio in ("0.02", "0.04"):
        kept = ann.post("/v1/presets", {"name": "calm", "settings": {"trigger_up": ratio}}, JSON)
        assert (kept.status_code, kept.json()["given"]) == (201, {"trigger_up": ratio})
    assert ann.get("/v1/presets").json()["results"][3:] == [kept.json()]
    assert eve.get("/v1/presets").json()["results"] == house
    url = f"/v1/presets/{kept.json()['id']}"
    assert problem(eve.delete(url)) == (404, "preset_not_found")
    assert ann.delete(url).status_code == 204
    assert problem(ann.delete(url)) == (404, "preset_not_found")


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        ({}, "invalid_fields", "#/name"),
        ({"name": "", "settings": {}}, "invalid_fields", "#/name"),
        ({"name": "x" * 41, "settings": {}}, "invalid_fields", "#/name"),
        ({"name": "x", "settings": []}, "invalid_fields", "#/settings"),
        ({"name": "x", "settings": {"colour": "red"}}, "invalid_setting", "#/settings/colour"),
        ({"name": "x", "settings": {"trigger_up": "9"}}, "invalid_setting", "#/settings/trigger_up"),
        ({"name": "x", "settings": {}, "for": "all"}, "invalid_fields", "#/for"),
    ],
)
def test_a_preset_that_cannot_be_is_not_kept(body: dict[str, Any], code: str, place: str) -> None:
    refused = Client(headers=bearer(make_user("ann"))).post("/v1/presets", body, JSON)
    assert problem(refused) == (422, code)
    assert place in pointers(refused)
    assert not SettingsPreset.objects.exists()
