"""Lines of a table in a file, CSV (plain or gzipped) or Parquet: each value as text, what is wrong named by place."""

import csv
import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, NamedTuple
from zoneinfo import ZoneInfo

from portfolios.domain.amounts import MAX_PRICE, MIN_PRICE, as_text, micros

EXCHANGE_TIME = ZoneInfo("America/New_York")  # Parquet keeps an instant and no offset
BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
ROWS_AT_ONCE = 10_000


class BadFile(ValueError):
    """One line: which file, which line, which column, and what would be right. line 0: the file as a whole."""

    def __init__(self, text: str, *, line: int = 0, column: str = "", message: str = "") -> None:
        super().__init__(text)
        self.line = line
        self.column = column
        self.message = message or text


def bad_place(path: Path, line: int, column: str, message: str) -> BadFile:
    place = f"{path.name} line {line}, {column}" if column else f"{path.name} line {line}"
    return BadFile(f"{place}: {message}", line=line, column=column, message=message)


class Line(NamedTuple):
    """A row by its columns' names in lower case; number: of the line in the file, or of the row, counted from 1."""

    path: Path
    number: int
    values: Mapping[str, str | None]

    def bad(self, column: str, message: str) -> BadFile:
        return bad_place(self.path, self.number, column, message)

    def text(self, column: str) -> str:
        value = self.given(column)
        if value is None:
            raise self.bad(column, "is missing")
        return value

    def given(self, column: str) -> str | None:
        """None where the column or its value is not there."""
        value = self.values.get(column)
        return value.strip() if value and value.strip() else None

    def price(self, column: str) -> int:
        price = self.amount(column)
        if not MIN_PRICE <= price <= MAX_PRICE:
            raise self.bad(column, f"must be from {as_text(MIN_PRICE)} to {as_text(MAX_PRICE)}")
        return price

    def amount(self, column: str) -> int:
        try:
            return micros(self.text(column))
        except ValueError as error:
            if isinstance(error, BadFile):
                raise
            raise self.bad(column, str(error)) from None

    def date(self, column: str) -> date:
        text = self.text(column)
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise self.bad(column, "must be a date such as 2020-08-31") from None


def lines_of(path: Path, *needed: Sequence[str]) -> Iterator[Line]:
    """needed: groups of column names, of each of which the file must have one. Raises BadFile."""
    try:
        if path.suffix == ".parquet":
            yield from parquet_lines(path, needed)
        else:
            yield from csv_lines(path, needed)
    except FileNotFoundError:
        raise BadFile(f"{path}: there is no such file", message="there is no such file") from None
    except UnicodeDecodeError:
        raise not_text(path) from None
    except (OSError, EOFError, zlib.error, csv.Error):
        raise unreadable(path) from None


def unreadable(path: Path) -> BadFile:
    return told_of(path, "must be a readable file, CSV in UTF-8 (plain or gzipped) or Parquet")


def told_of(path: Path, message: str) -> BadFile:
    """Of the file as a whole."""
    return BadFile(f"{path.name or path}: {message}", message=message)


def not_text(path: Path) -> BadFile:
    """Where the first byte stands that is no UTF-8."""
    with (gzip.open if path.suffix == ".gz" else Path.open)(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return bad_place(path, number, f"byte {error.start + 1}", "is not UTF-8; save the file as CSV in UTF-8")
    return unreadable(path)


def csv_lines(path: Path, needed: Sequence[Sequence[str]]) -> Iterator[Line]:
    with opened(path) as file:
        reader = csv.reader(file)
        names = columns_of(path, next(reader, []), needed)
        for row in reader:
            if not row:
                continue
            line = Line(path, reader.line_num, dict(zip(names, row, strict=False)))
            if len(row) > len(names):
                raise line.bad(f"field {len(names) + 1}", "the header has no column for it")
            yield line


def opened(path: Path) -> IO[Any]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def columns_of(path: Path, header: Sequence[str], needed: Sequence[Sequence[str]]) -> list[str]:
    names = [name.strip().lower() for name in header]
    for group in needed:
        if not set(group) & set(names):
            raise bad_place(path, 1, "", f"the header needs a column {' or '.join(group)}")
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise bad_place(path, 1, twice[0][:40], "the header has this column twice")
    return names


def parquet_lines(path: Path, needed: Sequence[Sequence[str]]) -> Iterator[Line]:
    import duckdb  # noqa: PLC0415 - 0.7 s and 60 MB that only this needs

    path.open("rb").close()  # says what is wrong with it in Python's words
    with duckdb.connect(config={"autoinstall_known_extensions": "false", "threads": "1"}) as engine:
        try:
            table = engine.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
            given, kinds = [row[0] for row in table], [row[1] for row in table]
            names = columns_of(path, given, needed)
            wanted = ", ".join(instant(name, kind) for name, kind in zip(given, kinds, strict=True))
            engine.execute(f"SELECT {wanted} FROM read_parquet(?)", [str(path)])  # noqa: S608 - names in quotes
            number = 0
            while some := engine.fetchmany(ROWS_AT_ONCE):
                for row in some:
                    number += 1
                    yield Line(path, number, {n: shown(v, k) for n, v, k in zip(names, row, kinds, strict=True)})
        except duckdb.Error:
            raise told_of(path, "must be a Parquet file that can be read") from None


def instant(name: str, kind: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    return f"epoch_us({quoted})" if kind == "TIMESTAMP WITH TIME ZONE" else quoted


def shown(value: Any, kind: str) -> str | None:
    """As a line of text has it."""
    if value is None:
        return None
    if kind == "TIMESTAMP WITH TIME ZONE":
        return (BEGIN + timedelta(microseconds=value)).astimezone(EXCHANGE_TIME).isoformat()
    if isinstance(value, datetime) and value == datetime(value.year, value.month, value.day, tzinfo=value.tzinfo):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float | Decimal):
        plain = Decimal(str(value))
        return format(plain.normalize(), "f") if plain.is_finite() and abs(plain.adjusted()) < 24 else str(value)
    return str(value)
