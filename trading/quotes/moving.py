"""Moves months of quotes that are long past out of the table into files, and back.

Wherever a move dies, nothing is lost and nothing doubled: the file is whole on the disk and compared with the table
before one transaction puts it on the list and takes its rows out of the table. A file on no list is swept. The newest
quote of each listing stays in the table too: whoever decides asks nothing else.
"""

from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import structlog
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from trading.bars.engine import engine, first_row, literal
from trading.bars.folder import kept, swept
from trading.market.models import Quote, StoredQuotes
from trading.market.phases import instant
from trading.market.selectors import market_now
from trading.quotes.files import columns, names, quote_of, source_folder, table_of
from trading.quotes.months import asked_function, bounds, later

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Engine

KEPT = 3  # whole months of a source that stay in the table, before the one its time stands in
log = structlog.get_logger(__name__)

MICROS = "(extract(epoch FROM {}) * 1000000)::bigint"
OF_MONTH = "FROM market_quote WHERE source = %s AND at >= %s AND at < %s"
# Of each row 60 bits of its MD5: summed up, they are the same on both sides whatever the order.
IN_TABLE = """
    SELECT count(*), coalesce(sum(('x0' || left({hash}, 15))::bit(64)::bigint), 0) FROM (SELECT {values} {rows}) AS row
"""
IN_FILE = "SELECT count(*), coalesce(sum(('0x' || left({hash}, 15))::BIGINT), 0) FROM {table}"
TAKE_OUT = f"""
      WITH newest AS (
        SELECT symbol, (SELECT max(at) FROM market_quote AS known
                         WHERE known.symbol = held.symbol AND known.source = %s) AS at
          FROM (SELECT DISTINCT symbol {OF_MONTH}) AS held
      )
    DELETE FROM market_quote AS old USING newest
     WHERE old.source = %s AND old.at >= %s AND old.at < %s AND old.symbol = newest.symbol AND old.at < newest.at
"""  # noqa: S608 - ours


class Sum(NamedTuple):
    rows: int
    hashes: int


class Changed(Exception):
    """The table is not what was written: somebody added to that month meanwhile."""


class Written(NamedTuple):
    """A file not on the list yet. all: of it; before: what an earlier file had that the table has not."""

    source: str
    file: str
    sha256: str
    all: Sum
    before: Sum
    first: int
    last: int


def values() -> str:
    """The columns of a file, out of the table."""
    told = ((MICROS if column.is_time else "{}").format(column.field.column) for column in columns())
    return ", ".join(f"{value} AS {column.name}" for value, column in zip(told, columns(), strict=True))


def row_hash() -> str:
    """In the words of both engines."""
    told = ", ".join(f"coalesce({column.name}::text, '')" for column in columns())
    return f"md5(concat_ws('|', {told}))"


def move_old_months() -> list[date]:
    """All that may go, from the oldest; the ones that went. What is busy is left for the next time."""
    moved = []
    for month in Quote.objects.datetimes("at", "month", order="ASC"):
        sources = sources_past(month.date())
        try:
            if sources and move_month(month.date(), sources):
                moved.append(month.date())
        except (Changed, OperationalError) as error:
            log.warning("month_not_moved", month=f"{month:%Y-%m}", error=str(error))
    sweep()
    return moved


def sources_past(month: date) -> list[str]:
    """Whose own time is far enough on, of those with quotes of this month in the table that are not their newest."""
    first, after = bounds(month)
    held = Quote.objects.filter(at__gte=first, at__lt=after)
    past = [
        source
        for source in held.order_by("source").values_list("source", flat=True).distinct()
        if later(month, KEPT) < market_now(source).date().replace(day=1)
    ]
    return [source for source in past if has_more_than_the_newest(source, month)]


def has_more_than_the_newest(source: str, month: date) -> bool:
    first, after = bounds(month)
    held = Quote.objects.filter(source=source, at__gte=first, at__lt=after)
    listed = StoredQuotes.objects.filter(source=source, month=month).exists()
    symbols = held.order_by("symbol").values_list("symbol", flat=True).distinct()
    newest = {symbol: Quote.objects.filter(source=source, symbol=symbol).latest("at").at for symbol in symbols}
    return not listed or any(held.filter(symbol=symbol, at__lt=at).exists() for symbol, at in newest.items())


def move_month(month: date, sources: Sequence[str]) -> bool:
    """Raises Changed, and OperationalError where the table is too busy: then all is as before."""
    written = [write_month(source, month) for source in sources]
    with transaction.atomic():
        asked_function("market_quote_hold_month", month)
        for part in written:
            enlist(part, month)
        take_out(month, sources)
    return True


