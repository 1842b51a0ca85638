"""Accounts at brokers: opened, named, armed and closed by their owners."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from portfolios.domain.amounts import MAX_AMOUNT, as_text
from portfolios.errors import Refused
from portfolios.events import EventType
from portfolios.models import Account, Portfolio, User
from portfolios.services.credentials import (
    HERE,
    WEBHOOK_SECRETS,
    credentials_of,
    locked,
    open_account,
    readable,
    rotate_credentials,
    rotate_webhook_secret,
    seal_credentials,
    tell,
)
from portfolios.services.guards import log_guards_missing
from portfolios.services.positions import refuse_unreasoned

__all__ = [
    "WEBHOOK_SECRETS",
    "credentials_of",
    "readable",
    "rotate_credentials",
    "rotate_webhook_secret",
    "seal_credentials",
]
PAPER, BY_HAND = "paper", "none"
MOST = 20
MAX_NAME = 80
MAX_LATENCY_MS = 86_400_000
LIVE, ACTIVE, CLOSED = Account.Mode.LIVE, Account.Status.ACTIVE, Account.Status.CLOSED


@transaction.atomic
def create_account(*, owner: User, name: str, adapter: str, mode: str, actor: str) -> Account:
    """An account of its owner's, empty. One at a broker trades once its books were found equal to ours.

    Raises Refused: invalid_name, unknown_adapter, mode_differs (422), too_many_accounts (409).
    """
    refuse_bad_name(name)
    refuse_bad_adapter(adapter, mode)
    User.objects.select_for_update().get(pk=owner.pk)
    if owner.accounts.exclude(state=CLOSED).count() >= MOST:
        raise Refused("too_many_accounts", f"at most {MOST} accounts can be open; close one first", status=409)
    return begin_account(owner=owner, name=name, adapter=adapter, mode=mode, actor=actor)


def begin_account(*, owner: User, name: str, adapter: str, mode: str, actor: str) -> Account:
    """Its row and the event its log begins with, inside the caller's transaction."""
    public_id = uuid.uuid4()
    account = Account.objects.create(
        public_id=public_id,
        owner=owner,
        name=name,
        code=f"{mode}:{public_id.hex}",
        adapter=adapter,
        mode=mode,
        reconciled_at=timezone.now() if adapter in HERE else None,  # nothing is in it, and nothing elsewhere
    )
    tell(account, EventType.ACCOUNT_CREATED, f"{name} is an account at {adapter}, {mode}.", actor)
    return account


@transaction.atomic
def rename_account(*, account_id: int, name: str, actor: str) -> Account:
    """The same name again changes nothing. Raises Refused: invalid_name (422), account_closed (409)."""
    refuse_bad_name(name)
    account = open_account(account_id)
    if account.name == name:
        return account
    before, account.name = account.name, name
    account.save(update_fields=["name"])
    tell(account, EventType.ACCOUNT_CHANGED, f"{before} is now called {name}.", actor, before=before, after=name)
    return account


@transaction.atomic
def set_paper_terms(*, account_id: int, latency_ms: int, most_per_quote: int, actor: str) -> Account:
    """How slowly (market time) and how much (micro-shares a quote, 0 for all) the paper venue fills.

    Raises Refused: not_on_paper, account_closed (409), out_of_range (422).
    """
    account = open_account(account_id)
    if account.adapter != PAPER:
        raise Refused("not_on_paper", "only the paper venue lets itself be told how it fills", status=409)
    if not 0 <= latency_ms <= MAX_LATENCY_MS:
        raise Refused("out_of_range", f"must be from 0 to {MAX_LATENCY_MS}", field="latency_ms")
    if not 0 <= most_per_quote <= MAX_AMOUNT:
        raise Refused("out_of_range", "must be from 0 to 1000000000000", field="most_per_quote")
    if (account.latency_ms, account.most_per_quote) == (latency_ms, most_per_quote):
        return account
    account.latency_ms, account.most_per_quote = latency_ms, most_per_quote
    account.save(update_fields=["latency_ms", "most_per_quote"])
    terms = {"latency_ms": str(latency_ms), "most_per_quote": as_text(most_per_quote)}
    tell(account, EventType.ACCOUNT_CHANGED, "The paper venue fills otherwise from now on.", actor, **terms)
    return account


