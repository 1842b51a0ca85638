"""The programs over the stores: prepared, started, waited for, looked after, stopped."""

import http.client
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from trading.brokers.fake_alpaca import HOST as FAKE_HOST
from trading.brokers.fake_alpaca import KEY, SECRET
from trading.services.demonstration import AT_BROKER
from vbalance import environment, programs
from vbalance.children import Child
from vbalance.imports import prepare_imports
from vbalance.preparation import FAKE_BOOK, STREAM_WANTED, prepare
from vbalance.processes import Supervisor, Watched
from vbalance.stores.embedded import Running
from vbalance.terminal import show

READY_WITHIN, ASK_EVERY = 60.0, 0.25


class Wishes(NamedTuple):
    """What the command line asked for."""

    host: str
    port: int
    feed: bool
    demo: bool
    web_only: bool
    speed: float | None
    fake_broker: bool = False

    @property
    def fake_port(self) -> int:
        """Of the fake broker: always the same for the same house."""
        return self.port + 100 if self.port + 100 <= 65_535 else self.port - 100

    @property
    def fake_url(self) -> str:
        return f"http://{FAKE_HOST}:{self.fake_port}" if self.fake_broker else ""

    @property
    def address(self) -> str:
        return "127.0.0.1" if self.host in ("0.0.0.0", "") else self.host  # noqa: S104 - compared, not bound

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.port}"

    @property
    def parts(self) -> tuple[str, ...]:
        """What must be ready before we say that the house is."""
        if self.web_only:
            return ("database", "broker")
        return ("database", "broker", "beat", "quotes") if self.feed else ("database", "broker", "beat")


class House:
    def __init__(self, stores: Running, wishes: Wishes) -> None:
        self.wishes = wishes
        self.supervisor = Supervisor(environment.VAR / "log")
        for name, server in stores.servers.items():
            watched = Watched(name, _again(stores, name), gently=server.gently, patience=3.0, process=server.process)
            self.supervisor.keep(watched)

    def prepare(self) -> bool:
        prepare_imports()
        wishes = self.wishes
        return self.supervisor.finish("setup", lambda: prepare(demo=wishes.demo, fake_broker=wishes.fake_url)) == 0

    def open(self) -> None:
        wishes = self.wishes
        if wishes.fake_broker:
            price_by_fake(wishes.fake_url)
            book = str(environment.VAR / FAKE_BOOK)
            fake = programs.fake_alpaca("--port", str(wishes.fake_port), "--state", book, "--prices", "replay")
            self.supervisor.keep(Watched("fake-alpaca", programs.start(fake)))
        self.supervisor.keep(
            Watched("web", programs.start(programs.web(host=wishes.host, port=wishes.port)), patience=1.5)
        )
        if wishes.web_only:
            return
        self.supervisor.keep(Watched("worker", programs.start(programs.worker()), patience=2.0))
        self.supervisor.keep(Watched("beat", programs.start(programs.beat())))
        if wishes.feed:
            options = ("--speed", str(wishes.speed)) if wishes.speed else ()
            self.supervisor.keep(Watched("feed", programs.start(programs.feed(*options)), rests=True))
        if (environment.VAR / STREAM_WANTED).exists():
            self.supervisor.keep(Watched("stream", programs.start(programs.alpaca_stream())))
        if settings.ALPACA_DATA_KEY and settings.ALPACA_DATA_SECRET:
            self.supervisor.keep(Watched("prices", programs.start(programs.price_stream())))
        self.supervisor.keep(Watched("compiler", programs.start(programs.compiler()), rests=True))

    def wait_until_ready(self) -> list[str]:
        """The parts that are still not ready after a minute; the house goes on trying."""
        deadline = time.monotonic() + READY_WITHIN
        missing = list(self.wishes.parts)
        while missing and time.monotonic() < deadline:
            asked_at = time.monotonic()
            missing = _missing(self.wishes)
            while time.monotonic() < asked_at + ASK_EVERY:
                self.supervisor.look_after()
        return missing

    def stay(self) -> None:
        while True:
            self.supervisor.look_after()

    def close(self) -> None:
        self.supervisor.stop()


def price_by_fake(url: str) -> None:
    """Where the house has no keys of its own for market data, the fake is asked for that too."""
    if not settings.ALPACA_DATA_KEY:
        settings.ALPACA_DATA_URL, settings.ALPACA_DATA_KEY, settings.ALPACA_DATA_SECRET = url, KEY, SECRET


def _again(stores: Running, name: str) -> Callable[[], Child]:
    def start_again() -> Child:
        stores.servers[name] = stores.starters[name]()
        return stores.servers[name].process

    return start_again


def _missing(wishes: Wishes) -> list[str]:
    """Asks as any visitor would; a web that does not answer yet is missing itself."""
    web = http.client.HTTPConnection(wishes.address, wishes.port, timeout=5)
    try:
        web.request("GET", "/readyz", headers={"Host": environment.HOSTS[0]})
        answer = web.getresponse()
        parts = json.load(answer)["parts"]
    except (OSError, ValueError, KeyError, http.client.HTTPException):
        return ["web"]
    finally:
        web.close()
    return [f"{name} ({parts[name]['detail']})" for name in wishes.parts if name in parts and not parts[name]["ok"]]


def show_welcome(wishes: Wishes, *, seconds: float, demo: Path) -> None:
    live = "live prices come for portfolios that follow Alpaca's" if settings.ALPACA_DATA_KEY else "no live prices"
    show(f"\n  Ready in {seconds:.0f} s. The demo replays recorded history, no real money; {live}.\n")
    show(f"    page    {wishes.url}/")
    if wishes.demo and demo.exists():
        secrets = json.loads(demo.read_text())
        show(f"    login   {secrets['username']}   password {secrets['password']}")
        show(f"    token   {secrets['token']}")
        show(f"    try     curl -s -H 'Authorization: Bearer {secrets['token']}' {wishes.url}/v1/positions")
    if wishes.fake_broker:
        show(f"    broker  a fake Alpaca at {wishes.fake_url}; it trades for the portfolio {AT_BROKER}")
    show("    stop    Ctrl-C\n")
