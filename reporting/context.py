"""What every page shows: the market date of replayed history."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from reporting.selectors.facts import market_clocks
from trading.market.models import MarketClock


def market(request: HttpRequest) -> dict[str, Any]:
    """Nothing is asked for pages that do not show them."""
    return {"market_clocks": SimpleLazyObject(lambda: clocks_for(request))}


def clocks_for(request: HttpRequest) -> list[MarketClock]:
    """The clocks of replayed markets, read once for all that one answer says."""
    known = vars(request)
    if "market_clocks" not in known:
        known["market_clocks"] = market_clocks()
    clocks: list[MarketClock] = known["market_clocks"]
    return clocks
