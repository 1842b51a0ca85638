"""Where the rows of all streams say that their logs end, and in which state, held against their last events."""

from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from portfolios.domain.chain import GENESIS
from portfolios.models import Event
from portfolios.services.journal import STREAMS, Row
from portfolios.services.verification import one_moment


class End(NamedTuple):
    """seq, hash and state as the last event left them."""

    seq: int
    hash: str
    state: str


class Astray(NamedTuple):
    """A row that does not say what its last event says."""

    table: type[Row]
    public_id: UUID
    row: End
    log: End

    def __str__(self) -> str:
        return f"{self.public_id} {STREAMS[self.table]}: {self.row} should be {self.log}"


def rows_astray() -> list[Astray]:
    with one_moment():
        return [astray for table in STREAMS for astray in astray_of(table, table._default_manager.all())]


def astray_of(table: type[Row], rows: QuerySet[Row]) -> list[Astray]:
    """A row without events says what it said when it was made."""
    log = Event.objects.filter(stream_id=OuterRef("public_id")).order_by("-seq")
    told = rows.annotate(
        told_seq=Coalesce(Subquery(log.values("seq")[:1]), Value(0)),
        told_hash=Coalesce(Subquery(log.values("hash")[:1]), Value(GENESIS)),
        told_state=Coalesce(Subquery(log.values("state_after")[:1]), F("state")),
    )
    said = told.values_list(
        "public_id", "event_seq", "event_hash", "state", "told_seq", "told_hash", "told_state"
    ).order_by("pk")
    found = [Astray(table, row[0], End(*row[1:4]), End(*row[4:])) for row in said.iterator(chunk_size=5_000)]
    return [astray for astray in found if astray.row != astray.log]


@transaction.atomic
def rebuild_end(*, table: type[Row], public_id: UUID) -> None:
    """Write it anew from the log, if it still differs once nobody else can write."""
    row = table._default_manager.select_for_update(of=("self",)).get(public_id=public_id)
    for astray in astray_of(table, table._default_manager.filter(pk=row.pk)):
        end = astray.log
        table._default_manager.filter(pk=row.pk).update(event_seq=end.seq, event_hash=end.hash, state=end.state)
