"""What a page of a live portfolio says of its market: whose prices, and whether they come at present."""

from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from trading.market import feeds
from trading.market.calendars import DEFAULT_EXCHANGE, Phase, calendar_for

PHASES = {
    Phase.PRE: "before its session",
    Phase.REGULAR: "in its session",
    Phase.POST: "after its session",
    Phase.CLOSED: "closed",
}


class LiveMarket(NamedTuple):
    """lacks: what this house lacks before prices can come. opens_at: the next opening, None while it is open."""

    prices: str
    lacks: str
    phase: str
    opens_at: datetime | None


def live_market(source: str) -> LiveMarket | None:
    """None for a record. Of the American exchanges, which have one calendar."""
    if source in settings.RECORDED_SOURCES:
        return None
    calendar, now = calendar_for(DEFAULT_EXCHANGE), timezone.now()
    phase = calendar.phase(now)
    opens_at = None if phase is Phase.REGULAR else calendar.next_open(now)
    return LiveMarket(feeds.in_words(source), feeds.missing_for(source), PHASES[phase], opens_at)
