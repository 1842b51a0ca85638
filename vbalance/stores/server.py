"""One server process: started, waited for, stopped."""

import os
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from vbalance.children import end, spawn
from vbalance.stores.errors import StoreError
from vbalance.stores.identity import nobody

LOG_LIMIT = 5_000_000


class Server:
    """A running store. Its output goes straight to a file, so it can finish its work when nobody is left to read."""

    def __init__(self, command: Sequence[str], *, log: Path, gently: signal.Signals, user: int | None = None) -> None:
        self.log = log
        self.gently = gently
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output:
            self.process: subprocess.Popen[bytes] = spawn(command, output=output, last_wish=gently, user=user)

    def wait_until(self, ready: Callable[[], bool], *, patience: float = 60.0) -> None:
        deadline = time.monotonic() + patience
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise StoreError(f"{self.log.stem} did not start: {self.last_words()}")
            time.sleep(0.02)

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return f"{' | '.join(lines[-2:])} (more in {self.log})"

    def stop(self, patience: float = 4.0) -> None:
        end(self.process, gently=self.gently, patience=patience)


def private_folder(path: Path, user: int | None = None) -> Path:
    """A folder only we (or the server's own user) can enter; someone else's folder of that name is refused."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.lstat()
    trusted = (os.getuid(), nobody()) if os.getuid() == 0 else (os.getuid(),)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in trusted:
        raise StoreError(f"{path} belongs to someone else. Type: sudo rm -r {path}")
    if user is not None:
        os.chown(path, user, -1)
    path.chmod(0o700)
    return path
