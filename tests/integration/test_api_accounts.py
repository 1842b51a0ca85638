"""Accounts through the API: whose they are, what nobody ever reads, what is refused and how."""

import json
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portfolios.models import Account, Event, User
from portfolios.services.accounts import create_account
from portfolios.services.portfolios import add_member
from tests.factories import bearer, make_portfolio, make_user
from tests.fake_broker import FAKE
from tests.integration.browsing import signed_in
from tests.integration.problems import problem
from trading.api.accounts import NewAccount

pytestmark = pytest.mark.django_db
JSON = "application/json"
SECRET = "never-to-be-seen"
WHY = {"reason": "so"}


@pytest.fixture
def ann(settings: Any) -> User:
    settings.BROKERS = settings.BROKERS | {"elsewhere": next(iter(FAKE.values()))}
    return make_user("ann")


@pytest.fixture
def account(ann: User) -> Account:
    return create_account(owner=ann, name="Abroad", adapter="elsewhere", mode="live", actor="user:ann")


@pytest.fixture
def client(ann: User) -> Client:
    return signed_in(ann)


def send(client: Client, method: str, path: str, body: Any) -> Any:
    return client.generic(method, f"/v1/{path}", json.dumps(body), JSON)


def test_an_account_is_opened_looked_at_and_closed(client: Client) -> None:
    made = send(client, "POST", "accounts", {"name": "Slow", "adapter": "paper", "mode": "paper"})
    assert made.status_code == 201
    path = f"accounts/{made.json()['id']}"
    changed = send(client, "PATCH", path, {"name": "Slower", "latency_ms": 900, "most_per_quote": "2.5"}).json()
    assert (changed["name"], changed["latency_ms"], changed["most_per_quote"]) == ("Slower", 900, "2.5")
    assert client.get(f"/v1/{path}").json() == changed
    assert send(client, "POST", f"{path}/close", {}).json()["state"] == "closed"


def test_credentials_are_written_and_never_read(client: Client, account: Account) -> None:
    path = f"accounts/{account.public_id}"
    answer = send(client, "PUT", f"{path}/credentials", {"credentials": {"key": "id", "secret": SECRET}})
    assert answer.json()["has_credentials"] is True
    shown = [answer, client.get(f"/v1/{path}"), client.get("/v1/accounts"), client.get("/v1/events?position_id=x")]
    told = [one.content.decode() for one in shown] + list(Event.objects.values_list("text", flat=True))
    account.refresh_from_db()
    assert not [text for text in told if SECRET in text or account.sealed in text]


def test_a_refusal_of_credentials_repeats_none(client: Client, account: Account) -> None:
    path = f"accounts/{account.public_id}/credentials"
    for given in ({"key": SECRET, "a b": SECRET}, {"key": [SECRET]}, {"webhook_secrets": SECRET}, {}, SECRET):
        answer = send(client, "PUT", path, {"credentials": given})
        assert problem(answer) == (422, "invalid_fields")
        assert SECRET not in answer.content.decode()


def test_the_owner_arms_by_typing_its_name(client: Client, account: Account) -> None:
    path = f"accounts/{account.public_id}"
    typed = {"name": "Abroad", "reason": "the trial went well"}
    assert problem(send(client, "POST", f"{path}/arm", typed)) == (409, "not_reconciled")
    Account.objects.update(reconciled_at=timezone.now())
    assert problem(send(client, "POST", f"{path}/arm", typed | {"name": "abroad"})) == (422, "name_differs")
    armed = send(client, "POST", f"{path}/arm", typed).json()
    assert (armed["armed_at"] is not None, armed["untrusted"]) == (True, "")
    assert send(client, "POST", f"{path}/disarm", WHY).json()["armed_at"] is None


def test_a_trading_token_reads_and_changes_nothing(ann: User, account: Account) -> None:
    client = Client(headers=bearer(ann, ("read", "trade", "propose")))
    assert client.get("/v1/accounts").status_code == 200
    path = f"accounts/{account.public_id}"
    for method, door in (("PATCH", ""), ("PUT", "/credentials"), ("POST", "/arm"), ("POST", "/webhook-secret")):
        assert problem(send(client, method, f"{path}{door}", {})) == (403, "insufficient_scope")


def test_members_see_its_name_and_state_and_nothing_else(ann: User) -> None:
    portfolio, bob = make_portfolio(ann), make_user("bob")
    add_member(portfolio=portfolio, user=bob, role="trader", actor="user:ann")
    (seen,) = signed_in(bob).get("/v1/accounts").json()["results"]
    told = {name: value for name, value in seen.items() if value is not None}
    assert told == {"id": str(portfolio.account.public_id), "name": "Paper", "state": "active", "owned": False}
    refused = send(signed_in(bob), "PATCH", f"accounts/{portfolio.account.public_id}", {"name": "Mine"})
    assert problem(refused) == (403, "owners_only")


def test_a_strangers_account_is_as_unknown_as_none(account: Account) -> None:
    stranger = signed_in(make_user("bob"))
    answers = []
    for one in (account.public_id, "00000000-0000-4000-8000-000000000000"):
        answer = stranger.get(f"/v1/accounts/{one}", headers={"X-Request-ID": "same"})
        assert problem(answer) == (404, "account_not_found")
        answers.append(answer.content)
    assert answers[0] == answers[1]
    mine = make_portfolio(make_user("cat"))
    connect = send(
        signed_in(mine.owner), "PUT", f"portfolios/{mine.public_id}/account", {"account_id": str(account.public_id)}
    )
    assert problem(connect) == (404, "account_not_found")


