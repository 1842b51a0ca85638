"""DuckDB as this house uses it: no network, no extension, memory bounded, what is too much spilt into a folder."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trading.bars.folder import store_folder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Engine

MEMORY = "192MB"
SPILLED = "20GB"


@contextmanager
def engine(memory: str = MEMORY) -> Iterator["Engine"]:
    import duckdb  # noqa: PLC0415 - 0.7 s and 60 MB that only this needs

    work = Path(tempfile.mkdtemp(prefix="work-", dir=store_folder()))
    options: dict[str, Any] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "threads": "2",
        "memory_limit": memory,
        "temp_directory": str(work),
        "max_temp_directory_size": SPILLED,
    }
    try:
        with duckdb.connect(config=options) as opened:
            yield opened
    finally:
        shutil.rmtree(work, ignore_errors=True)


def first_row(opened: "Engine", sql: str) -> tuple[Any, ...]:
    """Read to its end: the engine takes no other statement before. Empty where there is none."""
    rows = opened.execute(sql).fetchall()
    return rows[0] if rows else ()


def quoted(text: str) -> str:
    """A name of a column."""
    return '"' + text.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text within SQL, where there can be no parameter."""
    return "'" + text.replace("'", "''") + "'"
