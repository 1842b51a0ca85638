"""Credentials of brokers: kept encrypted, read by adapters alone, shown to nobody, moved to a new key."""

from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from portfolios.errors import Refused
from portfolios.models import Account, Event
from portfolios.services.accounts import credentials_of, rotate_credentials, seal_credentials
from tests.factories import make_portfolio

pytestmark = pytest.mark.django_db
SECRET = "never-to-be-seen"
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def account(settings: Any) -> Account:
    settings.CREDENTIAL_KEYS = [OLD]
    made = make_portfolio().account
    return seal_credentials(account_id=made.pk, given={"key": "id", "secret": SECRET}, actor="user:ann")


def test_credentials_come_back_as_given_and_lie_encrypted(account: Account) -> None:
    assert credentials_of(account)["secret"] == SECRET
    assert SECRET not in account.sealed


def test_printed_they_name_their_keys_alone(account: Account) -> None:
    found = credentials_of(account)
    assert f"{found} {found!r} {account!r} {account}".count(SECRET) == 0
    assert "secret" in repr(found)


def test_the_log_says_that_they_changed_and_by_whom_and_not_what_they_are(account: Account) -> None:
    event = Event.objects.of(account).exclude(type="account_created").get()
    assert (event.type, event.actor) == ("account_changed", "user:ann")
    assert SECRET not in event.text


def test_a_new_key_reads_the_old_ones_work_and_rotation_moves_it_over_once(account: Account, settings: Any) -> None:
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    assert rotate_credentials() == (1, 0, [])
    assert rotate_credentials() == (0, 1, [])
    settings.CREDENTIAL_KEYS = [NEW]
    account.refresh_from_db()
    assert credentials_of(account)["secret"] == SECRET


def test_the_command_says_in_one_line_what_it_did(account: Account, settings: Any) -> None:
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    said = StringIO()
    call_command("rotate_credentials", stdout=said)
    assert said.getvalue() == "1 re-encrypted, 0 already under the newest key, 0 unreadable\n"


def test_a_lost_key_is_said_and_names_no_secret(account: Account, settings: Any) -> None:
    settings.CREDENTIAL_KEYS = [NEW]
    with pytest.raises(Refused, match="VBALANCE_CREDENTIAL_KEYS") as refused:
        credentials_of(account)
    assert (refused.value.code, refused.value.__cause__) == ("credentials_unreadable", None)
    heard = StringIO()
    with pytest.raises(CommandError):
        call_command("rotate_credentials", stdout=StringIO(), stderr=heard)
    assert account.code in heard.getvalue()


@pytest.mark.parametrize("keys", [[], ["short"], ["é" * 44]])
def test_keys_that_are_none_are_said_without_being_repeated(account: Account, settings: Any, keys: list[str]) -> None:
    settings.CREDENTIAL_KEYS = keys
    with pytest.raises(Refused) as refused:
        credentials_of(account)
    assert refused.value.code == "credentials_key_unusable"
    assert all(key not in refused.value.message for key in keys)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"": "x"},
        {"a b": "x"},
        {"webhook_secrets": "x"},
        {"key": ""},
        {"key": "x" * 5_000},
        {"key": "\x00"},
        {"key": 1},
        {"k" * 41: "x"},
        {f"k{number}": "x" for number in range(21)},
    ],
)
def test_what_is_no_credential_is_refused_without_being_repeated(account: Account, given: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        seal_credentials(account_id=account.pk, given=given, actor="user:ann")
    assert (refused.value.code, refused.value.status) == ("invalid_fields", 422)
    assert credentials_of(Account.objects.get(pk=account.pk))["secret"] == SECRET
