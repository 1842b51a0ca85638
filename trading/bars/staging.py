"""A file's bars in a table of the engine, exactly as written or not at all: vectorised, and by lines where that fails.

What a value may be is said in `rows` alone. The quick way only finds that every line is fine; it reads amounts as
text and decimals, never as floats.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from portfolios.domain.amounts import MAX_PRICE, MICROS, MIN_PRICE
from trading.bars.engine import first_row, literal, quoted
from trading.bars.faults import MOST_TOLD, Fault, Unfit, unfit
from trading.bars.lines import BadFile, Line, columns_of, lines_of, opened, told_of
from trading.bars.rows import COLUMNS, PRICES, Row, row_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Engine

ROWS_AT_ONCE = 50_000
KNOWN = {"date", "timestamp", *PRICES, "volume", "session", "symbol"}
NUMBER = r"[0-9]{1,12}([.][0-9]{1,6})?"
DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
EXACT = ("VARCHAR", "DOUBLE", "BIGINT", "INTEGER", "UBIGINT", "UINTEGER")
STAGED = "begins BIGINT, open BIGINT, high BIGINT, low BIGINT, close BIGINT, volume BIGINT, session TINYINT"


class Shape(NamedTuple):
    """What a file is: of days or of instants, which columns nobody reads, whether it gives volumes."""

    is_daily: bool
    unread: tuple[str, ...]
    has_volume: bool


class Source(NamedTuple):
    """A file as the engine reads it: a table function, and each column's name, expression and kind."""

    table: str
    columns: dict[str, tuple[str, str]]


def stage(engine: "Engine", path: Path, symbol: str, most: int) -> Shape:
    """Fill the table `staged`, a row a bar in the order of the file. Raises Unfit."""
    try:
        source = source_of(engine, path)
        engine.execute(f"CREATE OR REPLACE TABLE staged ({STAGED})")
        if not staged_quickly(engine, source, symbol, most):
            engine.execute("DELETE FROM staged")
            stage_by_lines(engine, path, symbol, most)
    except BadFile as error:
        raise Unfit([fault_of(error)]) from None
    (rows,) = first_row(engine, "SELECT count(*) FROM staged")
    if not rows:
        raise unfit("there is no bar in it")
    if rows > most:
        raise unfit(f"has more than {most:,} rows")
    return Shape(
        "timestamp" not in source.columns,
        tuple(name for name in source.columns if name not in KNOWN),
        "volume" in source.columns,
    )


def source_of(engine: "Engine", path: Path) -> Source:
    """Raises BadFile."""
    if path.suffix == ".parquet":
        return parquet_source(engine, path)
    next(lines_of(path, *COLUMNS), None)  # says what is wrong with it
    with opened(path) as file:
        names = columns_of(path, next(csv.reader(file), []), COLUMNS)
    declared = ", ".join(f"'c{number}': 'VARCHAR'" for number in range(len(names)))
    table = (
        f"read_csv({literal(str(path))}, header=true, auto_detect=false, delim=',', quote='\"', escape='\"', "
        f"columns={{{declared}}}, compression='{'gzip' if path.suffix == '.gz' else 'none'}')"
    )
    return Source(table, {name: (f"c{number}", "VARCHAR") for number, name in enumerate(names)})


def parquet_source(engine: "Engine", path: Path) -> Source:
    import duckdb  # noqa: PLC0415 - is there already

    path.open("rb").close()
    table = f"read_parquet({literal(str(path))})"
    try:
        given = engine.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()  # noqa: S608 - a literal
    except duckdb.Error:
        raise told_of(path, "must be a Parquet file that can be read") from None
    names = columns_of(path, [row[0] for row in given], COLUMNS)
    return Source(table, {name: (quoted(row[0]), row[1]) for name, row in zip(names, given, strict=True)})


def staged_quickly(engine: "Engine", source: Source, symbol: str, most: int) -> bool:
    """Whether every line was fine for sure; where it is not so, the table holds nothing of worth."""
    import duckdb  # noqa: PLC0415 - is there already

    wanted = [moment(source), *(price(source, name) for name in PRICES), volume(source), session(source)]
    if not all(wanted):
        return False
    first_six = ", ".join(f"({sql})" for sql in wanted)
    other = " OR ".join(f"{name} IS NULL" for name in ("begins", *PRICES, "volume"))
    try:
        engine.execute(
            f"INSERT INTO staged SELECT {first_six} FROM {source.table} WHERE {of_symbol(source, symbol)} "  # noqa: S608
            f"LIMIT {most + 1}"
        )
        bad = first_row(
            engine,
            f"SELECT count(*) FROM staged WHERE {other} OR session < 0 OR low > least(open, close) "  # noqa: S608
            f"OR high < greatest(open, close)",
        )
    except duckdb.Error:
        return False
    return bad == (0,)


