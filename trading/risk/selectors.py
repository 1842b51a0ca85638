"""May this cell trade: halts in force, and whether its account's books are known to be right."""

from datetime import datetime, timedelta

from django.utils import timezone

from portfolios.models import Account, Position
from trading.risk.models import Halt

HERE = ("paper", "none")  # adapters whose books cannot drift away while we are not looking
GOOD_FOR = timedelta(minutes=5)
BEATS_MISSED = 3


def halt_over(position: Position) -> Halt | None:
    """The oldest halt that stops this cell. Position with `portfolio`."""
    return Halt.objects.over(position).order_by("pk").first()


def why_untrusted(account: Account, now: datetime | None = None) -> str:
    """Why nothing may be sent to this account, in words; empty when it may."""
    now = now or timezone.now()
    if account.state != Account.Status.ACTIVE:
        return f"the account is {account.state}"
    if account.mode == Account.Mode.LIVE and account.adapter != "none" and account.armed_at is None:
        return "live trading is not armed"
    if account.reconciled_at is None or (account.doubted_at and account.reconciled_at <= account.doubted_at):
        return "its books have not been compared yet"
    if account.adapter in HERE:
        return ""
    if now - account.reconciled_at > GOOD_FOR:
        return "its books were compared too long ago"
    if account.heartbeat_seconds and is_silent(account, now):
        return "its fill channel is silent"
    return ""


def is_silent(account: Account, now: datetime) -> bool:
    patience = timedelta(seconds=account.heartbeat_seconds * BEATS_MISSED)
    return account.heard_at is None or now - account.heard_at > patience
