"""Checks the log against itself and against the rows it explains."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

from portfolios.domain.chain import GENESIS, chained_hash
from portfolios.domain.fold import NOTHING, Change, State, after
from portfolios.models import Event, Portfolio, Position
from portfolios.services.journal import columns_of


class Finding(NamedTuple):
    """One thing that does not hold."""

    stream_id: UUID
    seq: int
    problem: str


class Verified(NamedTuple):
    events: int
    streams: int
    findings: list[Finding]


@contextmanager
def one_moment() -> Iterator[None]:
    """Everything read inside is of one moment, while others go on writing."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def verify_events() -> Verified:
    """Walk every stream: gapless, chained, columns as hashed, ending where its row says."""
    findings: list[Finding] = []
    events = streams = 0
    with one_moment():
        heads = row_heads()
        rows = Event.objects.order_by("stream_id", "seq").iterator(chunk_size=5_000)
        for stream_id, stream in groupby(rows, key=lambda event: event.stream_id):
            streams += 1
            seq, head = 0, GENESIS
            for event in stream:
                events += 1
                findings += [Finding(stream_id, event.seq, problem) for problem in problems_of(event, seq, head)]
                seq, head = event.seq, event.hash
            if heads.pop(stream_id, None) != (seq, head):
                findings.append(Finding(stream_id, seq, "the row's head is not the last event"))
    findings += [Finding(stream_id, 0, "events are missing") for stream_id, (seq, _) in heads.items() if seq]
    return Verified(events, streams, findings)


def row_heads() -> dict[UUID, tuple[int, str]]:
    fields = ("public_id", "event_seq", "event_hash")
    rows = [*Position.objects.values_list(*fields), *Portfolio.objects.values_list(*fields)]
    return {public_id: (seq, head) for public_id, seq, head in rows}


def problems_of(event: Event, seq: int, head: str) -> Iterator[str]:
    if event.seq != seq + 1:
        yield f"follows {seq}: the sequence has a gap"
    if event.prev_hash != head:
        yield "does not chain to the event before it"
    if event.hash != chained_hash(event.prev_hash, event.text):
        yield "its hash does not cover its text"
    content = event.content
    if any(content.get(name) != value for name, value in columns_of(event).items()):
        yield "its columns differ from its text"


class Difference(NamedTuple):
    """A row that is not what its events say."""

    position: Position
    folded: State


def differing_rows() -> list[Difference]:
    """Positions whose row is not the fold of their events."""
    with one_moment():
        positions = Position.objects.order_by("pk").iterator(chunk_size=1_000)
        compared = (Difference(position, fold_of(position)) for position in positions)
        return [difference for difference in compared if difference.folded != difference.position.folded]


def fold_of(position: Position) -> State:
    state = NOTHING
    fields = (
        "d_shares",
        "d_cash",
        "d_receivable",
        "d_reserved_cash",
        "d_reserved_shares",
        "anchor_after",
        "state_after",
    )
    for values in Event.objects.of(position).values_list(*fields).iterator(chunk_size=5_000):
        state = after(state, Change(*values))
    return state


@transaction.atomic
def rebuild_position(*, position_id: int) -> State:
    """Write the row anew from its events."""
    position = Position.objects.locked().get(pk=position_id)
    state = fold_of(position)
    Position.objects.filter(pk=position.pk).update(**state._asdict())
    return state
