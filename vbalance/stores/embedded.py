"""The stores that were not given: started together, stopped together."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from vbalance.stores.errors import StoresInUse
from vbalance.stores.postgres import Postgres
from vbalance.stores.server import Server
from vbalance.stores.valkey import Valkey


class Wanted(NamedTuple):
    """Which stores to start: those for which no URL was given."""

    postgres: bool = True
    valkey: bool = True


BOTH = Wanted()


class Running(NamedTuple):
    """Servers by name, and how to start one again that died."""

    servers: dict[str, Server]
    starters: dict[str, Callable[[], Server]]


@contextmanager
def only_one(folder: Path, *, doing: str) -> Iterator[None]:
    """Two supervisors on one folder would end each other's servers. The kernel drops the lock of a killed one."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "stores.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise StoresInUse(*_holder(lock.read())) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()} {doing}")
        lock.flush()
        yield


def _holder(note: str) -> tuple[int, str]:
    pid, _, doing = note.partition(" ")
    return int(pid or 0), doing


@contextmanager
def embedded_stores(
    folder: Path, sockets: Path, wanted: Wanted = BOTH, *, durable: bool = True, doing: str = "a command"
) -> Iterator[Running]:
    """Hold the folder's lock and run what was asked for; a second caller gets `StoresInUse`."""
    with only_one(folder, doing=doing), ExitStack() as stack:
        starters: dict[str, Callable[[], Server]] = {}
        if wanted.postgres:
            starters["postgres"] = Postgres(folder, sockets, durable=durable).start
        if wanted.valkey:
            starters["valkey"] = Valkey(folder, sockets).start
        running = Running({}, starters)
        stack.callback(_remove_if_empty, sockets)
        for name, start in starters.items():
            running.servers[name] = start()
            stack.callback(_stop, running, name)
        yield running


def _stop(running: Running, name: str) -> None:
    """Whichever server has that name by then: it may have been started again."""
    running.servers[name].stop()


def _remove_if_empty(sockets: Path) -> None:
    with suppress(OSError):  # not made, or something still listens there
        sockets.rmdir()
