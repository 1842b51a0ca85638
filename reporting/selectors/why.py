"""The answer to "why not?" on a timeline: of one event, or of the newest quote, written down or not."""

from datetime import datetime
from typing import NamedTuple

from portfolios.models import Position
from reporting.differing import WhyNot, why_not
from reporting.wording import reason_in_words
from trading.market.selectors import market_now
from trading.timeline.rows import EPOCH
from trading.timeline.why import Found, Name, at_quote, found

NEWEST = "now"


class Asked(NamedTuple):
    """seq: of the event, or 0 for the newest quote."""

    seq: int
    price: int
    at: datetime
    answer: WhyNot


def asked_why(position: Position, which: str, at: datetime | None = None) -> Asked | None:
    """which: an event's seq, or `now`: at `at` or at this moment. None where nothing was evaluated."""
    if which == NEWEST:
        return answered(0, at_quote(position, at or market_now(position.source)))
    if which.isascii() and which.isdigit() and len(which) < 16 and int(which):
        return answered(int(which), found(position, Name(position.public_id, int(which), EPOCH)))
    return None


def answered(seq: int, evaluation: Found | None) -> Asked | None:
    if evaluation is None:
        return None
    answer = why_not(evaluation.case, evaluation.changes, evaluation.shut)
    if evaluation.row.waited:
        answer = WhyNot(f"Nothing could be decided: {reason_in_words(evaluation.row.waited)}.", [])
    return Asked(seq, evaluation.case.price, evaluation.row.at, answer)
