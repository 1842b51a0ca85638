"""What an account's broker asks for, and what its webhook is signed with: written by its owner, read by adapters."""

import base64
import secrets
from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from portfolios.errors import Refused
from portfolios.events import EventType
from portfolios.models import Account
from portfolios.services.journal import Journal
from portfolios.services.vault import Credentials, resealed, seal, unseal

MOST_CREDENTIALS = 20
MAX_CREDENTIAL = 4_096
WEBHOOK_SECRETS = "webhook_secrets"
HERE = ("paper", "none")  # nobody at the far end: nothing to arm, and nothing to be kept from an heir


@transaction.atomic
def seal_credentials(*, account_id: int, given: Mapping[str, str], actor: str) -> Account:
    """Replace what its broker asks for; the webhook's secrets stay. The event says that they changed and by whom.

    They may open another account: the books are compared anew, and live trading is armed anew. Raises Refused:
    invalid_fields (422), account_closed (409), credentials_key_unusable (503).
    """
    refuse_bad_credentials(given)
    account = open_account(account_id)
    kept = {name: value for name, value in readable(account).items() if name == WEBHOOK_SECRETS}
    account.sealed = seal({**given, **kept})
    account.armed_at = None
    account.doubted_at = account.doubted_at if account.adapter in HERE else timezone.now()
    account.save(update_fields=["sealed", "armed_at", "doubted_at"])
    tell(account, EventType.ACCOUNT_CHANGED, "Its credentials were replaced.", actor)
    return account


def credentials_of(account: Account) -> Credentials:
    """For adapters and the webhook alone. Raises Refused: credentials_unreadable (409), _key_unusable (503)."""
    return unseal(account.sealed)


@transaction.atomic
def rotate_webhook_secret(*, account_id: int, actor: str) -> str:
    """A new secret, shown this once; the one before it is still good, until the next."""
    account = open_account(account_id)
    known = readable(account)
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    account.sealed = seal({**known, WEBHOOK_SECRETS: [secret, *known.get(WEBHOOK_SECRETS, [])[:1]]})
    account.save(update_fields=["sealed"])
    tell(account, EventType.ACCOUNT_CHANGED, "Its webhook has a new secret.", actor)
    return secret


def readable(account: Account) -> Credentials:
    """What can be read of them: what was encrypted under a lost key is lost, and replaced."""
    try:
        return credentials_of(account)
    except Refused:
        return Credentials()


def is_readable(account: Account) -> bool:
    try:
        credentials_of(account)
    except Refused:
        return False
    return True


def rotate_credentials() -> tuple[int, int, list[str]]:
    """Everything under the newest key: how many were changed, how many were so already, which cannot be read."""
    changed, unreadable = 0, []
    accounts = Account.objects.exclude(sealed="").order_by("pk")
    for pk, code in accounts.values_list("pk", "code"):
        try:
            changed += rotate(pk)
        except Refused:
            unreadable.append(code)
    return changed, accounts.count() - changed - len(unreadable), unreadable


@transaction.atomic
def rotate(account_id: int) -> bool:
    account = locked(account_id)
    sealed = resealed(account.sealed)
    if sealed == account.sealed:
        return False
    Account.objects.filter(pk=account.pk).update(sealed=sealed)
    return True


def locked(account_id: int) -> Account:
    return Account.objects.select_for_update(no_key=True).get(pk=account_id)


def open_account(account_id: int) -> Account:
    """Locked. Raises Refused account_closed (409)."""
    account = locked(account_id)
    if account.state == Account.Status.CLOSED:
        raise Refused("account_closed", "this account is closed", status=409)
    return account


def tell(account: Account, kind: EventType, words: str, actor: str, *, state: str | None = None, **inputs: str) -> None:
    """One event in the account's stream; no secret ever goes into it."""
    journal = Journal(account, market_at=timezone.now(), actor=actor)
    journal.add(kind, words, state=state, inputs=inputs)
    if state:
        account.state = state
    journal.write()


def refuse_bad_credentials(given: Mapping[str, str]) -> None:
    """The message names a field and never what stands in it."""
    if not 0 < len(given) <= MOST_CREDENTIALS:
        raise Refused("invalid_fields", f"name 1 to {MOST_CREDENTIALS} credentials", field="credentials")
    for name, value in given.items():
        if not (name.isascii() and name.isidentifier() and len(name) <= 40) or name == WEBHOOK_SECRETS:
            raise Refused("invalid_fields", "a credential's name is a word like key or secret", field="credentials")
        if not isinstance(value, str) or not 0 < len(value) <= MAX_CREDENTIAL or "\x00" in value:
            raise Refused("invalid_fields", f"must be text of 1 to {MAX_CREDENTIAL} characters", field=name)
