"""Cells' totals as they were stored last, carried on from there to now; the same where nothing is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import connection

from portfolios.models import Position
from reporting.comparison import Untouched, value_untouched
from reporting.metrics.definitions import Totals, Worths
from reporting.metrics.facts import facts_after
from reporting.metrics.lots import Lot
from reporting.metrics.rows import Skip
from reporting.metrics.running import Running, walk
from reporting.models import DailySnapshot

SHAPES: dict[str, Any] = {
    "day": date.fromisoformat,
    "acted_until": date.fromisoformat,
    "versions": tuple,
    "alone": lambda value: Untouched(*value),
    "held": lambda value: Untouched(*value),
    "lots": lambda value: [Lot(*lot) for lot in value],
    "totals": lambda value: Totals(*value),
    "span": lambda value: Skip(*value),
}
COLUMNS = (*Worths._fields, *Totals._fields, "growth")
AT_DAYS = f"""
    SELECT wanted.position_id, wanted.day, {", ".join(f"snapshot.{name}" for name in COLUMNS)}
      FROM unnest(%s::bigint[], %s::date[]) AS wanted (position_id, day)
     CROSS JOIN LATERAL (
           SELECT * FROM reporting_dailysnapshot AS snapshot
            WHERE snapshot.position_id = wanted.position_id AND snapshot.day <= wanted.day
            ORDER BY snapshot.day DESC
            LIMIT 1
           ) AS snapshot
"""  # noqa: S608 - the names are our own


class Closing(NamedTuple):
    """A cell at the end of a market day, or as of now."""

    worths: Worths
    totals: Totals
    growth: float


NOTHING = Closing(Worths(), Totals(), 1.0)


class Carried(NamedTuple):
    """Where a cell's totals were taken up, and its market days since then. The first may be the one taken up in."""

    start: Running
    days: list[Running]
    closings: list[tuple[date, Closing]]

    def at(self, day: date) -> Closing | None:
        """None where the stored rows before the one taken up know better."""
        newest = next((closing for end, closing in reversed(self.closings) if end <= day), None)
        if newest is None and self.start.day and self.start.day <= day:
            return closing_of(self.start)
        return newest


def carry(
    positions: Sequence[Position], until: Mapping[str, datetime], starts: Mapping[int, Running]
) -> dict[int, Carried]:
    """Every cell by primary key, carried to its source's instant."""
    carried = {position.pk: Carried(starts[position.pk], [], []) for position in positions}
    for source, at in until.items():
        cells = [position for position in positions if position.source == source]
        for pk, facts in facts_after(cells, starts, at).items():
            days = list(walk(starts[pk], facts, round(at.timestamp() * 1000)))
            carried[pk].days.extend(days)
            carried[pk].closings.extend((running.day, closing_of(running)) for running in days if running.day)
    return carried


def starts_of(positions: Sequence[Position]) -> dict[int, Running]:
    """Where each cell's newest row left off; a cell without one starts from nothing."""
    rows = DailySnapshot.objects.filter(position__in=positions, rest__isnull=False)
    rests = dict(rows.values_list("position_id", "rest"))
    return {position.pk: from_rest(rests.get(position.pk)) for position in positions}


def from_rest(rest: Mapping[str, Any] | None) -> Running:
    known = rest or {}
    return Running(
        **{name: SHAPES[name](value) if name in SHAPES and value else value for name, value in known.items()}
    )


def rest_of(running: Running) -> dict[str, Any]:
    rest = {part.name: getattr(running, part.name) for part in fields(Running)}
    return rest | {name: rest[name].isoformat() if rest[name] else None for name in ("day", "acted_until")}


def closing_of(running: Running) -> Closing:
    return Closing(worths_of(running), running.totals, running.growth)


def worths_of(running: Running) -> Worths:
    if not running.begun:
        return Worths()
    price = running.price
    return Worths(running.value, value_untouched(running.alone, price), value_untouched(running.held, price))


def stored_at(wanted: Sequence[tuple[int, date]]) -> dict[tuple[int, date], Closing]:
    """The stored rows of these cells at or before these days, one query."""
    with connection.cursor() as cursor:
        cursor.execute(AT_DAYS, [[pk for pk, _ in wanted], [day for _, day in wanted]])
        return {(pk, day): closing_from(row) for pk, day, *row in cursor.fetchall()}


def closing_from(row: Sequence[Any]) -> Closing:
    *amounts, growth = row
    whole = list(map(int, amounts))
    return Closing(Worths(*whole[:3]), Totals(*whole[3:]), growth)
