"""Who owns what, and the append-only log of facts."""

from portfolios.models.accounts import Account, House
from portfolios.models.cells import Position, PositionQuerySet, SettingsPreset, SettingsVersion
from portfolios.models.doors import ApiToken, FailedTask, IdempotencyKey
from portfolios.models.log import Event, EventQuerySet
from portfolios.models.people import (
    ACTING_ROLES,
    Invitation,
    Membership,
    Portfolio,
    PortfolioQuerySet,
    Role,
    User,
)

__all__ = [
    "ACTING_ROLES",
    "Account",
    "ApiToken",
    "Event",
    "EventQuerySet",
    "FailedTask",
    "House",
    "IdempotencyKey",
    "Invitation",
    "Membership",
    "Portfolio",
    "PortfolioQuerySet",
    "Position",
    "PositionQuerySet",
    "Role",
    "SettingsPreset",
    "SettingsVersion",
    "User",
]
