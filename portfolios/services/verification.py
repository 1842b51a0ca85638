"""Checks the log against itself and against the rows it explains."""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from portfolios.domain.chain import GENESIS, chained_hash
from portfolios.domain.fold import NOTHING, Change, State, after
from portfolios.models import Account, Event, House, Portfolio, Position
from portfolios.services.journal import Written, columns_of

Head = tuple[int, str]


class End(NamedTuple):
    """Where a stream ends, as its row has it, and whose members may read its events."""

    seq: int
    hash: str
    portfolio_id: int | None


class Finding(NamedTuple):
    """One thing that does not hold."""

    stream_id: UUID
    seq: int
    problem: str


class Verified(NamedTuple):
    events: int
    streams: int
    findings: list[Finding]


class Checked(NamedTuple):
    """What a bounded check came to, and how many older events it left out."""

    verified: Verified
    left_out: int


@contextmanager
def one_moment() -> Iterator[None]:
    """Everything read inside is of one moment, while others go on writing."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def verify_events(published: Mapping[UUID, Head] | None = None) -> Verified:
    """Walk every stream: gapless, chained, columns as hashed, ending where its row says; nothing published is gone."""
    with one_moment():
        verified = walked(Event.objects.all(), row_heads(), {})
        verified.findings.extend(missing_of(published or {}))
    return verified


def missing_of(published: Mapping[UUID, Head]) -> Iterator[Finding]:
    """Events that once were the last of their streams and are not there now, or are others."""
    heads = {stream: head for stream, head in published.items() if head[0]}
    query = """
        SELECT stream_id, seq, hash FROM unnest(%s::uuid[], %s::bigint[]) AS published (stream_id, seq)
          LEFT JOIN portfolios_event USING (stream_id, seq)
    """
    with connection.cursor() as cursor:
        cursor.execute(query, [list(heads), [seq for seq, _ in heads.values()]])
        for stream, seq, found in cursor.fetchall():
            if found is None:
                yield Finding(stream, seq, "is gone, and was published: the log was cut")
            elif found != heads[stream][1]:
                yield Finding(stream, seq, "is not the event that was published")


def verify_portfolios(*, portfolio_ids: Collection[int], account_ids: Collection[int] = (), most: int) -> Checked:
    """Their streams and the house's; beyond `most` events, the longest only from their end back."""
    with one_moment():
        heads = row_heads(portfolio_ids, account_ids)
        begins = beginnings(heads, most)
        rows = Event.objects.filter(stream_id__in=[stream for stream, seq in begins.items() if not seq])
        for stream, seq in begins.items():
            if 0 < seq < heads[stream].seq:
                rows |= Event.objects.filter(stream_id=stream, seq__gt=seq)
        asked = {stream: head for stream, head in heads.items() if begins[stream] < head.seq or not head.seq}
        verified = walked(rows, asked, starts_of(begins))
    return Checked(verified, sum(begins.values()))


def beginnings(heads: Mapping[UUID, End], most: int) -> dict[UUID, int]:
    """After which event each stream is read, the short streams whole first."""
    begins, left = {}, most
    for stream, end in sorted(heads.items(), key=lambda item: item[1].seq):
        begins[stream] = max(end.seq - left, 0)
        left -= end.seq - begins[stream]
    return begins


def starts_of(begins: Mapping[UUID, int]) -> dict[UUID, Head]:
    """The event each shortened stream is read on from, taken as it stands."""
    shortened = Q(pk__in=[])
    for stream, seq in begins.items():
        if seq:
            shortened |= Q(stream_id=stream, seq=seq)
    rows = Event.objects.filter(shortened).values_list("stream_id", "seq", "hash")
    return {stream: (seq, head) for stream, seq, head in rows}


def walked(rows: QuerySet[Event], heads: dict[UUID, End], starts: Mapping[UUID, Head]) -> Verified:
    """Compare rows with each other and with the heads of their streams, from the starts or the beginning on."""
    findings: list[Finding] = []
    events = streams = 0
    ordered = rows.order_by("stream_id", "seq").values_list(*Written._fields).iterator(chunk_size=5_000)
    for stream_id, stream in groupby(map(Written._make, ordered), key=attrgetter("stream_id")):
        streams += 1
        end = heads.pop(stream_id, None)
        seq, head = starts.get(stream_id, (0, GENESIS))
        owner, place = end.portfolio_id if end else None, 0
        for event in stream:
            events += 1
            findings += [Finding(stream_id, event.seq, problem) for problem in problems_of(event, seq, head)]
            if event.portfolio_id != owner:
                findings.append(Finding(stream_id, event.seq, "is shown to members of another portfolio"))
            if event.id <= place:
                findings.append(Finding(stream_id, event.seq, "is stored before the event it follows"))
            seq, head, place = event.seq, event.hash, event.id
        if end is None or (end.seq, end.hash) != (seq, head):
            findings.append(Finding(stream_id, seq, "the row's head is not the last event"))
    findings += [Finding(stream_id, 0, "events are missing") for stream_id, end in heads.items() if end.seq]
    return Verified(events, streams, findings)


def row_heads(
    portfolio_ids: Collection[int] | None = None, account_ids: Collection[int] | None = None
) -> dict[UUID, End]:
    """The last event of every stream as its row has it; or of some portfolios, some accounts and the house."""
    fields = ("public_id", "event_seq", "event_hash")
    positions, portfolios, accounts = Position.objects.all(), Portfolio.objects.all(), Account.objects.all()
    if portfolio_ids is not None:
        positions, portfolios = positions.filter(portfolio__in=portfolio_ids), portfolios.filter(pk__in=portfolio_ids)
    if account_ids is not None:
        accounts = accounts.filter(pk__in=account_ids)
    rows = [*positions.values_list(*fields, "portfolio_id"), *portfolios.values_list(*fields, "pk")]
    rows += [(*row, None) for table in (accounts, House.objects.all()) for row in table.values_list(*fields)]
    return {public_id: End(seq, head, portfolio) for public_id, seq, head, portfolio in rows}


def problems_of(event: Written, seq: int, head: str) -> Iterator[str]:
    if event.seq != seq + 1:
        yield f"follows {seq}: the sequence has a gap"
    if event.prev_hash != head:
        yield "does not chain to the event before it"
    if event.hash != chained_hash(event.prev_hash, event.text):
        yield "its hash does not cover its text"
    if not columns_of(event).items() <= content_in(event.text).items():
        yield "its columns differ from its text"


def content_in(text: str) -> dict[str, Any]:
    """Nothing where somebody made it no JSON object: that is a finding, not the end of the search."""
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


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
