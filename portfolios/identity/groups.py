"""What a provider's groups open here, as OIDC_ROLES says: `robot-admins=staff, desk=trader@<portfolio's id>`."""

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

STAFF = "staff"
ROLES = ("viewer", "trader")  # the later opens more
CLAIMS = ("groups", "cognito:groups", "roles")


class Grant(NamedTuple):
    group: str
    role: str
    portfolio: UUID | None


def read_grants(text: str) -> list[Grant]:
    """Raises ValueError with a sentence for whoever wrote it."""
    return [read_grant(part.strip()) for part in text.split(",") if part.strip()]


def read_grant(text: str) -> Grant:
    group, _, given = text.rpartition("=")
    role, _, portfolio = given.partition("@")
    if not group or (role != STAFF and role not in ROLES) or (role == STAFF) == bool(portfolio):
        raise ValueError(f"{text!r} is neither group=staff nor group=viewer@id nor group=trader@id")
    try:
        return Grant(group, role, UUID(portfolio) if portfolio else None)
    except ValueError:
        raise ValueError(f"{portfolio!r} is no portfolio's id") from None


def groups_in(claims: dict[str, Any], claim: str) -> list[str]:
    """The groups a token names, under the claim that is configured or the ones providers use."""
    for name in (claim,) if claim else CLAIMS:
        found = claims.get(name)
        if isinstance(found, str):
            return [found]
        if isinstance(found, list):
            return [group for group in found if isinstance(group, str)]
    return []


def is_staff(grants: Collection[Grant], groups: Collection[str]) -> bool:
    return any(grant.role == STAFF and grant.group in groups for grant in grants)


def roles_by_portfolio(grants: Collection[Grant], groups: Collection[str]) -> dict[UUID, str | None]:
    """For every portfolio that grants speak of: the highest role these groups have in it, or None."""
    roles: dict[UUID, str | None] = {grant.portfolio: None for grant in grants if grant.portfolio}
    for role in ROLES:
        roles |= {
            grant.portfolio: role
            for grant in grants
            if grant.role == role and grant.group in groups and grant.portfolio
        }
    return roles