@transaction.atomic
def arm_account(*, account_id: int, name: str, reason: str, actor: str) -> Account:
    """From now on orders may leave for real. Arming what is armed changes nothing.

    Raises Refused: invalid_reason, name_differs (422), nothing_to_arm, account_closed, not_reconciled,
    credentials_unreadable, log_unguarded (409), credentials_key_unusable (503).
    """
    refuse_unreasoned(reason)
    account = open_account(account_id)
    if account.mode != LIVE or account.adapter in HERE:
        raise Refused("nothing_to_arm", "only a live account at a broker is armed", status=409)
    if name != account.name:
        raise Refused("name_differs", "type the account's name exactly as it is written", field="name")
    if account.armed_at:
        return account
    refuse_unready(account)
    set_armed(account, timezone.now())
    tell(account, EventType.ARMED, f"Live trading is armed: {reason}", actor, reason=reason)
    return account


def refuse_unready(account: Account) -> None:
    """Books compared and equal, credentials that can be read, and a log that nobody can quietly change."""
    doubted = account.doubted_at and account.reconciled_at and account.reconciled_at <= account.doubted_at
    if account.state != ACTIVE or account.reconciled_at is None or doubted:
        raise Refused("not_reconciled", "its books have not been found equal to ours yet", status=409)
    credentials_of(account)
    missing = log_guards_missing()
    if missing:
        raise Refused("log_unguarded", f"the log is not protected: {'; '.join(missing[:3])}", status=409)


@transaction.atomic
def disarm_account(*, account_id: int, reason: str, actor: str) -> Account:
    """No order leaves any more; what rests at the broker stays there. Disarming twice changes nothing."""
    refuse_unreasoned(reason)
    account = locked(account_id)
    if account.armed_at:
        set_armed(account, None)
        tell(account, EventType.DISARMED, f"Live trading is disarmed: {reason}", actor, reason=reason)
    return account


@transaction.atomic
def close_account(*, account_id: int, actor: str) -> Account:
    """For good, once no open portfolio sends its orders there: its credentials are forgotten. Twice is once.

    Raises Refused account_in_use (409).
    """
    account = locked(account_id)
    if account.state == CLOSED:
        return account
    in_use = account.portfolios.exclude(state=Portfolio.Status.CLOSED).count()
    if in_use:
        raise Refused("account_in_use", f"connect its portfolios elsewhere or close them: {in_use} left", status=409)
    account.sealed, account.armed_at = "", None
    account.save(update_fields=["sealed", "armed_at"])
    tell(account, EventType.ACCOUNT_CHANGED, "The account is closed.", actor, state=CLOSED)
    return account


def hand_over(*, portfolio: Portfolio, heir: User, actor: str) -> None:
    """Whoever gets a portfolio gets its paper with it; a broker's contract is with its owner and stays his.

    Raises Refused account_is_personal (409).
    """
    account = locked(portfolio.account_id)
    if account.owner_id == heir.pk:
        return
    if account.adapter not in HERE or account.portfolios.exclude(pk=portfolio.pk).exists():
        message = "connect the portfolio to a paper account of its own first: this one is yours alone"
        raise Refused("account_is_personal", message, status=409)
    account.owner = heir
    account.save(update_fields=["owner"])
    tell(account, EventType.ACCOUNT_CHANGED, f"It belongs to {heir.get_username()} from now on.", actor)


def set_armed(account: Account, at: datetime | None) -> None:
    account.armed_at = at
    account.save(update_fields=["armed_at"])


def refuse_bad_name(name: str) -> None:
    if not (name.strip() == name and name.isprintable() and 0 < len(name) <= MAX_NAME):
        raise Refused("invalid_name", f"a name has 1 to {MAX_NAME} printable characters", field="name")


def refuse_bad_adapter(adapter: str, mode: str) -> None:
    """What is filled by hand happened for real; the paper venue never does."""
    if adapter not in settings.BROKERS:
        raise Refused("unknown_adapter", f"must be one of {', '.join(sorted(settings.BROKERS))}", field="adapter")
    modes = {PAPER: ("paper",), BY_HAND: ("live",)}.get(adapter, ("paper", "live"))
    if mode not in modes:
        raise Refused("mode_differs", f"an account at {adapter} is {' or '.join(modes)}", field="mode")
