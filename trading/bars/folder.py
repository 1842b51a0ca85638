"""Where bars lie on disk, for their owner alone: written beside, flushed, then given their name."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp
from time import time

from django.conf import settings

HOUR = 3_600
OWNERS_ALONE = 0o700
OWNERS_FILE = 0o600


def store_folder() -> Path:
    return made(Path(settings.BARS_FOLDER))


def uploads_folder() -> Path:
    return made(store_folder() / "uploads")


def series_folder(symbol: str, resolution: str) -> Path:
    return made(made(store_folder() / symbol) / resolution)


def made(folder: Path) -> Path:
    folder.mkdir(mode=OWNERS_ALONE, parents=True, exist_ok=True)
    return folder


def kept(folder: Path, period: str, write: Callable[[Path], None]) -> tuple[str, str]:
    """A new file by what is in it, whole and on the disk or not there at all: its name and its SHA-256.

    Whoever still reads the file of another name is not disturbed.
    """
    work = Path(mkdtemp(prefix="work-", dir=folder))
    try:
        draft = work / "draft"
        write(draft)
        draft.chmod(OWNERS_FILE)
        digest = sha256_of(draft)
        flush(draft)
        name = f"{period}.{digest[:16]}.parquet"
        draft.replace(folder / name)
        flush(folder)
    finally:
        for left in work.iterdir():
            left.unlink()
        work.rmdir()
    return name, digest


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def swept(folder: Path, wanted: set[str], older_than: float = HOUR) -> int:
    """Throw away what no catalogue names, once nobody can still be reading it. How many files went."""
    gone = 0
    for path in list(leftovers(folder, wanted)):
        if time() - path.stat().st_mtime >= older_than:
            path.unlink(missing_ok=True)
            gone += 1
    for work in folder.glob("work-*"):
        if not any(work.iterdir()) and time() - work.stat().st_mtime >= older_than:
            work.rmdir()
    return gone


def sweep_spilt(older_than: float = 24 * HOUR) -> int:
    """What engines that were killed had spilt. How many folders went."""
    old = [path for path in store_folder().glob("work-*") if time() - path.stat().st_mtime >= older_than]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
    return len(old)


def leftovers(folder: Path, wanted: set[str]) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_file() and path.name not in wanted:
            yield path
        elif path.is_dir() and path.name.startswith("work-"):
            yield from path.iterdir()
