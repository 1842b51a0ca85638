"""API tokens: shown once, stored as a hash, narrowed by scopes, expiring, revocable."""

import hashlib
import secrets
import string
from collections.abc import Collection
from datetime import timedelta

from django.utils import timezone

from portfolios.errors import Refused
from portfolios.models import ApiToken, User
from portfolios.prepared import PreparedRead, Slot

SCOPES = ("read", "simulate", "propose", "trade", "admin")
MAX_DAYS = 3_650
MAX_NAME = 80
MARK = "vb_"
PREFIX_LETTERS = string.ascii_lowercase + string.digits
USE_NOTED_EVERY = timedelta(minutes=1)
LIVING = PreparedRead(
    lambda: ApiToken.objects.select_related("user").filter(
        digest=Slot("digest"), revoked_at=None, expires_at__gt=Slot("now"), user__is_active=True
    )
)


def create_token(*, user: User, name: str, scopes: Collection[str], days: int) -> tuple[ApiToken, str]:
    """A token and its secret, shown this once. Raises Refused: unknown_scope, invalid_name, out_of_range."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise Refused("unknown_scope", f"scopes must be among {', '.join(SCOPES)}", field="scopes")
    if not (name.strip() and name.isprintable() and len(name) <= MAX_NAME):
        raise Refused("invalid_name", f"a name has 1 to {MAX_NAME} printable characters", field="name")
    if not 1 <= days <= MAX_DAYS:
        raise Refused("out_of_range", f"must be from 1 to {MAX_DAYS} days", field="days")
    prefix = "".join(secrets.choice(PREFIX_LETTERS) for _ in range(8))
    secret = f"{MARK}{prefix}{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=prefix,
        digest=digest_of(secret),
        scopes=[scope for scope in SCOPES if scope in scopes],
        expires_at=timezone.now() + timedelta(days=days),
    )
    return token, secret


def find_token(secret: str) -> ApiToken | None:
    """The living token with this secret, its user with it; its use is noted once a minute."""
    now = timezone.now()
    token = LIVING.first(digest=digest_of(secret), now=now)
    if token and (token.last_used_at is None or token.last_used_at < now - USE_NOTED_EVERY):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def revoke_token(*, token_id: int) -> None:
    """From now on the token opens nothing. Revoking twice keeps the first time."""
    ApiToken.objects.filter(pk=token_id, revoked_at=None).update(revoked_at=timezone.now())


def digest_of(secret: str) -> str:
    """256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
