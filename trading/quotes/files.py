"""Where months of quotes lie on disk, and how the engine reads them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import CharField, DateTimeField

from trading.bars.engine import literal
from trading.bars.folder import made
from trading.market.models import Quote, StoredQuotes
from trading.market.phases import instant, number


class Column(NamedTuple):
    """name: in the file, where times are microseconds of the epoch. field: of the quote it holds."""

    name: str
    field: Any

    @property
    def is_time(self) -> bool:
        return isinstance(self.field, DateTimeField)

    @property
    def kind(self) -> str:
        return "VARCHAR" if isinstance(self.field, CharField) else "BIGINT"

    def value(self, told: Any) -> Any:
        """As a quote has it; a file from before this column was there says nothing of it."""
        if told is None:
            return None if self.field.null else self.field.get_default()
        return instant(told) if self.is_time else told


class QuotesGone(Exception):
    """The list names a file that is not there."""


def source_folder(source: str) -> Path:
    return made(made(Path(settings.QUOTES_FOLDER)) / source)


def path_of(part: StoredQuotes) -> Path:
    path = source_folder(part.source) / part.file
    if not path.is_file():
        raise QuotesGone(f"{part}: the list names a file of quotes that is not there")
    return path


@cache
def columns() -> tuple[Column, ...]:
    """All of a quote but its source, which the folder names. `at` is a word of the engine's own."""
    fields = (field for field in Quote._meta.concrete_fields if field.name != "source")
    return tuple(Column("moment" if field.name == "at" else str(field.column), field) for field in fields)


def names() -> str:
    return ", ".join(column.name for column in columns())


def quote_of(source: str, row: Sequence[Any]) -> Quote:
    """A row of all columns, in their order."""
    told = {column.field.attname: column.value(value) for column, value in zip(columns(), row, strict=True)}
    return Quote(source=source, **told)


def table_of(parts: Iterable[StoredQuotes]) -> str:
    """For a FROM. Raises QuotesGone."""
    paths = ", ".join(literal(str(path_of(part))) for part in parts)
    none = ", ".join(f"NULL::{column.kind} AS {column.name}" for column in columns())
    files = f"SELECT * FROM read_parquet([{paths}], union_by_name = true)"  # noqa: S608 - ours
    return f"({files} UNION ALL BY NAME SELECT * FROM (SELECT {none}) WHERE false)"  # noqa: S608 - ours


def within(symbol: str, since: datetime | None, until: datetime | None) -> str:
    """For a WHERE: since <= moment < until; in files times are microseconds of the epoch."""
    wanted = [f"symbol = {literal(symbol)}"]
    wanted += [f"moment >= {number(since)}"] if since else []
    wanted += [f"moment < {number(until)}"] if until else []
    return " AND ".join(wanted)
