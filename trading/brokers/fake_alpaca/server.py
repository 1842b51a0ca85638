"""The fake as a whole: on loopback, in the foreground or in a thread of its own."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from aiohttp import web

from trading.brokers.fake_alpaca import HOST, KEY, SECRET, account, actions, activities, data, hours, rest, script
from trading.brokers.fake_alpaca.book import Book
from trading.brokers.fake_alpaca.faults import Faults
from trading.brokers.fake_alpaca.streams import DataStream, TradeStream

Found = TypeVar("Found")
TICK = 1.0  # seconds between looks at prices


class FakeAlpaca:
    """book: what it keeps; faults: what its line does."""

    def __init__(self, book: Book | None = None, *, tick: float = TICK, hang: float = 30.0) -> None:
        self.book = book or Book()
        self.faults = Faults()
        self.tick = tick
        self.asked: list[str] = []
        self.trades = TradeStream(self.book, self.faults)
        self.data = DataStream(self.faults)
        self.hang = [hang]
        self.port = 0
        self.loop: asyncio.AbstractEventLoop | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def application(self) -> web.Application:
        app = web.Application(middlewares=[rest.doors])
        app[rest.BOOK], app[rest.FAULTS], app[rest.KEYS] = self.book, self.faults, (KEY, SECRET)
        app[rest.HANG], app[rest.ASKED] = self.hang, self.asked
        for room in (rest, account, activities, actions, data, hours, script):
            app.add_routes(room.ROUTES)
        app.add_routes([web.get("/stream", self.trades.serve)])
        app.add_routes([web.get(f"/v2/{feed}", self.data.serve) for feed in ("iex", "sip", "test")])
        return app

    async def serve(self, port: int, ready: Callable[[], None]) -> None:
        """Until cancelled. Raises OSError where the port is taken."""
        self.loop = asyncio.get_running_loop()
        runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        try:
            site = web.TCPSite(runner, HOST, port)
            await site.start()
            sockets: Any = site._server
            self.port = sockets.sockets[0].getsockname()[1]
            ready()
            await self.look_at_prices()
        finally:
            await runner.cleanup()

    async def look_at_prices(self) -> None:
        """What is due today is done; orders whose limit is met now are filled; whoever subscribed hears the price."""
        while True:
            await asyncio.sleep(self.tick)
            self.live()
            for symbol in sorted(set().union(*self.data.wanted.values()) - {"*"}):
                await self.data.publish(symbol, self.book.prices.price(symbol))

    def live(self) -> None:
        actions.carry_out(self.book)
        self.book.live_all()

    def look(self) -> None:
        """From another thread: what is due by now is done when this returns."""
        self.do(self.live)

    def do(self, deed: Callable[[], Found]) -> Found:
        """From another thread: done in the loop, where nothing else touches the book meanwhile."""
        assert self.loop is not None

        async def done() -> Found:
            return deed()

        return asyncio.run_coroutine_threadsafe(done(), self.loop).result(5)


@contextmanager
def running(fake: FakeAlpaca, port: int = 0) -> Iterator[FakeAlpaca]:
    """In a thread, until the block is left."""
    began = threading.Event()
    task: list[asyncio.Task[None]] = []

    async def main() -> None:
        task.append(asyncio.create_task(fake.serve(port, began.set)))
        with contextlib.suppress(asyncio.CancelledError):
            await task[0]

    thread = threading.Thread(target=lambda: asyncio.run(main()), name="fake-alpaca", daemon=True)
    thread.start()
    if not began.wait(10):
        raise RuntimeError("the fake does not start")
    try:
        yield fake
    finally:
        assert fake.loop is not None
        fake.loop.call_soon_threadsafe(task[0].cancel)
        thread.join(10)
