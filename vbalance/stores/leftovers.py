"""Servers a killed supervisor may have left behind: found by the folder they live in, ended before a new one starts."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from vbalance.stores.errors import StoreError

PROC = Path("/proc")
STEPS = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))


def living_in(folder: Path) -> list[int]:
    """Processes working in that folder: both servers move into their data folder, and so do their children."""
    return sorted(pid for pid, home in _homes() if home == str(folder))


def _homes() -> Iterator[tuple[int, str]]:
    for entry in PROC.iterdir() if PROC.exists() else ():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it ended, or belongs to someone else
                yield int(entry.name), str((entry / "cwd").readlink())


def end_leftovers(folder: Path) -> None:
    """Returns once nobody lives there: two servers on one data folder would ruin it."""
    for ask, patience in STEPS:
        deadline = time.monotonic() + patience
        for pid in living_in(folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, ask)
        while living_in(folder):
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        else:
            return
    raise StoreError(
        f"Process {living_in(folder)} still uses {folder} and does not stop. Type: kill -9 {living_in(folder)[0]}"
    )
