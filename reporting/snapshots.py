"""Keeps the daily snapshots, a cache: filled by a bell that may ring any number of times, rebuilt at will."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from portfolios.models import Position
from reporting.metrics.ledger import Carried, carry, closing_of, rest_of, starts_of
from reporting.metrics.rows import day_of
from reporting.metrics.running import Running
from reporting.models import DailySnapshot, PortfolioSnapshot
from reporting.selectors.facts import moments_of

CHUNK = 200
WINDOW = timedelta(days=366)
FIGURES = [name.name for name in DailySnapshot._meta.fields if name.name not in ("id", "position", "day")]
ONE_AT_A_TIME = "SELECT pg_try_advisory_xact_lock(7620114)"
SUM_DAYS = """
    INSERT INTO reporting_portfoliosnapshot (portfolio_id, day, value, alone, held, flow, trips, wins, realised)
    SELECT cell.portfolio_id, days.day, sum(snapshot.value), sum(snapshot.alone), sum(snapshot.held),
           sum(snapshot.flow), sum(snapshot.trips), sum(snapshot.wins), sum(snapshot.realised)
      FROM unnest(%s::bigint[], %s::date[]) AS days (portfolio_id, day)
      JOIN portfolios_position AS cell ON cell.portfolio_id = days.portfolio_id
     CROSS JOIN LATERAL (
           SELECT * FROM reporting_dailysnapshot AS snapshot
            WHERE snapshot.position_id = cell.id AND snapshot.day <= days.day
            ORDER BY snapshot.day DESC
            LIMIT 1
           ) AS snapshot
     GROUP BY cell.portfolio_id, days.day
        ON CONFLICT (portfolio_id, day) DO UPDATE SET
           value = EXCLUDED.value, alone = EXCLUDED.alone, held = EXCLUDED.held, flow = EXCLUDED.flow,
           trips = EXCLUDED.trips, wins = EXCLUDED.wins, realised = EXCLUDED.realised
"""


@transaction.atomic
def write_snapshots() -> int:
    """Carry every cell's rows on to now; how many rows were written. Nothing while another does the same."""
    with connection.cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME)
        (free,) = cursor.fetchone() or (False,)
    if not free:
        return 0
    positions = list(Position.objects.select_related("portfolio").order_by("pk"))
    written, touched = 0, set()
    for first in range(0, len(positions), CHUNK):
        for rows in carry_on(positions[first : first + CHUNK]):
            written += len(rows)
            touched |= {(row.position.portfolio_id, row.day) for row in rows}
    sum_days(touched)
    return written


@transaction.atomic
def rebuild_snapshots() -> int:
    """Forget them all and make them anew from events, executions and prices."""
    PortfolioSnapshot.objects.all().delete()
    DailySnapshot.objects.all().delete()
    return write_snapshots()


def carry_on(positions: Sequence[Position]) -> Iterable[list[DailySnapshot]]:
    """A year of prices at a time, so that long histories fit into memory."""
    moments = moments_of({position.source for position in positions})
    now = {source: moment.at for source, moment in moments.items()}
    starts = starts_of(positions)
    until = first_window(positions, starts, now)
    while True:
        carried = carry(positions, until, starts)
        yield store(positions, carried)
        if until == now:
            return
        starts = {pk: (cell.days or [cell.start])[-1] for pk, cell in carried.items()}
        until = {source: min(until[source] + WINDOW, at) for source, at in now.items()}


def first_window(
    positions: Sequence[Position], starts: Mapping[int, Running], now: Mapping[str, datetime]
) -> dict[str, datetime]:
    until = {}
    for source, at in now.items():
        since = [since_of(position, starts[position.pk], at) for position in positions if position.source == source]
        until[source] = min(min(since) + WINDOW, at)
    return until


def since_of(position: Position, start: Running, now: datetime) -> datetime:
    """The instant up to which a cell has been told; for a new one the eve of its opening."""
    if start.at:
        return datetime.fromtimestamp(start.at / 1000, UTC)
    opened = position.opened_on
    return datetime(opened.year, opened.month, opened.day, tzinfo=UTC) if opened else now


def store(positions: Sequence[Position], carried: Mapping[int, Carried]) -> list[DailySnapshot]:
    """Write the rows; what the next run goes on from stands on the newest alone."""
    rows = [row for position in positions for row in rows_of(position, carried[position.pk].days)]
    moved = [position.pk for position in positions if carried[position.pk].days]
    DailySnapshot.objects.filter(position__in=moved, rest__isnull=False).update(rest=None)
    DailySnapshot.objects.bulk_create(
        rows, batch_size=1_000, update_conflicts=True, unique_fields=["position", "day"], update_fields=FIGURES
    )
    return rows


def rows_of(position: Position, days: Sequence[Running]) -> list[DailySnapshot]:
    return [row_of(position, running, newest=running is days[-1]) for running in days]


def row_of(position: Position, running: Running, *, newest: bool) -> DailySnapshot:
    closing = closing_of(running)
    return DailySnapshot(
        position=position,
        day=running.day or day_of(running.at),
        growth=closing.growth,
        rest=rest_of(running) if newest else None,
        **closing.worths._asdict(),
        **closing.totals._asdict(),
    )


def sum_days(touched: Iterable[tuple[int, object]]) -> None:
    """The portfolios' sums of the days that moved."""
    pairs = sorted(touched)
    with connection.cursor() as cursor:
        cursor.execute(SUM_DAYS, [[portfolio for portfolio, _ in pairs], [day for _, day in pairs]])