def moment(source: Source) -> str:
    """Empty where only the slow way knows."""
    name = "timestamp" if "timestamp" in source.columns else "date"
    column, kind = source.columns[name]
    if kind == "VARCHAR" and name == "date":
        return f"CASE WHEN regexp_full_match({column}, '{DAY}') THEN epoch(TRY_CAST({column} AS DATE))::BIGINT END"
    if kind == "VARCHAR":
        fits = f"regexp_full_match({column}, '{DAY}[T ]{CLOCK}')"
        return f"CASE WHEN {fits} THEN epoch(TRY_CAST({column} AS TIMESTAMPTZ))::BIGINT END"
    if kind == "DATE" and name == "date":
        return f"epoch({column})::BIGINT"
    if kind == "TIMESTAMP WITH TIME ZONE" and name == "timestamp":
        return f"CASE WHEN epoch_us({column}) % {MICROS} = 0 THEN epoch_us({column}) // {MICROS} END"
    return ""


def price(source: Source, name: str) -> str:
    column, kind = source.columns[name]
    if kind not in EXACT:
        return ""
    text = column if kind == "VARCHAR" else f"CAST({column} AS VARCHAR)"
    amount = f"(CAST({text} AS DECIMAL(18, 6)) * {MICROS})::BIGINT"
    within = f"{amount} BETWEEN {MIN_PRICE} AND {MAX_PRICE}"
    return f"CASE WHEN NOT regexp_full_match({text}, '{NUMBER}') THEN NULL WHEN {within} THEN {amount} END"


def volume(source: Source) -> str:
    if "volume" not in source.columns:
        return "0"
    column, kind = source.columns["volume"]
    if kind not in EXACT:
        return ""
    text = column if kind == "VARCHAR" else f"CAST({column} AS VARCHAR)"
    fits = f"regexp_full_match({text}, '[0-9]{{1,12}}([.]0{{1,6}})?')"
    return f"CASE WHEN {fits} THEN split_part({text}, '.', 1)::BIGINT END"


def session(source: Source) -> str:
    """-1 for what only the slow way can judge."""
    if "session" not in source.columns:
        return "NULL"
    column, kind = source.columns["session"]
    if kind != "VARCHAR":
        return ""
    return (
        f"CASE {column} WHEN 'regular' THEN 0 WHEN 'pre' THEN 1 WHEN 'post' THEN 1 WHEN '' THEN NULL "
        f"ELSE CASE WHEN {column} IS NULL THEN NULL ELSE -1 END END"
    )


def of_symbol(source: Source, symbol: str) -> str:
    """Another symbol's line is an error, which the slow way names: here it breaks the statement."""
    if "symbol" not in source.columns:
        return "true"
    column, _ = source.columns["symbol"]
    own = f"upper(trim(CAST({column} AS VARCHAR))) = {literal(symbol)}"
    return f"CASE WHEN {own} THEN true ELSE error('another symbol') END"


def stage_by_lines(engine: "Engine", path: Path, symbol: str, most: int) -> None:
    """Raises Unfit with all that is wrong, up to 20."""
    faults: list[Fault] = []
    rows = good_rows(path, symbol, faults)
    taken = 0
    while some := list(islice(rows, ROWS_AT_ONCE)):
        taken += len(some)
        insert(engine, some)
        if taken > most:
            return
    if faults:
        raise Unfit(faults)


def good_rows(path: Path, symbol: str, faults: list[Fault]) -> Iterator[Row]:
    """What is wrong is added to `faults`; after 20 the rest is not read."""
    for line in lines_of(path, *COLUMNS):
        try:
            check_symbol(line, symbol)
            row = row_of(line)
        except BadFile as error:
            faults.append(fault_of(error))
            if len(faults) == MOST_TOLD:
                return
        else:
            yield row


def check_symbol(line: Line, symbol: str) -> None:
    if "symbol" in line.values and line.text("symbol").upper() != symbol:
        raise line.bad("symbol", f"must be {symbol}: a file is imported for one symbol")


def insert(engine: "Engine", rows: Sequence[Row]) -> None:
    columns = {name: np.array([row[place] for row in rows], np.int64) for place, name in enumerate(Row._fields[:6])}
    columns["session"] = np.array([-1 if row.session is None else row.session for row in rows], np.int64)
    engine.register("rows_given", columns)
    names = ", ".join(Row._fields[:6])
    engine.execute(f"INSERT INTO staged SELECT {names}, nullif(session, -1) FROM rows_given")  # noqa: S608 - ours
    engine.unregister("rows_given")


def fault_of(error: BadFile) -> Fault:
    return Fault(error.line, error.column, error.message)


def placed(path: Path, found: Iterable[tuple[int, str, str]]) -> list[Fault]:
    """What is wrong with the n-th bars (counted from 0, in order) by the lines on which these stand."""
    wanted = list(found)
    asked = {row for row, _, _ in wanted}
    lines = islice(enumerate(lines_of(path, *COLUMNS)), max(asked) + 1)
    numbers = {row: line.number for row, line in lines if row in asked}
    return [Fault(numbers.get(row, 0), column, message) for row, column, message in wanted]
