"""Staff looking at what is not theirs: allowed, in admin alone, and never unnoticed."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from portfolios.events import EventType
from portfolios.models import Portfolio, User
from portfolios.services.journal import Journal


@transaction.atomic
def note_staff_view(*, portfolio_id: int, staff: User, what: str, subject: UUID | None = None) -> None:
    """An event in the portfolio's stream, unless he is a member of it."""
    portfolio = Portfolio.objects.select_for_update(no_key=True).get(pk=portfolio_id)
    if portfolio.memberships.filter(user=staff).exists():
        return
    name = staff.get_username()
    journal = Journal(portfolio, market_at=timezone.now(), actor=f"user:{name}")
    journal.add(EventType.STAFF_VIEWED, f"{name} of the staff looked at: {what}.", subject=subject)
    journal.write()
