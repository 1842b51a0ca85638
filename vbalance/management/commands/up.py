"""Start the whole house, watch over it, stop it in order."""

import contextlib
import signal
import socket
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand

from trading.brokers.fake_alpaca import HOST as FAKE_HOST
from trading.management.commands.feed import sessions_a_second
from vbalance import environment
from vbalance.children import STOP_SIGNALS
from vbalance.house import House, Wishes, show_welcome
from vbalance.stores.embedded import Running, Wanted, embedded_stores, only_one
from vbalance.stores.errors import StoreError, StoreMissing, StoresInUse
from vbalance.terminal import show


class Refused(Exception):
    """Why the house does not start, in one line, and the exit code that says so."""

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason)
        self.code = code


def port_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65_535):
        raise ArgumentTypeError("must be a port from 1 to 65535")
    return int(text)


class Command(BaseCommand):
    """This process has no threads and keeps no connection: its copies become web, worker, beat and the rest."""

    help = "Start web, worker, beat and feed, with PostgreSQL and Valkey unless their URLs are given; Ctrl-C stops all."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=port_number, default=8000)
        parser.add_argument("--speed", type=sessions_a_second, help="sessions of history per second")
        parser.add_argument("--no-feed", action="store_true", help="do not walk through history")
        parser.add_argument(
            "--no-demo", action="store_true", help="create no demo portfolio, load no history, feed nothing"
        )
        parser.add_argument(
            "--broker", choices=["fake-alpaca"], help="with a fake broker, and a portfolio that trades there"
        )
        parser.add_argument("--web-only", action="store_true", help="no worker, no beat, no feed")
        parser.add_argument("--prepare", action="store_true", help="migrate and load, then stop")

    def handle(self, **options: Any) -> None:
        began = time.monotonic()
        wishes = Wishes(
            host=options["host"],
            port=options["port"],
            feed=not (options["no_feed"] or options["no_demo"]),
            demo=not options["no_demo"],
            web_only=options["web_only"],
            speed=options["speed"],
            fake_broker=options["broker"] is not None,
        )
        try:
            with asked_to_stop():
                run(wishes, began=began, only_prepare=options["prepare"])
        except Refused as refused:
            show(f"up: {refused}")
            raise SystemExit(refused.code) from None


def run(wishes: Wishes, *, began: float, only_prepare: bool) -> None:
    if wishes.fake_broker and (wishes.web_only or not wishes.demo):
        raise Refused("--broker needs the demo and all programs: leave out --no-demo and --web-only", 2)
    refuse_taken_port(wishes)
    if wishes.fake_broker and not is_free(FAKE_HOST, wishes.fake_port):
        raise Refused(f"port {wishes.fake_port}, for the fake broker, is taken. Choose another --port", 2)
    with stores(f"the house at {wishes.url}") as running:
        house = House(running, wishes)
        try:
            if not house.prepare():
                raise Refused(f"the set-up failed: see above, or {environment.VAR / 'log' / 'setup.log'}", 1)
            if only_prepare:
                return
            house.open()
            report(wishes, house.wait_until_ready(), began)
            house.stay()
        except KeyboardInterrupt:
            show("up: stopping")
        finally:
            for number in STOP_SIGNALS:  # already on our way, and that takes seconds
                signal.signal(number, signal.SIG_IGN)
            house.close()


def report(wishes: Wishes, missing: list[str], began: float) -> None:
    if missing:
        show(f"up: not ready after a minute: {', '.join(missing)}. Still trying; logs in {environment.VAR / 'log'}")
    else:
        show_welcome(wishes, seconds=time.monotonic() - began, demo=environment.VAR / "demo.json")


@contextmanager
def stores(doing: str) -> Iterator[Running]:
    """The stores that were not given, or one line that says why not."""
    missing = Wanted(postgres=not environment.DATABASE_URL, valkey=not environment.REDIS_URL)
    try:
        with embedded_stores(environment.VAR, environment.socket_folder(), missing, doing=doing) as running:
            yield running
    except StoresInUse as error:
        raise not_twice(error) from None
    except StoreError as error:
        raise Refused(str(error), 3 if isinstance(error, StoreMissing) else 1) from None
    except OSError as error:
        raise Refused(f"cannot use {environment.VAR}: {error.strerror}: {error.filename}", 1) from None


def not_twice(error: StoresInUse) -> Refused:
    return Refused(f"{error}. To stop it type: ./run down", 2)


def refuse_taken_port(wishes: Wishes) -> None:
    """Asked before anything is started; if it is our own house that has the port, that is the better answer."""
    if is_free(wishes.host, wishes.port):
        return
    try:
        with only_one(environment.VAR, doing="looking for a port"):
            pass
    except StoresInUse as error:
        raise not_twice(error) from None
    free = next((port for port in range(wishes.port + 1, wishes.port + 100) if is_free(wishes.host, port)), 0)
    raise Refused(f"port {wishes.port} is taken. Type: ./run --port {free}", 2)


def is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


@contextmanager
def asked_to_stop() -> Iterator[None]:
    """Ctrl-C, a closed terminal and `kill` all mean the same: stop in order."""
    for number in STOP_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup asks us to outlive the terminal
            signal.signal(number, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        yield
