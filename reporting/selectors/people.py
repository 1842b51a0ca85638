"""What the pages about people show: who is in a portfolio, and what one person has open."""

from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone

from portfolios.identity.models import Identity, Session
from portfolios.identity.provider import is_configured
from portfolios.models import ApiToken, Invitation, Membership, Portfolio, Role


class Members(NamedTuple):
    portfolio: Portfolio
    mine: Membership
    memberships: list[Membership]
    invitations: list[Invitation]

    @property
    def is_owner(self) -> bool:
        return self.mine.role == Role.OWNER

    @property
    def others(self) -> list[Membership]:
        return [membership for membership in self.memberships if membership.pk != self.mine.pk]


def members_of(portfolio: Portfolio, user: Any) -> Members:
    """Everybody in it sees who is in it; who is invited, only the owner."""
    memberships = list(portfolio.memberships.select_related("user").order_by("pk"))
    mine = next(membership for membership in memberships if membership.user_id == user.pk)
    open_ones = Invitation.objects.none()
    if mine.role == Role.OWNER:
        open_ones = portfolio.invitations.open_at(timezone.now()).order_by("pk")
    return Members(portfolio, mine, memberships, list(open_ones))


class Profile(NamedTuple):
    sessions: list[Session]
    tokens: list[ApiToken]
    identities: list[Identity]
    has_password: bool
    single_sign_on: str


def profile_of(user: Any) -> Profile:
    now = timezone.now()
    living = Session.objects.filter(user=user, seen_at__gte=now - settings.SESSION_IDLE)
    living = living.filter(began_at__gte=now - settings.SESSION_ABSOLUTE).defer("session_data")
    recent = now - timedelta(days=30)
    tokens = ApiToken.objects.filter(user=user, expires_at__gte=recent).order_by("-pk")
    return Profile(
        list(living.order_by("-seen_at")),
        list(tokens[:100]),
        list(user.identities.order_by("pk")),
        user.has_usable_password(),
        settings.OIDC_NAME if is_configured() else "",
    )
