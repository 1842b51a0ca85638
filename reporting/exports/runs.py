"""A run of the past as a file: its trades, its steps, its days."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from reporting.exports.columns import Column, Type
from reporting.exports.files import FORMATS
from reporting.exports.kinds import CHUNK, UNSAFE
from reporting.exports.workbook import EXACT, Book, Place
from reporting.selectors.facts import EXCHANGE_TIME
from trading.simulation.archive import Series
from trading.simulation.kept import days_of, steps_of, trades_of
from trading.simulation.models import SimulationRun


def of(kind: Type, *names: str) -> tuple[Column, ...]:
    return tuple(Column(name, kind, attrgetter("day" if name == "date" else name)) for name in names)


NUMBERED = (*of(Type.COUNT, "number"), *of(Type.DAY, "date"))
STEPPED = (*NUMBERED, Column("time", Type.TIME, lambda step: step.at and step.at.astimezone(EXCHANGE_TIME).time()))
TRADED = (*of(Type.WORD, "side", "reason"), *of(Type.AMOUNT, "quantity", "decided", "price", "notional", "fee"))
LEFT = of(Type.AMOUNT, "shares", "cash", "receivable", "anchor")
DIVIDED = (*of(Type.AMOUNT, "per_share", "net"), *of(Type.WORD, "ratio"))


class RunKind(NamedTuple):
    name: str
    title: str
    own: tuple[Column, ...]
    read: Callable[[Series], Iterator[Any]]

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.own


RUN_KINDS = {
    kind.name: kind
    for kind in (
        RunKind("trades", "Trades", (*STEPPED, *TRADED, *LEFT), trades_of),
        RunKind("steps", "Steps", (*STEPPED, *of(Type.WORD, "kind"), *TRADED, *DIVIDED, *LEFT), steps_of),
        RunKind(
            "daily",
            "Daily",
            (
                *NUMBERED,
                *of(Type.AMOUNT, "close", "value", "stock"),
                *LEFT,
                *of(Type.AMOUNT, "buy_and_hold", "constant_mix", "low_first", "high_first"),
            ),
            days_of,
        ),
    )
}


class Alone(NamedTuple):
    """The rows of one run need not say whose they are."""

    place: tuple[str, ...] = ()


class RunExport(NamedTuple):
    kind: RunKind
    run: SimulationRun
    series: Series

    @property
    def file_name(self) -> str:
        run = self.run
        return UNSAFE.sub("-", f"{self.kind.name}_{run.symbol}_{run.first_day}_{run.last_day}_{run.public_id.hex[:8]}")

    def chunks(self) -> Iterator[tuple[Alone, list[Sequence[Any]]]]:
        rows = self.kind.read(self.series)
        while chunk := list(islice(rows, CHUNK)):
            yield Alone(), [tuple(column.source(row) for column in self.kind.own) for row in chunk]

    @property
    def asked(self) -> list[tuple[str, str]]:
        """What the run was, so that the file tells it without us."""
        run = self.run
        told = {"run": run.public_id, "name": run.name, "symbol": run.symbol, "from": run.first_day, "to": run.last_day}
        told |= {"resolution": run.resolution, "path": run.path} | run.settings
        told |= {"rule": run.rule_version, "all settings": run.settings_sha256, "data": run.data_sha256}
        return [(name, str(value)) for name, value in told.items()]


def write_book(export: RunExport, path: Path) -> None:
    """A sheet of what was asked, and one of rows."""
    book = Book(path, export.kind.columns)
    place = book.opened(export.kind.title)
    for _, chunk in export.chunks():
        for row in chunk:
            place = book.written(place, row)
    for line, pair in enumerate([("Simulation", EXACT), *export.asked]):
        for number, text in enumerate(pair):
            book.put(Place(book.summary, line), number, Type.TEXT, text)
    book.summary.set_column(0, 1, 22)
    book.book.close()


RUN_FORMATS = FORMATS | {"xlsx": FORMATS["xlsx"]._replace(write=write_book)}
