"""What every page says of proposals: how many wait for the visitor's answer."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from trading.models import Order


def proposals(request: HttpRequest) -> dict[str, SimpleLazyObject]:
    """Nothing is asked for pages that do not show it."""
    return {"proposals_waiting": SimpleLazyObject(lambda: waiting_for(request))}


def waiting_for(request: HttpRequest) -> int:
    """In portfolios where he may answer, counted once for one answer."""
    known = vars(request)
    if "proposals_waiting" not in known:
        known["proposals_waiting"] = Order.objects.steered_by(request.user).filter(status="proposed").count()
    count: int = known["proposals_waiting"]
    return count
