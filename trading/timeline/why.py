"""One evaluation found again by its name, stored or computed, and what would have to differ for it to trade."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from portfolios.models import Event, Position
from trading.domain.choices import OPEN, Reason
from trading.domain.whatif import Case, Change, changes
from trading.market.models import Quote
from trading.quotes.reading import newest_until, quote_at
from trading.services.gates import Facts, shut_by
from trading.timeline import Waiting, comes_after
from trading.timeline.gaps import tells_gap
from trading.timeline.rows import (
    EPOCH,
    STORED,
    TRADES,
    EvaluationRow,
    computed_row,
    quote_at_of,
    stored_row,
    waiting_row,
)
from trading.timeline.walk import Walk

NAME = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(q?)([0-9]{1,17})")
INSTANT = timedelta(microseconds=1)
LATEST = 20


class Name(NamedTuple):
    """Of which cell; the event's seq, 0 where none was written: then the market time of the quote."""

    cell: UUID
    seq: int
    at: datetime


class Found(NamedTuple):
    """gates: what stood in the way of a trade then, by name with its value."""

    row: EvaluationRow
    case: Case
    gates: dict[str, str]

    @property
    def changes(self) -> tuple[Change, ...]:
        """Empty where it traded, and where nothing could be decided."""
        return () if self.row.waited else changes(self.case)

    @property
    def shut(self) -> dict[str, str]:
        return {name: self.gates[name] for name, gate in self.case.gates._asdict().items() if gate}


def name_in(text: str) -> Name | None:
    """None for what names no evaluation."""
    match = NAME.fullmatch(text)
    if match is None:
        return None
    number = int(match[3])
    try:
        return Name(UUID(match[1]), 0, EPOCH + number * INSTANT) if match[2] else Name(UUID(match[1]), number, EPOCH)
    except OverflowError:
        return None


def found(position: Position, name: Name) -> Found | None:
    """The evaluation of that name among the cell's, or None. Position with RELATED."""
    return stored(position, name.seq) if name.seq else computed(position, name.at)


def at_quote(position: Position, at: datetime) -> Found | None:
    """Of the newest quote up to then, whether it was written down or not."""
    quote = newest_until(position.symbol, position.source, at)
    if quote is None:
        return None
    written = Event.objects.of(position).filter(market_at__gte=quote.at, type__in=STORED).order_by("-seq")[:LATEST]
    seq = next((event.seq for event in written if quote_at_of(event) == quote.at), 0)
    return stored(position, seq) if seq else computed(position, quote.at)


def stored(position: Position, seq: int) -> Found | None:
    event = Event.objects.of(position).filter(seq=seq).first()
    if event is None or quote_at_of(event) is None:
        return None
    walk, log = Walk.up_to(position, event.market_at)
    for earlier in log:
        if earlier.pk == event.pk:
            break
        walk.add(earlier)
    row = waiting_row(walk, event) if tells_gap(event) else stored_row(walk, event, next(own(log, position), None))
    return row and asked(row, facts_of(walk, row, event.recorded_at))


def own(log: Iterator[Event], position: Position) -> Iterator[Event]:
    return (event for event in log if event.stream_id == position.public_id)


def computed(position: Position, at: datetime) -> Found | None:
    quote = quote_at(position.symbol, position.source, at)
    if quote is None:
        return None
    walk, log = Walk.up_to(position, at)
    events = Waiting(log).before(at + INSTANT)
    if any(quote_at_of(event) == at for event in events):
        return None
    for event in events:
        if comes_after(event, quote):
            break
        walk.add(event)
    if not walk.evaluates(quote):
        return None
    row = computed_row(walk, quote)
    return asked(row, facts_of(walk, row, quote.received_at))


def facts_of(walk: Walk, row: EvaluationRow, received_at: datetime) -> Facts:
    """What the gates would have asked then, had the price asked for a side."""
    quote = Quote(symbol=row.sight.symbol, source=row.sight.source, at=row.at, received_at=received_at)
    return told(walk.facts(quote, row.sight.moment, row.decision.side), row.gate_values)


def told(facts: Facts, values: dict[str, str]) -> Facts:
    """As the evaluation has it, where its gates were asked."""
    if not values:
        return facts
    return facts._replace(
        state=values["paused"],
        halted="" if values["halted"] == "no" else values["halted"],
        untrusted="" if values["unreconciled"] == "no" else values["unreconciled"],
        order_open=values["order_open"] == "yes",
        proposed=values["order_open"] not in ("yes", "no"),
        dup=values["dup"] == "yes",
        sent=int(values["daily_limit"].split()[0]),
    )


def asked(row: EvaluationRow, facts: Facts) -> Found:
    """A price that sets the anchor trades nothing, whatever else were so."""
    shut = shut_by(facts, row.rules, row.sight)
    holding = row.holding._replace(anchor=0) if row.decision.reason == Reason.NO_ANCHOR else row.holding
    gates = OPEN if row.decision.action in TRADES else shut.gates
    return Found(row, Case(holding, row.rules, row.sight.price, gates, facts.sent), shut.values)