def test_a_portfolio_is_connected_by_its_owner(client: Client, ann: User, account: Account) -> None:
    portfolio = make_portfolio(ann)
    path = f"portfolios/{portfolio.public_id}/account"
    answer = send(client, "PUT", path, {"account_id": str(account.public_id)}).json()
    assert (answer["mode"], answer["account_id"]) == ("live", str(account.public_id))


def test_a_lost_key_is_said_and_breaks_no_page(client: Client, account: Account, settings: Any) -> None:
    path = f"accounts/{account.public_id}"
    send(client, "PUT", f"{path}/credentials", {"credentials": {"key": "id"}})
    Account.objects.update(reconciled_at=timezone.now(), doubted_at=None)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    assert client.get("/v1/accounts").status_code == 200
    arming = send(client, "POST", f"{path}/arm", {"name": "Abroad", **WHY})
    assert problem(arming) == (409, "credentials_unreadable")
    settings.CREDENTIAL_KEYS = []
    answer = send(client, "PUT", f"{path}/credentials", {"credentials": {"key": "id"}})
    assert problem(answer) == (503, "credentials_key_unusable")


BAD: list[tuple[str, str, Any, int, str]] = [
    ("POST", "accounts", {}, 422, "invalid_fields"),
    ("POST", "accounts", {"name": "x", "adapter": "moon", "mode": "live"}, 422, "invalid_fields"),
    ("POST", "accounts", {"name": "x", "adapter": "paper", "mode": "live"}, 422, "mode_differs"),
    ("POST", "accounts", {"name": "x" * 81, "adapter": "paper", "mode": "paper"}, 422, "invalid_fields"),
    ("POST", "accounts", {"name": "a\nb", "adapter": "paper", "mode": "paper"}, 422, "invalid_fields"),
    ("POST", "accounts", {"name": 7, "adapter": "paper", "mode": "paper"}, 422, "invalid_fields"),
    ("POST", "accounts", {"name": "x", "adapter": ["paper"], "mode": "paper"}, 422, "invalid_fields"),
    ("POST", "accounts", {"name": "x", "adapter": "paper", "mode": "paper", "armed_at": 1}, 422, "invalid_fields"),
    ("PATCH", "accounts/{id}", {"latency_ms": 5}, 409, "not_on_paper"),
    ("PATCH", "accounts/{id}", {"latency_ms": -1}, 422, "invalid_fields"),
    ("PATCH", "accounts/{id}", {"most_per_quote": "-1"}, 422, "invalid_fields"),
    ("PATCH", "accounts/{id}", {"state": "active"}, 422, "invalid_fields"),
    ("PATCH", "accounts/{id}", [], 422, "invalid_fields"),
    ("PUT", "accounts/{id}/credentials", {}, 422, "invalid_fields"),
    ("PUT", "accounts/{id}/credentials", {"credentials": {"key": "x" * 5_000}}, 422, "invalid_fields"),
    ("PUT", "accounts/{id}/credentials", {"credentials": {"key": None}}, 422, "invalid_fields"),
    ("PUT", "accounts/{id}/credentials", {"credentials": {"key": "x" * 70_000}}, 413, "body_too_large"),
    ("POST", "accounts/{id}/arm", {"name": "Abroad"}, 422, "invalid_fields"),
    ("POST", "accounts/{id}/arm", {"name": "Abroad", "reason": ""}, 422, "invalid_fields"),
    ("POST", "accounts/{id}/arm", {"name": "Abroad", "reason": "a\nb"}, 422, "invalid_fields"),
    ("POST", "accounts/{id}/disarm", {}, 422, "invalid_fields"),
    ("POST", "accounts/{id}/close", {"really": True}, 422, "invalid_fields"),
    ("POST", "accounts/{id}/webhook-secret", {"secret": "mine"}, 422, "invalid_fields"),
    ("PUT", "portfolios/{portfolio}/account", {"account_id": "x"}, 422, "invalid_fields"),
    ("PUT", "portfolios/{portfolio}/approval", {"approve_first": "yes"}, 422, "invalid_fields"),
    ("GET", "accounts?owner=bob", None, 400, "invalid_parameters"),
    ("GET", "accounts/x", None, 404, "account_not_found"),
    ("DELETE", "accounts/{id}", None, 405, "method_not_allowed"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), BAD)
def test_bad_input_is_a_problem(
    client: Client, ann: User, account: Account, method: str, path: str, body: Any, status: int, code: str
) -> None:
    address = path.format(id=account.public_id, portfolio=make_portfolio(ann).public_id)
    answer = client.get(f"/v1/{address}") if method == "GET" else send(client, method, address, body)
    assert problem(answer) == (status, code)


def test_the_list_costs_the_same_however_many_there_are(client: Client, ann: User) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/v1/accounts").status_code == 200
        return len(captured)

    for _ in range(2):
        create_account(owner=ann, name="one", adapter="paper", mode="paper", actor="user:ann")
    few = cost()
    for _ in range(10):
        create_account(owner=ann, name="more", adapter="paper", mode="paper", actor="user:ann")
    assert cost() == few <= 6


def test_an_adapter_is_named_as_settings_stand_when_it_is_asked(settings: Any) -> None:
    """Not as they stood when the door was imported: a test that adds one leaves nothing behind."""
    settings.BROKERS = {"another": next(iter(FAKE.values()))}
    assert list(NewAccount().fields["adapter"].choices) == ["another"]