def write_month(source: str, month: date) -> Written:
    """What the table has of it, and what an earlier file had, as one new file."""
    earlier = list(StoredQuotes.objects.filter(source=source, month=month))
    with TemporaryDirectory(prefix="work-", dir=source_folder(source)) as place, engine() as duck:
        table = Path(place) / "table.csv"
        copy_out(source, month, table)
        types = "{" + ", ".join(f"'{column.name}': '{column.kind}'" for column in columns()) + "}"
        read = f"read_csv({literal(str(table))}, header = true, allow_quoted_nulls = false, columns = {types})"
        duck.execute(f"CREATE VIEW held AS SELECT * FROM {read}")  # noqa: S608 - ours
        old = f"SELECT {names()} FROM {table_of(earlier)}" if earlier else "SELECT * FROM held WHERE false"  # noqa: S608
        duck.execute(f"CREATE VIEW before AS SELECT * FROM ({old}) ANTI JOIN held USING (symbol, moment)")  # noqa: S608
        name, digest = kept(source_folder(source), f"{month:%Y-%m}", partial(write_file, duck))
        file = f"read_parquet({literal(str(source_folder(source) / name))})"
        first, last = first_row(duck, f"SELECT min(moment), max(moment) FROM {file}")  # noqa: S608
        return Written(source, name, digest, sum_of(duck, file), sum_of(duck, "before"), first, last)


def copy_out(source: str, month: date, path: Path) -> None:
    statement = f"COPY (SELECT {values()} {OF_MONTH}) TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE *)"
    with connection.cursor() as cursor:
        asked = cursor.mogrify(statement, (source, *bounds(month)))
        with path.open("wb") as file, cursor.copy(asked) as copy:
            for block in copy:
                file.write(bytes(block))


def write_file(duck: "Engine", path: Path) -> None:
    duck.execute(f"""
        COPY (SELECT * FROM held UNION ALL BY NAME SELECT * FROM before ORDER BY symbol, moment)
          TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)
    """)  # noqa: S608 - ours


def sum_of(duck: "Engine", table: str) -> Sum:
    rows, hashes = first_row(duck, IN_FILE.format(hash=row_hash(), table=table))
    return Sum(int(rows), int(hashes))


def enlist(part: Written, month: date) -> None:
    """Under the lock on the month. Raises Changed."""
    with connection.cursor() as cursor:
        cursor.execute(IN_TABLE.format(hash=row_hash(), values=values(), rows=OF_MONTH), [part.source, *bounds(month)])
        rows, hashes = map(int, cursor.fetchone())
    if part.all != (rows + part.before.rows, hashes + part.before.hashes):
        raise Changed(f"quotes of {part.source} in {month:%Y-%m} are not those in the file")
    told = {
        "file": part.file,
        "rows": part.all.rows,
        "first": instant(part.first),
        "last": instant(part.last),
        "sha256": part.sha256,
        "stored_at": timezone.now(),
    }
    StoredQuotes.objects.update_or_create(source=part.source, month=month, defaults=told)


def take_out(month: date, sources: Sequence[str]) -> None:
    """With the whole partition where nobody else's quotes are in it."""
    first, after = bounds(month)
    others = Quote.objects.filter(at__gte=first, at__lt=after).exclude(source__in=sources)
    if not others.exists() and asked_function("market_quote_drop_month", month):
        return
    with connection.cursor() as cursor:
        for source in sources:
            cursor.execute(TAKE_OUT, [source, source, first, after, source, first, after])


def bring_back(part: StoredQuotes) -> int:
    """All of a file into the table again, and off the list; how many were not there."""
    with engine() as duck, transaction.atomic():
        asked_function("market_quote_hold_month", part.month)
        found = duck.execute(f"SELECT {names()} FROM {table_of([part])}")  # noqa: S608
        before = Quote.objects.count()
        while rows := found.fetchmany(10_000):
            Quote.objects.bulk_create([quote_of(part.source, row) for row in rows], ignore_conflicts=True)
        part.delete()
        return Quote.objects.count() - before


def sweep() -> int:
    """Files on no list, once nobody can still be reading them. How many went."""
    gone = 0
    for source in StoredQuotes.objects.order_by("source").values_list("source", flat=True).distinct():
        files = StoredQuotes.objects.filter(source=source).values_list("file", flat=True)
        gone += swept(source_folder(source), set(files))
    return gone
