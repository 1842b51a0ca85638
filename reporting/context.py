"""What every page shows: the market date of replayed history, and what is halted."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from reporting.selectors.console import halts_in_force
from reporting.selectors.facts import market_clocks
from trading.market.models import MarketClock
from trading.risk.models import Halt


def market(request: HttpRequest) -> dict[str, Any]:
    """Nothing is asked for pages that do not show them."""
    return {
        "market_clocks": SimpleLazyObject(lambda: clocks_for(request)),
        "halts_in_force": SimpleLazyObject(lambda: halts_for(request)),
    }


def halts_for(request: HttpRequest) -> list[Halt]:
    """Those in force over anything the visitor sees, read once for one answer."""
    known = vars(request)
    if "halts_in_force" not in known:
        known["halts_in_force"] = halts_in_force(request.user)
    halts: list[Halt] = known["halts_in_force"]
    return halts


def clocks_for(request: HttpRequest) -> list[MarketClock]:
    """The clocks of replayed markets, read once for all that one answer says."""
    known = vars(request)
    if "market_clocks" not in known:
        known["market_clocks"] = market_clocks()
    clocks: list[MarketClock] = known["market_clocks"]
    return clocks
