"""The pages of accounts: opened, armed and closed by their owner; no secret is ever on one."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portfolios.models import Account, User
from portfolios.services.accounts import begin_account, create_account, credentials_of
from portfolios.services.portfolios import add_member
from reporting.paging import PAGE
from tests.factories import make_portfolio, make_user
from tests.fake_broker import FAKE
from tests.integration.browsing import page, queries, signed_in

pytestmark = pytest.mark.django_db
SECRET = "never-to-be-seen"


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


def post(client: Client, door: str, account: Account | None = None, /, **body: Any) -> Any:
    return client.post(reverse(door, args=[account.public_id] if account else []), body)


def test_an_account_is_opened_on_its_page(client: Client) -> None:
    answer = client.post(reverse("open-account"), {"name": "Slow", "adapter": "paper", "mode": "paper"}, follow=True)
    assert "Slow is open." in answer.content.decode()
    account = Account.objects.get(name="Slow")
    assert post(client, "account-terms", account, latency_ms="250", most_per_quote="2.5").status_code == 302
    assert 'value="2.5"' in page(client, "account", account)
    assert post(client, "rename-account", account, name="Slower").status_code == 302
    assert "Slower" in page(client, "accounts")
    assert post(client, "close-account", account).status_code == 302
    assert "Close this account" not in page(client, "account", account)


BAD = [
    ("open-account", {"name": "", "adapter": "paper", "mode": "paper"}),
    ("open-account", {"name": "x", "adapter": "moon", "mode": "paper"}),
    ("open-account", {"name": "x", "adapter": "paper", "mode": "live"}),
    ("open-account", {"name": "a\x00b", "adapter": "paper", "mode": "paper"}),
    ("rename-account", {"name": "x" * 81}),
    ("account-terms", {"latency_ms": "fast", "most_per_quote": "0"}),
    ("account-terms", {"latency_ms": "1", "most_per_quote": "1e9"}),
    ("account-credentials", {"credential": ["a b"], "secret": [SECRET]}),
    ("account-credentials", {"credential": ["webhook_secrets"], "secret": [SECRET]}),
    ("arm-account", {"typed": "Abroad", "reason": "so"}),
    ("arm-account", {"typed": "", "reason": ""}),
    ("disarm-account", {"reason": "a\nb"}),
]


@pytest.mark.parametrize(("name", "body"), BAD)
def test_what_does_not_fit_is_said_and_kept(client: Client, account: Account, name: str, body: dict[str, Any]) -> None:
    answer = post(client, name, None if name == "open-account" else account, **body)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert "Not done: " in html
    assert SECRET not in html
    if name == "arm-account" and body["reason"]:
        assert 'value="so"' in html


def test_credentials_go_in_and_never_come_out(client: Client, account: Account) -> None:
    assert post(client, "account-credentials", account, credential=["key", ""], secret=[SECRET, ""]).status_code == 302
    account.refresh_from_db()
    assert credentials_of(account) == {"key": SECRET}
    html = page(client, "account", account)
    assert "Kept, encrypted." in html
    assert SECRET not in html
    assert account.sealed not in html


def test_a_webhook_secret_is_shown_once(client: Client, account: Account) -> None:
    shown = client.post(reverse("make-webhook-secret", args=[account.public_id]), follow=True).content.decode()
    account.refresh_from_db()
    (secret,) = credentials_of(account)["webhook_secrets"]
    assert secret in shown
    again = client.get(reverse("webhook-secret-made", args=[account.public_id]), follow=True).content.decode()
    assert secret not in again
    assert "shown once" in again


def test_it_is_armed_with_its_name_and_disarmed(client: Client, account: Account) -> None:
    Account.objects.update(reconciled_at=timezone.now())
    assert post(client, "arm-account", account, typed="Abroad", reason="the trial went well").status_code == 302
    assert "armed since" in page(client, "account", account)
    assert post(client, "disarm-account", account, reason="holiday").status_code == 302
    assert "not armed" in page(client, "account", account)


def test_a_portfolio_is_connected(client: Client, ann: User, account: Account) -> None:
    portfolio = make_portfolio(ann)
    assert post(client, "connect-account", account, portfolio=str(portfolio.public_id)).status_code == 302
    portfolio.refresh_from_db()
    assert portfolio.mode == "live"
    bobs = make_portfolio(make_user("bob"), name="Bob's")
    for other in (str(bobs.public_id), "x", ""):
        assert post(client, "connect-account", account, portfolio=other).status_code == 404


def test_members_see_a_name_and_a_state(ann: User) -> None:
    portfolio, bob = make_portfolio(ann), make_user("bob")
    add_member(portfolio=portfolio, user=bob, role="trader", actor="user:ann")
    html = page(signed_in(bob), "account", portfolio.account)
    assert "Paper" in html
    for secret in ("How the paper venue fills", "What happened to it", "Close this account", "for practice"):
        assert secret not in html
    assert post(signed_in(bob), "rename-account", portfolio.account, name="Mine").status_code == 403


def test_a_stranger_finds_nothing(account: Account) -> None:
    bob = signed_in(make_user("bob"))
    assert bob.get(reverse("account", args=[account.public_id])).status_code == 404
    assert "Abroad" not in page(bob, "accounts")


def test_the_list_is_paged(client: Client, ann: User) -> None:
    names = [f"Account {number:02}" for number in range(PAGE + 1)]
    for name in names:
        begin_account(owner=ann, name=name, adapter="paper", mode="paper", actor="user:ann")
    first = page(client, "accounts")
    assert names[-1] in first
    assert names[0] not in first
    (cursor,) = re.findall(r'href="\?before=([^"]+)"', first)
    second = client.get(f"{reverse('accounts')}?before={cursor}").content.decode()
    assert names[0] in second
    assert names[1] not in second
    assert "Newest" in second
    assert names[-1] in page(client, "accounts", before="not ours")


def test_an_account_says_what_it_is_and_for_whom_it_trades(client: Client, ann: User) -> None:
    make_portfolio(ann, name="Pension")
    html = page(client, "accounts")
    assert "The paper venue, for practice" in html
    assert "trades for Pension" in html
    account = Account.objects.get()
    assert "Broker account connected" in page(client, "account", account)


def test_the_list_costs_the_same_however_many_there_are(client: Client, ann: User, account: Account) -> None:
    few = queries(client, "accounts")
    for _ in range(10):
        create_account(owner=ann, name="more", adapter="paper", mode="paper", actor="user:ann")
    assert queries(client, "accounts") == few <= 7
    assert queries(client, "account", account) <= 10
