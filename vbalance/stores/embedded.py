"""The stores that were not given: started together, stopped together."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from vbalance.stores.postgres import Postgres
from vbalance.stores.server import Server
from vbalance.stores.valkey import Valkey


class Running(NamedTuple):
    """Servers by name, and how to start one again that died."""

    servers: dict[str, Server]
    starters: dict[str, Callable[[], Server]]


@contextmanager
def embedded_stores(
    folder: Path, sockets: Path, *, postgres: bool = True, valkey: bool = True, durable: bool = True
) -> Iterator[Running]:
    starters: dict[str, Callable[[], Server]] = {}
    if postgres:
        starters["postgres"] = Postgres(folder, sockets, durable=durable).start
    if valkey:
        starters["valkey"] = Valkey(folder, sockets).start
    running = Running({}, starters)
    with ExitStack() as stack:
        for name, start in starters.items():
            running.servers[name] = start()
            stack.callback(lambda name=name: running.servers[name].stop())
        yield running
