"""So many clients on loopback, each on one connection, each asking again as soon as it is answered."""

import asyncio
import re
import time
from collections.abc import Iterator
from typing import NamedTuple

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Asked(NamedTuple):
    path: str
    headers: dict[str, str]
    body: str

    @property
    def wire(self) -> bytes:
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        top = f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        return f"{top}{lines}Content-Length: {len(self.body)}\r\n\r\n{self.body}".encode()


class Load(NamedTuple):
    """Milliseconds of every answer, how many came with each status, and how long it all took."""

    times: list[float]
    statuses: dict[int, int]
    seconds: float


async def put_under_load(port: int, requests: list[Asked], clients: int, seconds: float) -> Load:
    """Ends when all are answered or the time is over, whichever comes first."""
    upcoming = iter(requests)
    load = Load([], {}, 0)
    began = time.perf_counter()
    await asyncio.gather(*(ask(port, upcoming, load, began + seconds) for _ in range(clients)))
    return load._replace(seconds=time.perf_counter() - began)


async def ask(port: int, upcoming: Iterator[Asked], load: Load, until: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in upcoming:
        began = time.perf_counter()
        writer.write(request.wire)
        head = await reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        if length is None:
            raise ValueError(f"an answer without its length: {head!r}")
        await reader.readexactly(int(length[1]))
        now = time.perf_counter()
        status = int(head[9:12])
        load.times.append((now - began) * 1_000)
        load.statuses[status] = load.statuses.get(status, 0) + 1
        if b"\r\nconnection: close" in head.lower():
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        if now > until:
            break
    writer.close()
