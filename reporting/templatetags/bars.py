"""When a bar begins, in New York's words."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django import template

from trading.bars.resolutions import DAILY, WORDS

register = template.Library()
NEW_YORK = ZoneInfo("America/New_York")


@register.filter
def bar_lasts(resolution: str) -> str:
    return WORDS[resolution]


@register.filter
def bar_moment(begins: int, resolution: str) -> str:
    """From seconds of the epoch: "9 Jun 2014", "9 Jun 2014, 09:30 New York"."""
    at = datetime.fromtimestamp(begins, UTC)
    at = at if resolution == DAILY else at.astimezone(NEW_YORK)
    return f"{at.day} {at:%b %Y}" + ("" if resolution == DAILY else f", {at:%H:%M} New York")
