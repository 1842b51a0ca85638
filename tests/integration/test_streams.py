"""The logs of accounts and of the house: an account's for its owner alone, the house's for whoever is signed in."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from portfolios.events import EventType
from portfolios.models import Account, Event, House, Position, User
from portfolios.services.journal import Journal
from portfolios.services.verification import verify_portfolios
from tests.factories import NOON, bearer, make_portfolio, make_position, make_user
from tests.integration.browsing import page, queries, signed_in
from tests.integration.test_ledger import unguarded

pytestmark = pytest.mark.django_db


@transaction.atomic
def tell(row: Any, kind: EventType, *words: str) -> None:
    journal = Journal(row, market_at=NOON, actor="user:ann")
    for word in words:
        journal.add(kind, word)
    journal.write()


@pytest.fixture
def cell() -> Position:
    """Of ann's portfolio, into which bob looks; its account and the house have a past."""
    cell = make_position(make_portfolio(make_user("ann"), bob="viewer"))
    tell(cell.portfolio.account, EventType.FROZEN, "The broker has three shares more.")
    tell(House.objects.get_or_create(pk=1)[0], EventType.HALTED, "All trading is halted: the sky falls.")
    return cell


def events(user: User, **query: str) -> Any:
    return Client().get("/v1/events", query, headers=bearer(user))


def user(name: str) -> User:
    return User.objects.filter(username=name).first() or make_user(name)


@pytest.mark.parametrize(("name", "frozen"), [("ann", True), ("bob", False), ("eve", False)])
def test_the_audit_shows_accounts_to_their_owner_and_halts_of_the_house_to_everybody(cell, name, frozen) -> None:
    html = page(signed_in(user(name)), "audit")
    assert ("The broker has three shares more." in html) is frozen
    assert "All trading is halted: the sky falls." in html


@pytest.mark.parametrize(
    ("kind", "there", "gone"), [("accounts", "three shares", "the sky"), ("halts", "the sky", "three shares")]
)
def test_they_are_filtered_like_all_others(cell, kind: str, there: str, gone: str) -> None:
    client = signed_in(cell.portfolio.owner)
    html = page(client, "audit", kind=kind)
    assert there in html
    assert gone not in html
    assert "three shares" not in page(client, "audit", portfolio=cell.portfolio.public_id)
    assert "three shares" not in page(client, "audit", actor="robot")


def test_their_pages_follow_each_other_without_gap_and_cost_the_same(cell) -> None:
    client, account = signed_in(cell.portfolio.owner), cell.portfolio.account
    few = queries(client, "audit")
    tell(account, EventType.RECONCILED, *(f"Compared for the {number}th time." for number in range(60)))
    assert queries(client, "audit") <= few
    first = page(client, "audit")
    older = next(part.split('"')[0] for part in first.split("before=")[1:])
    second = client.get(f"{reverse('audit')}?before={older}").content.decode()
    seen = [number for number in range(60) if f"Compared for the {number}th time." in first]
    rest = [number for number in range(60) if f"Compared for the {number}th time." in second]
    assert (seen, rest) == (list(range(10, 60)), list(range(10)))


def test_the_log_of_an_account_is_its_owner_s(cell) -> None:
    account = cell.portfolio.account
    told = events(user("ann"), account_id=str(account.public_id)).json()
    assert (told["stream"], told["stream_id"], told["position_id"]) == ("account", str(account.public_id), None)
    assert told["events"][-1]["message"] == "The broker has three shares more."
    looks_on = events(user("bob"), account_id=str(account.public_id))
    assert (looks_on.status_code, looks_on.json()["code"]) == (403, "owners_only")
    stranger, nobody = (events(user("eve"), account_id=str(some)) for some in (account.public_id, uuid4()))
    assert stranger.status_code == nobody.status_code == 404
    assert stranger.content == nobody.content


def test_the_log_of_a_portfolio_is_its_members_and_that_of_the_house_everybody_s(cell) -> None:
    named = str(cell.portfolio.public_id)
    assert events(user("bob"), portfolio_id=named).json()["stream"] == "portfolio"
    stranger, nobody = (events(user("eve"), portfolio_id=some) for some in (named, str(uuid4())))
    assert stranger.content == nobody.content
    assert events(user("eve"), stream="global").json()["events"][-1]["type"] == "halted"
    assert Client().get("/v1/events", {"stream": "global"}).status_code == 401


def test_a_house_in_which_nothing_happened_says_so() -> None:
    House.objects.all().delete()
    assert events(make_user("eve"), stream="global").json() == {
        "stream": "global",
        "stream_id": None,
        "position_id": None,
        "events": [],
        "next": None,
    }


def test_a_log_is_read_on_from_where_one_stopped(cell) -> None:
    tell(cell.portfolio.account, EventType.RECONCILED, "one", "two", "three")
    seqs, after = [], 0
    while after is not None:
        part = events(user("ann"), account_id=str(cell.portfolio.account.public_id), limit="2", after=str(after)).json()
        seqs += [event["seq"] for event in part["events"]]
        after = part["next"]
    assert seqs == list(range(1, cell.portfolio.account.event_seq + 1))


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({}, 400, "invalid_parameters"),
        ({"stream": "account"}, 400, "invalid_parameters"),
        ({"stream": "global", "position_id": "7"}, 400, "invalid_parameters"),
        ({"account_id": "7", "position_id": "7"}, 400, "invalid_parameters"),
        ({"account_id": ""}, 400, "invalid_parameters"),
        ({"account_id": "7"}, 404, "account_not_found"),
        ({"portfolio_id": "7"}, 404, "portfolio_not_found"),
        ({"stream": "global", "after": "-1"}, 400, "invalid_parameters"),
        ({"stream": "global", "limit": "501"}, 400, "invalid_parameters"),
    ],
)
def test_a_bad_question_is_answered_by_what_is_wrong_with_it(query: dict[str, str], status: int, code: str) -> None:
    answer = events(make_user(), **query)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_checking_the_chain_by_page_covers_own_accounts_and_the_house(cell) -> None:
    with unguarded("portfolios_event"):
        Event.objects.filter(stream__in=["account", "global"]).update(actor="mallory")
    checked = verify_portfolios(portfolio_ids=[cell.portfolio_id], account_ids=[cell.portfolio.account_id], most=1_000)
    house = House.objects.get().public_id
    assert {finding.stream_id for finding in checked.verified.findings} == {cell.portfolio.account.public_id, house}
    html = signed_in(cell.portfolio.owner).post(reverse("audit-verify")).content.decode()
    assert (
        html.count("its columns differ from its text")
        == Account.objects.get(pk=cell.portfolio.account_id).event_seq + 1
    )
    html = signed_in(user("eve")).post(reverse("audit-verify")).content.decode()
    assert html.count("its columns differ from its text") == 1
