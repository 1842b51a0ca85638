"""Writes facts: the events of one locked row, chained in memory and stored together with what they did to it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Model
from django.utils import timezone

from portfolios.domain.amounts import as_text
from portfolios.domain.chain import canonical_text, chained_hash
from portfolios.domain.fold import Change, after
from portfolios.events import EventType
from portfolios.models import Account, Event, House, Portfolio, Position
from portfolios.prepared import Keep, new_row, store
from portfolios.selectors import EffectiveRules
from portfolios.services.rule_version import rule_version

POSITION_FIELDS = (
    "shares",
    "cash",
    "receivable",
    "reserved_cash",
    "reserved_shares",
    "anchor",
    "state",
    "quote_at",
    "skip_mark",
    "event_seq",
    "event_hash",
)
STREAM_FIELDS = ("state", "event_seq", "event_hash")


Row = Position | Portfolio | Account | House
STREAMS: dict[type[Row], Event.Stream] = {
    Position: Event.Stream.POSITION,
    Portfolio: Event.Stream.PORTFOLIO,
    Account: Event.Stream.ACCOUNT,
    House: Event.Stream.GLOBAL,
}


class Journal:
    """Collects events for one locked row that has a stream; `write` stores them and the row in one go.

    `keep`: what stores them; where many rows are written together, what collects them.
    """

    def __init__(
        self,
        row: Row,
        *,
        market_at: datetime,
        actor: str,
        effective: EffectiveRules | None = None,
        keep: Keep = store,
    ) -> None:
        self.row = row
        self.market_at = market_at
        self.actor = actor
        self.effective = effective
        self.keep = keep
        self.events: list[Event] = []
        self.added: list[Model] = []  # rows of one model that the events tell of, stored with them

    def add(
        self,
        kind: EventType,
        message: str,
        *,
        subject: UUID | None = None,
        shares: int = 0,
        cash: int = 0,
        receivable: int = 0,
        reserved_cash: int = 0,
        reserved_shares: int = 0,
        anchor: int | None = None,
        state: str | None = None,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> Event:
        """One more fact. Amounts are what it adds; anchor and state are what it leaves behind (None: as they are)."""
        row = self.row
        change = Change(
            shares,
            cash,
            receivable,
            reserved_cash,
            reserved_shares,
            (row.anchor if isinstance(row, Position) else 0) if anchor is None else anchor,
            row.state if state is None else state,
        )
        event = new_row(
            Event,
            portfolio_id=portfolio_of(row),
            stream=STREAMS[type(row)],
            stream_id=row.public_id,
            seq=row.event_seq + 1,
            type=kind,
            market_at=self.market_at,
            recorded_at=timezone.now(),
            actor=self.actor,
            subject=subject,
            prev_hash=row.event_hash,
            **change._asdict(),
        )
        event.text = canonical_text(content_of(event, self.effective, inputs or {}, outputs or {}, message))
        event.hash = chained_hash(event.prev_hash, event.text)
        row.event_seq, row.event_hash = event.seq, event.hash
        if isinstance(row, Position):
            apply(row, change)
        self.events.append(event)
        return event

    def write(self, *, band: tuple[int, int] | None = None, also: tuple[str, ...] = ()) -> None:
        """Store events and row, and of it `also` what is no amount. Without a band the database wakes what changed."""
        fields = POSITION_FIELDS if isinstance(self.row, Position) else STREAM_FIELDS
        if isinstance(self.row, Position) and band is not None:
            self.row.wake_below, self.row.wake_above = band
            fields = (*fields, "wake_below", "wake_above")
        self.keep([self.added, self.events], self.row, (*fields, *also))


def portfolio_of(row: Row) -> int | None:
    """Whose members may read the event; what happens to accounts and the house belongs to no portfolio."""
    if isinstance(row, Position):
        return row.portfolio_id
    return row.pk if isinstance(row, Portfolio) else None


def apply(position: Position, change: Change) -> None:
    state = after(position.folded, change)
    for name, value in state._asdict().items():
        setattr(position, name, value)


def content_of(
    event: Event,
    effective: EffectiveRules | None,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
    message: str,
) -> dict[str, Any]:
    """Everything the hash covers: the columns, and what only the text keeps."""
    return columns_of(event) | {
        "settings": effective.named if effective else {},
        "rule": rule_version(),
        "inputs": dict(inputs),
        "outputs": dict(outputs),
        "message": message,
    }


class Written(NamedTuple):
    """An event as its row has it: a model of each would take as long as all the checking."""

    stream_id: UUID
    stream: str
    seq: int
    type: str
    market_at: datetime
    recorded_at: datetime
    actor: str
    subject: UUID | None
    d_shares: int
    d_cash: int
    d_receivable: int
    d_reserved_cash: int
    d_reserved_shares: int
    anchor_after: int
    state_after: str
    text: str
    prev_hash: str
    hash: str
    portfolio_id: int | None
    id: int


def columns_of(event: Event | Written) -> dict[str, str]:
    """The columns of an event as its text repeats them; verification compares the two."""
    amounts = ("d_shares", "d_cash", "d_receivable", "d_reserved_cash", "d_reserved_shares", "anchor_after")
    return {name: as_text(getattr(event, name)) for name in amounts} | {
        "stream": str(event.stream),
        "stream_id": str(event.stream_id),
        "seq": str(event.seq),
        "type": str(event.type),
        "market_at": event.market_at.isoformat(),
        "recorded_at": event.recorded_at.isoformat(),
        "actor": event.actor,
        "subject": str(event.subject or ""),
        "state_after": event.state_after,
    }
