"""Bars coming in from a file: looked over, compared with what is recorded, then taken in whole or not at all."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import structlog
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from portfolios.errors import Refused
from portfolios.services.positions import SYMBOL
from trading.bars.checks import Found, column_of, faults_of, put_into_sessions, resolution_of
from trading.bars.engine import engine, first_row
from trading.bars.faults import Unfit, unfit
from trading.bars.jumps import Jumps, jumps_of
from trading.bars.keeping import Comparison, compare, keep_days, keep_parts, show_recorded
from trading.bars.known import known_of
from trading.bars.resolutions import DAILY, RESOLUTIONS
from trading.bars.staging import Shape, placed, stage
from trading.bars.warnings import warnings_of
from trading.bars.watched import Progress, quiet
from trading.market.models import Instrument
from trading.market.selectors import exchange_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Engine

log = structlog.get_logger(__name__)
LOCK = 7_620_140
PATIENCE = "60s"
MOST_ROWS = 50_000_000
MEMORY = "192MB"


class Wish(NamedTuple):
    """resolution: empty to have it found. accept_jumps: jumps without a known split are real. most: rows."""

    path: Path
    name: str
    symbol: str
    resolution: str = ""
    accept_jumps: bool = False
    most: int = MOST_ROWS


class Findings(NamedTuple):
    """first, last: of the file, seconds of the epoch. new, same, different: beside what is recorded."""

    symbol: str
    resolution: str
    rows: int
    first: int
    last: int
    new: int
    same: int
    different: int
    warnings: tuple[str, ...]


class Read(NamedTuple):
    """A file's bars in the engine's table `bars`, and how they jump."""

    duck: "Engine"
    shape: Shape
    resolution: str
    jumps: Jumps


def look_over(wish: Wish, progress: Progress = quiet) -> Findings:
    """What is in a file; changes nothing. Raises Unfit, Refused."""
    with read_in(wish, progress) as read:
        show_recorded(read.duck, wish.symbol, read.resolution)
        return findings(read, wish, compare(read.duck))


def import_file(wish: Wish, *, replace: bool = False, progress: Progress = quiet) -> Findings:
    """Take all bars of a file in that are not there yet; the same file again changes nothing.

    Two imports for one symbol and resolution go one after the other. Raises Unfit; Refused: bars_differ (409) where
    others are recorded for the same times and are not to be replaced, import_in_progress (409).
    """
    with read_in(wish, progress) as read, transaction.atomic():
        duck, resolution = read.duck, read.resolution
        take_turns(wish.symbol, resolution)
        show_recorded(duck, wish.symbol, resolution)
        found = compare(duck)
        if found.different and not replace:
            raise differs(found)
        told = findings(read, wish, found)
        Instrument.objects.get_or_create(symbol=wish.symbol)
        if resolution == DAILY:
            keep_days(duck, wish.symbol)
        else:
            keep_parts(duck, wish.symbol, resolution, wish.name, progress)
    log.info("bars imported", symbol=wish.symbol, resolution=resolution, new=told.new, replaced=told.different)
    return told


def differs(found: Comparison) -> Refused:
    first = f", the first at {found.first_different}" if found.first_different else ""
    message = f"for {found.different:,} bars other values are recorded{first}; say so if they are to be replaced"
    return Refused("bars_differ", message, field="replace", status=409)


@contextmanager
def read_in(wish: Wish, progress: Progress) -> Iterator[Read]:
    """The file's bars in the engine's table `bars`, once nothing is wrong with them."""
    if not SYMBOL.fullmatch(wish.symbol):
        raise Refused("invalid_symbol", "must be a symbol such as IBM or BRK.B", field="symbol")
    with engine(MEMORY) as duck:
        progress("reading", 0, 1)
        shape = stage(duck, wish.path, wish.symbol, wish.most)
        resolution = checked_resolution(duck, shape, wish.resolution)
        progress("checking", 0, 1)
        put_into_sessions(duck, resolution, exchange_of(wish.symbol))
        refuse(wish.path, faults_of(duck, resolution, timezone.now()))
        jumps = jumps_of(duck, wish.symbol, resolution, known_of(wish.symbol))
        if not wish.accept_jumps:
            refuse(wish.path, jumps.found)
        progress("comparing", 0, 1)
        yield Read(duck, shape, resolution, jumps)


def refuse(path: Path, found: Sequence[Found]) -> None:
    if found:
        raise Unfit(placed(path, found))


def checked_resolution(duck: "Engine", shape: Shape, wished: str) -> str:
    """As wished, else as found. Raises Unfit, Refused."""
    if wished and wished not in RESOLUTIONS:
        raise Refused("invalid_resolution", f"must be one of {', '.join(RESOLUTIONS)}", field="resolution")
    found = resolution_of(duck, shape.is_daily)
    if wished and (wished == DAILY) != shape.is_daily:
        said = "has dates, which are for 1day" if shape.is_daily else "has timestamps, which are not for 1day"
        raise unfit(said, column_of(found))
    if not (wished or found):
        raise unfit("bars begin at full minutes, five minutes or hours", "timestamp")
    return wished or found


def take_turns(symbol: str, resolution: str) -> None:
    """Until the end of the transaction. Raises Refused where another import does not end."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [LOCK, f"{symbol} {resolution}"])
    except OperationalError:
        message = "another import for this symbol is still at work; try again"
        raise Refused("import_in_progress", message, status=409) from None


def findings(read: Read, wish: Wish, found: Comparison) -> Findings:
    rows, first, last = first_row(read.duck, "SELECT count(*), min(begins), max(begins) FROM bars")
    counted = (found.new, found.same, found.different)
    warnings = warnings_of(read.duck, read.shape, read.resolution, read.jumps, found)
    return Findings(wish.symbol, read.resolution, rows, first, last, *counted, warnings)
