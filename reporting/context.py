"""What every page shows: the market date of replayed history."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from trading.market.models import MarketClock


def market(request: HttpRequest) -> dict[str, Any]:
    """The clocks of replayed markets: one query, and none on pages that do not show them."""
    return {"market_clocks": SimpleLazyObject(lambda: list(MarketClock.objects.order_by("source")))}
