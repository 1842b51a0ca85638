"""The kinds of exports, by name: what each is called, its columns, how its rows are read."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from reporting.exports import evaluations, figures, tables
from reporting.exports.columns import Column, Type
from reporting.exports.scope import Scope, Span, Stream, Stretch
from reporting.exports.tables import Groups

CHUNK = 2_000
PLACE = tuple(Column(name, Type.TEXT, None) for name in ("portfolio", "ticker", "position"))
UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
Row = Sequence[Any]


class Kind(NamedTuple):
    """narrows: whether "trades only" means something."""

    name: str
    title: str
    own: tuple[Column, ...]
    read: Callable[[Sequence[Column], Stretch, bool], Groups]
    narrows: bool = True

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.own + PLACE


KINDS = {
    kind.name: kind
    for kind in (
        Kind("events", "Events: every fact of the log", tables.EVENTS, tables.read_events),
        Kind("log", "Log: events with their inputs and outputs", tables.LOG, tables.read_events),
        Kind("timeline", "Timeline: every evaluation", evaluations.TIMELINE, evaluations.read_timeline),
        Kind("orders", "Orders", tables.ORDERS, tables.read_orders),
        Kind("executions", "Executions: every fill", tables.EXECUTIONS, tables.read_executions),
        Kind("dividends", "Dividends", tables.DIVIDENDS, tables.read_dividends, narrows=False),
        Kind("metrics", "Metrics of each cell", figures.METRICS, figures.read_metrics, narrows=False),
    )
}


class Export(NamedTuple):
    """What somebody asked for, ready to be read."""

    kind: Kind
    scope: Scope
    trades: bool = False

    @property
    def file_name(self) -> str:
        """In letters that are safe on every disk and in every header."""
        spans = {stretch.span for stretch in self.scope.stretches}
        span = spans.pop() if len(spans) == 1 else Span()
        days = [day.isoformat() for day in (span.first, span.last) if day]
        return UNSAFE.sub("-", "_".join([self.kind.name, self.scope.name, *days]))

    @property
    def asked(self) -> str:
        """Rows and days in words."""
        spans = {stretch.span for stretch in self.scope.stretches}
        days = " and ".join(sorted(f"{span.first or 'the beginning'} to {span.last or 'now'}" for span in spans))
        return f"{'Trades only' if self.trades else 'All rows'}, market days from {days or 'the beginning to now'}"

    def chunks(self) -> Iterator[tuple[Stream, list[Row]]]:
        """Never more than a few thousand rows at a time, and never of two streams; values as their own columns."""
        for stretch in self.scope.stretches:
            for stream, rows in self.kind.read(self.kind.own, stretch, self.trades):
                upcoming = iter(rows)
                while chunk := list(islice(upcoming, CHUNK)):
                    yield stream, chunk
