"""Who owns what, and the append-only log of facts."""

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
    "ApiToken",
    "Event",
    "EventQuerySet",
    "FailedTask",
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
