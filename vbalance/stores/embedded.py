"""The stores that were not given: started together, stopped together."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from vbalance.stores.errors import StoresInUse
from vbalance.stores.postgres import Postgres
from vbalance.stores.server import Server
from vbalance.stores.valkey import Valkey


class Running(NamedTuple):
    """Servers by name, and how to start one again that died."""

    servers: dict[str, Server]
    starters: dict[str, Callable[[], Server]]


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Two supervisors on one folder would end each other's servers. The kernel drops the lock of a killed one."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "stores.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoresInUse(f"Another process runs the stores of {folder}") from None
        yield


@contextmanager
def embedded_stores(
    folder: Path, sockets: Path, *, postgres: bool = True, valkey: bool = True, durable: bool = True
) -> Iterator[Running]:
    """Hold the folder's lock and run what was asked for; a second caller gets `StoresInUse`."""
    with only_one(folder), ExitStack() as stack:
        starters: dict[str, Callable[[], Server]] = {}
        if postgres:
            starters["postgres"] = Postgres(folder, sockets, durable=durable).start
        if valkey:
            starters["valkey"] = Valkey(folder, sockets).start
        running = Running({}, starters)
        for name, start in starters.items():
            running.servers[name] = start()
            stack.callback(lambda name=name: running.servers[name].stop())
        yield running
