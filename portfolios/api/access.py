"""Whose portfolio is it: found for its members, 404 for everybody else, 403 for a role that may not do this."""

from uuid import UUID

import structlog
from rest_framework.request import Request

from portfolios.api.problems import Problem, not_found
from portfolios.models import ACTING_ROLES, Membership, Portfolio, Role


def portfolio_for(request: Request, public_id: str, *, steer: bool = False, own: bool = False) -> Portfolio:
    """Raises Problem: 404 portfolio_not_found, 403 read_only, 403 owners_only."""
    mine = Membership.objects.filter(user=request.user.pk, portfolio__public_id=uuid_or_404(public_id, "portfolio"))
    membership = mine.select_related("portfolio__settings_version").first()
    if membership is None:
        raise not_found("portfolio")
    structlog.contextvars.bind_contextvars(portfolio_id=membership.portfolio_id)
    if (steer or own) and membership.role not in ACTING_ROLES:
        raise read_only()
    if own and membership.role != Role.OWNER:
        raise Problem(403, "owners_only", "Only an owner of this portfolio may do this.")
    return membership.portfolio


def uuid_or_404(text: str, thing: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise not_found(thing) from None


def read_only() -> Problem:
    return Problem(403, "read_only", "Your role in this portfolio is to look, not to act.")
