"""Accounts at brokers: who may open, arm, connect and close them, and what keeps live trading shut until then."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.utils import timezone

from portfolios.domain.amounts import micros
from portfolios.errors import Refused
from portfolios.models import Account, Event, Portfolio, Role, User
from portfolios.services.accounts import (
    arm_account,
    close_account,
    create_account,
    credentials_of,
    disarm_account,
    rename_account,
    rotate_webhook_secret,
    seal_credentials,
    set_paper_terms,
)
from portfolios.services.members import transfer_ownership
from portfolios.services.portfolios import add_member
from tests.factories import make_portfolio, make_position, make_user
from tests.fake_broker import FAKE
from tests.market import make_fallen_cell
from trading.brokers import broker_for
from trading.risk.selectors import why_untrusted
from trading.services.connections import connect_portfolio
from trading.services.evaluation import evaluate_position
from trading.services.proposals import set_approve_first

pytestmark = pytest.mark.django_db
REMOTE = "elsewhere"


@pytest.fixture
def ann(settings: Any) -> User:
    settings.BROKERS = settings.BROKERS | {REMOTE: next(iter(FAKE.values()))}
    return make_user("ann")


def make_account(owner: User, adapter: str = REMOTE, mode: str = "live", name: str = "Savings abroad") -> Account:
    return create_account(owner=owner, name=name, adapter=adapter, mode=mode, actor=f"user:{owner.username}")


def compared(account: Account) -> Account:
    Account.objects.filter(pk=account.pk).update(reconciled_at=timezone.now(), doubted_at=None)
    account.refresh_from_db()
    return account


def arm(account: Account, name: str = "Savings abroad", reason: str = "the trial went well") -> Account:
    return arm_account(account_id=account.pk, name=name, reason=reason, actor="user:ann")


def refusal(deed: Any, **named: Any) -> str:
    with pytest.raises(Refused) as refused, transaction.atomic():
        deed(**named)
    return refused.value.code


def test_a_new_account_at_a_broker_is_trusted_with_nothing(ann: User) -> None:
    account = make_account(ann)
    assert (account.armed_at, account.reconciled_at) == (None, None)
    assert why_untrusted(account) == "live trading is not armed"
    assert Event.objects.filter(stream_id=account.public_id).get().type == "account_created"


def test_paper_is_trusted_at_once_and_arming_it_means_nothing(ann: User) -> None:
    account = make_account(ann, "paper", "paper")
    assert why_untrusted(account) == ""
    assert refusal(arm, account=account) == "nothing_to_arm"
    assert refusal(arm, account=make_account(ann, "none", "live")) == "nothing_to_arm"


def test_arming_is_an_owner_who_types_the_name_and_says_why(ann: User) -> None:
    account = compared(make_account(ann))
    assert refusal(arm, account=account, name="savings abroad") == "name_differs"
    for reason in ("", " ", "a\nb", "x" * 201):
        assert refusal(arm, account=account, reason=reason) == "invalid_reason"
    armed = arm(account)
    assert arm(account).armed_at == armed.armed_at
    assert why_untrusted(armed) == ""
    (event,) = Event.objects.filter(stream_id=account.public_id, type="armed")
    assert (event.actor, event.content["inputs"]["reason"]) == ("user:ann", "the trial went well")


def test_nothing_is_armed_whose_books_were_not_found_equal(ann: User) -> None:
    account = make_account(ann)
    assert refusal(arm, account=account) == "not_reconciled"
    compared(account)
    Account.objects.filter(pk=account.pk).update(state="frozen")
    assert refusal(arm, account=account) == "not_reconciled"
    Account.objects.filter(pk=account.pk).update(state="active", doubted_at=timezone.now())
    assert refusal(arm, account=account) == "not_reconciled"


def test_nothing_is_armed_while_the_log_could_be_changed(ann: User) -> None:
    account = compared(make_account(ann))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE portfolios_event DISABLE TRIGGER USER")
    assert refusal(arm, account=account) == "log_unguarded"


def test_disarmed_nothing_leaves_any_more(ann: User) -> None:
    account = arm(compared(make_account(ann)))
    for _ in range(2):
        disarm_account(account_id=account.pk, reason="holiday", actor="user:ann")
    account.refresh_from_db()
    assert why_untrusted(account) == "live trading is not armed"
    assert Event.objects.filter(stream_id=account.public_id, type="disarmed").count() == 1


def test_new_credentials_are_compared_and_armed_anew(ann: User) -> None:
    account = arm(compared(make_account(ann)))
    seal_credentials(account_id=account.pk, given={"key": "another"}, actor="user:ann")
    account.refresh_from_db()
    assert (account.armed_at, account.doubted_at is not None) == (None, True)


def test_an_account_whose_key_is_lost_is_not_trusted_and_breaks_nothing_else(ann: User, settings: Any) -> None:
    account = make_account(ann)
    seal_credentials(account_id=account.pk, given={"key": "id"}, actor="user:ann")
    account = arm(compared(account))
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    assert why_untrusted(account) == "its credentials cannot be read"
    assert why_untrusted(make_account(ann, "paper", "paper")) == ""


def test_a_webhook_secret_is_shown_once_and_the_one_before_still_opens(ann: User) -> None:
    account = make_account(ann)
    made = [rotate_webhook_secret(account_id=account.pk, actor="user:ann") for _ in range(3)]
    account.refresh_from_db()
    assert credentials_of(account)["webhook_secrets"] == [made[2], made[1]]
    texts = " ".join(Event.objects.filter(stream_id=account.public_id).values_list("text", flat=True))
    assert not any(secret in texts for secret in made)


def test_it_is_renamed_and_its_venue_slowed_down_with_a_word_in_the_log(ann: User) -> None:
    account = make_account(ann, "paper", "paper")
    for _ in range(2):
        rename_account(account_id=account.pk, name="Slow paper", actor="user:ann")
        set_paper_terms(account_id=account.pk, latency_ms=500, most_per_quote=micros("10"), actor="user:ann")
    account.refresh_from_db()
    assert (account.name, account.latency_ms, account.most_per_quote) == ("Slow paper", 500, 10_000_000)
    assert Event.objects.filter(stream_id=account.public_id, type="account_changed").count() == 2


BAD = {
    "no name": ({"name": ""}, "invalid_name"),
    "a name of two lines": ({"name": "a\nb"}, "invalid_name"),
    "a name too long": ({"name": "x" * 81}, "invalid_name"),
    "an adapter nobody has": ({"adapter": "_template"}, "unknown_adapter"),
    "paper for real": ({"adapter": "paper"}, "mode_differs"),
    "by hand on paper": ({"adapter": "none", "mode": "paper"}, "mode_differs"),
    "a mode nobody knows": ({"mode": "both"}, "mode_differs"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_account_is_refused(ann: User, case: str) -> None:
    given, code = BAD[case]
    assert refusal(make_account, owner=ann, **given) == code


@pytest.mark.parametrize("terms", [(-1, 0), (86_400_001, 0), (0, -1), (0, 10**18 + 1)])
def test_terms_outside_their_limits_are_refused(ann: User, terms: tuple[int, int]) -> None:
    account = make_account(ann, "paper", "paper")
    named = {"account_id": account.pk, "latency_ms": terms[0], "most_per_quote": terms[1], "actor": "user:ann"}
    assert refusal(set_paper_terms, **named) == "out_of_range"
    assert refusal(set_paper_terms, **named | {"account_id": make_account(ann).pk}) == "not_on_paper"


def test_nobody_opens_accounts_without_end(ann: User) -> None:
    for number in range(20):
        make_account(ann, "paper", "paper", f"number {number}")
    assert refusal(make_account, owner=ann, adapter="paper", mode="paper") == "too_many_accounts"


def connect(portfolio: Portfolio, account: Account) -> Portfolio:
    return connect_portfolio(portfolio_id=portfolio.pk, account_id=account.pk, actor="user:ann")


def test_a_portfolio_follows_its_account(ann: User) -> None:
    portfolio, account = make_portfolio(ann), make_account(ann)
    for _ in range(2):
        connect(portfolio, account)
    portfolio.refresh_from_db()
    account.refresh_from_db()
    assert (portfolio.account_id, portfolio.mode, account.doubted_at is not None) == (account.pk, "live", True)
    assert Event.objects.of(portfolio).filter(type="account_changed").count() == 1


def test_an_account_of_somebody_else_is_not_there(ann: User) -> None:
    assert (
        refusal(connect, portfolio=make_portfolio(make_user("bob")), account=make_account(ann)) == "account_not_found"
    )


def test_it_does_not_move_while_orders_or_proposals_wait(ann: User) -> None:
    portfolio = make_portfolio(ann)
    cell = make_fallen_cell(portfolio=portfolio)
    paper = make_account(ann, "paper", "paper")
    evaluate_position(position_id=cell.pk)
    assert refusal(connect, portfolio=portfolio, account=paper) == "orders_open"
    other = make_portfolio(ann, name="Other")
    set_approve_first(portfolio_id=other.pk, on=True, actor="user:ann")
    evaluate_position(position_id=make_fallen_cell(portfolio=other, symbol="AAPL").pk)
    assert refusal(connect, portfolio=other, account=paper) == "orders_open"


def test_paper_holdings_do_not_become_real(ann: User) -> None:
    portfolio = make_portfolio(ann)
    make_position(portfolio)
    assert refusal(connect, portfolio=portfolio, account=make_account(ann)) == "holdings_differ"
    connect(portfolio, make_account(ann, "paper", "paper"))


def test_closed_ones_are_not_connected_and_connected_ones_not_closed(ann: User) -> None:
    account, portfolio = make_account(ann), make_portfolio(ann)
    seal_credentials(account_id=account.pk, given={"key": "id"}, actor="user:ann")
    connect(portfolio, account)
    assert refusal(close_account, account_id=account.pk, actor="user:ann") == "account_in_use"
    connect(portfolio, make_account(ann, "paper", "paper"))
    for _ in range(2):
        assert close_account(account_id=account.pk, actor="user:ann").sealed == ""
    assert refusal(connect, portfolio=portfolio, account=account) == "account_closed"
    for deed in (rotate_webhook_secret, seal_credentials, rename_account, arm_account):
        more = {"given": {"key": "x"}} if deed is seal_credentials else {}
        more |= {"name": "x"} if deed in (rename_account, arm_account) else {}
        more |= {"reason": "so"} if deed is arm_account else {}
        assert refusal(deed, account_id=account.pk, actor="user:ann", **more) == "account_closed"


def test_paper_goes_with_the_portfolio_and_a_broker_stays_with_its_owner(ann: User) -> None:
    portfolio, bob = make_portfolio(ann), make_user("bob")
    add_member(portfolio=portfolio, user=bob, role=Role.TRADER, actor="user:ann")
    own = portfolio.account
    connect(portfolio, make_account(ann))
    give = {"portfolio_id": portfolio.pk, "user_id": bob.pk, "actor": "user:ann"}
    assert refusal(transfer_ownership, **give) == "account_is_personal"
    connect(portfolio, own)
    transfer_ownership(**give)
    own.refresh_from_db()
    assert own.owner == bob


def test_paper_that_another_portfolio_shares_stays(ann: User) -> None:
    first, second, bob = make_portfolio(ann), make_portfolio(ann, name="Other"), make_user("bob")
    connect(second, first.account)
    add_member(portfolio=first, user=bob, role=Role.TRADER, actor="user:ann")
    give = {"portfolio_id": first.pk, "user_id": bob.pk, "actor": "user:ann"}
    assert refusal(transfer_ownership, **give) == "account_is_personal"


def test_the_template_refuses_to_start(ann: User, settings: Any) -> None:
    settings.BROKERS = settings.BROKERS | {"new": "trading.brokers._template.TemplateBroker"}
    account = make_account(ann, adapter="new")
    with pytest.raises(ImproperlyConfigured, match="pattern to copy"):
        broker_for("new", account.code)
