"""Writing what is new beside what is recorded: days into their table, all else into one Parquet file a period."""

from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from django.utils import timezone

from trading.bars.catalogue import COLUMNS, daily_table, parts_of, table_of
from trading.bars.checks import day_of
from trading.bars.engine import first_row, literal
from trading.bars.folder import kept, series_folder, store_folder, sweep_spilt, swept
from trading.bars.models import StoredPart
from trading.bars.resolutions import DAILY, DAY, INTRADAY
from trading.bars.rows import day_number
from trading.bars.watched import Progress
from trading.market.models import Bar

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Engine

VALUES = ("open", "high", "low", "close", "volume")
OTHERWISE = " OR ".join(f"bars.{name} <> recorded.{name}" for name in VALUES)
PERIOD = "strftime(make_timestamp(begins * 1000000), {form})"


class Comparison(NamedTuple):
    """How many bars of the file are not recorded, recorded alike, recorded otherwise; first_different: as a moment."""

    new: int
    same: int
    different: int
    first_different: str


def show_recorded(duck: "Engine", symbol: str, resolution: str) -> None:
    """As the engine's view `recorded`, what is there for the time the file is of; and `changed`, what it changes."""
    if resolution == DAILY:
        daily_table(duck, symbol)
        table = "daily"
    else:
        table = table_of(list(overlapping(duck, symbol, resolution)))
    duck.execute(f"CREATE OR REPLACE TEMP VIEW recorded AS SELECT {COLUMNS} FROM {table}")  # noqa: S608 - ours
    duck.execute(f"""
        CREATE OR REPLACE TABLE changed AS
        SELECT bars.*, recorded.begins IS NOT NULL AS was, coalesce({OTHERWISE}, false) AS differs
          FROM bars LEFT JOIN recorded ON bars.begins = recorded.begins
         ORDER BY bars.begins
    """)  # noqa: S608 - ours


def overlapping(duck: "Engine", symbol: str, resolution: str) -> Any:
    """The parts of every period that the file touches, whole."""
    periods = [row[0] for row in duck.execute(f"SELECT DISTINCT {period_of(resolution)} FROM bars").fetchall()]  # noqa: S608
    return parts_of(symbol, resolution).filter(period__in=periods)


def period_of(resolution: str) -> str:
    return PERIOD.format(form=literal(INTRADAY[resolution].period))


def compare(duck: "Engine") -> Comparison:
    sql = """
        SELECT count(*) FILTER (NOT was), count(*) FILTER (was AND NOT differs), count(*) FILTER (differs),
               min(begins) FILTER (differs)
          FROM changed
    """
    new, same, different, first = first_row(duck, sql)
    return Comparison(new, same, different, moment_told(first) if first is not None else "")


def moment_told(begins: int) -> str:
    return datetime.fromtimestamp(begins, UTC).strftime("%Y-%m-%d %H:%M UTC")


def keep_days(duck: "Engine", symbol: str) -> None:
    rows = duck.execute(f"SELECT begins, {', '.join(VALUES)} FROM changed WHERE NOT was OR differs").fetchall()  # noqa: S608
    bars = [
        Bar(symbol=symbol, day=day_of(begins), **dict(zip(VALUES, values, strict=True))) for begins, *values in rows
    ]
    Bar.objects.bulk_create(
        bars, batch_size=2_000, update_conflicts=True, unique_fields=["symbol", "day"], update_fields=VALUES
    )


def keep_parts(duck: "Engine", symbol: str, resolution: str, source: str, progress: Progress) -> None:
    """Rewrite the file of every period something changes in. The catalogue changes with the caller's transaction."""
    folder = series_folder(symbol, resolution)
    wanted = set(parts_of(symbol, resolution).values_list("file", flat=True))
    swept(folder, wanted)
    periods = duck.execute(
        f"SELECT DISTINCT {period_of(resolution)} AS period FROM changed WHERE NOT was OR differs ORDER BY period"  # noqa: S608
    ).fetchall()
    for done, (period,) in enumerate(periods):
        progress("writing", done, len(periods))
        name, digest = kept(folder, period, partial(write_period, duck, period))
        count, begin, end = written(duck, folder / name)
        StoredPart.objects.update_or_create(
            symbol=symbol,
            resolution=resolution,
            period=period,
            defaults={
                "file": name,
                "rows": count,
                "first": begin,
                "last": end,
                "sha256": digest,
                "source": source[:120],
                "imported_at": timezone.now(),
            },
        )
    progress("writing", len(periods), len(periods))


def sweep_all() -> int:
    """Of every series what no catalogue names. How many files went."""
    folders = (path for path in store_folder().glob("*/*") if path.is_dir() and path.parent.name != "uploads")
    gone = 0
    for folder in folders:
        wanted = StoredPart.objects.filter(symbol=folder.parent.name, resolution=folder.name)
        gone += swept(folder, set(wanted.values_list("file", flat=True)))
    return gone + sweep_spilt()


def write_period(duck: "Engine", period: str, path: Path) -> None:
    """What is recorded and not in the file, and what is in the file."""
    first, after = bounds_of(period)
    within = f"begins >= {first} AND begins < {after}"
    duck.execute(f"""
        COPY (
            SELECT {COLUMNS} FROM changed WHERE {within}
             UNION ALL
            SELECT {COLUMNS} FROM recorded WHERE {within} AND begins NOT IN (SELECT begins FROM changed WHERE {within})
             ORDER BY begins
        ) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)
    """)  # noqa: S608 - ours


def bounds_of(period: str) -> tuple[int, int]:
    """Of 2014-06 or 2014, in seconds of the epoch: the first that is within, the first that is not."""
    year, _, month = period.partition("-")
    first = date(int(year), int(month or 1), 1)
    after = date(first.year + (not month or first.month == 12), first.month % 12 + 1 if month else 1, 1)
    return day_number(first) * DAY, day_number(after) * DAY


def written(duck: "Engine", path: Path) -> tuple[int, int, int]:
    """Read back: how many, the first, the last."""
    sql = f"SELECT count(*), min(begins), max(begins) FROM read_parquet({literal(str(path))})"  # noqa: S608 - a literal
    count, first, last = first_row(duck, sql)
    return count, first, last
