"""The timeline of one cell: its log, newest first, each event with the decision that caused it."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import F

from portfolios.events import EventType
from portfolios.models import Event, Position
from reporting.happening import Happening

PAGE = 50
WRITTEN = (EventType.ORDER_PROPOSED, EventType.ORDER_INTENT)
DECISIONS = (EventType.EVALUATED, EventType.SKIPPED, EventType.GUARDRAIL_REBALANCE)
FILTERS: dict[str, tuple[str, ...]] = {
    "all": (),
    "trades": (
        EventType.ORDER_FILLED,
        EventType.ORDER_PARTIALLY_FILLED,
        EventType.LATE_FILL,
        EventType.OVERFILL,
        EventType.ORDER_CANCELLED,
        EventType.ORDER_REJECTED,
        EventType.ORDER_EXPIRED,
        EventType.ORDER_UNKNOWN,
        EventType.ORDER_CANCELLING,
        EventType.ORDER_PROPOSED,
        EventType.CORRECTION,
        EventType.REPAIRED,
    ),
    "skips": (EventType.SKIPPED,),
    "dividends": (
        EventType.EX_DIVIDEND,
        EventType.DIVIDEND_PAID,
        EventType.DIVIDEND_CORRECTED,
        EventType.ANCHOR_CLEARED,
        EventType.SPLIT,
    ),
    "halts": (EventType.HALTED, EventType.REARMED, EventType.QUARANTINED, EventType.RELEASED),
    "settings": (
        EventType.POSITION_CREATED,
        EventType.DEPOSITED,
        EventType.WITHDRAWN,
        EventType.ADJUSTED,
        EventType.SETTINGS_CHANGED,
        EventType.LOT_CHANGED,
        EventType.ANCHOR_SET,
        EventType.ANCHOR_RESET,
        EventType.PAUSED,
        EventType.RESUMED,
        EventType.CLOSED,
    ),
}


class Timeline(NamedTuple):
    """older: the cursor of the next page, or None at the beginning of the log."""

    chosen: str
    rows: list[Happening]
    older: int | None
    newest: bool


def timeline_of(position: Position, chosen: str, *, before: int | None, last: Event | None = None) -> Timeline:
    """Up to the event `last`, or all there is."""
    events = Event.objects.of(position).order_by("-seq")
    if last is not None:
        events = events.filter(seq__lte=last.seq)
    if FILTERS[chosen]:
        events = events.filter(type__in=FILTERS[chosen])
    if before is not None:
        events = events.filter(seq__lt=before)
    found = list(events[: PAGE + 1])
    shown = found[:PAGE]
    return Timeline(chosen, with_causes(position, shown), shown[-1].seq if len(found) > PAGE else None, before is None)


def with_causes(position: Position, events: Sequence[Event]) -> list[Happening]:
    """Each event beside the decision that wrote its order, in one query: intents, and what stands just before them."""
    orders = {event.subject for event in events if event.subject}
    log = Event.objects.filter(stream_id=position.public_id)
    written = log.filter(type__in=WRITTEN, subject__in=orders)
    before = log.filter(seq__in=written.values(before=F("seq") - 1), type__in=DECISIONS)
    found = {event.seq: event for event in written.union(before, all=True)} if orders else {}
    causes = {
        event.subject: Happening(found[event.seq - 1], found[event.seq - 1].content)
        for event in found.values()
        if event.type in WRITTEN and event.seq - 1 in found and found[event.seq - 1].type in DECISIONS
    }
    return [Happening(event, event.content, cause=causes.get(event.subject)) for event in events]
