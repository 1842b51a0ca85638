"""What `manage.py up` runs: each program in a copy of one process that has everything imported.

In production the same programs are started by their own command lines: see docker-compose.yml.
"""

import os
import warnings
from collections.abc import Callable

from celery.platforms import SecurityWarning
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connection
from gunicorn.app.base import BaseApplication

from trading.simulation.runs import compile_ahead
from vbalance import environment
from vbalance.celery import app as celery
from vbalance.children import Child, Copy
from vbalance.health import QUEUES
from vbalance.logs import logging_config


class Web(BaseApplication):
    """gunicorn without a command line: the application is already loaded."""

    def __init__(self, *, host: str, port: int) -> None:
        self.choices = {
            "bind": f"{host}:{port}",
            "worker_class": "gthread",
            "workers": 2,
            "threads": 8,
            "graceful_timeout": 2,
            "loglevel": "warning",
            "preload_app": True,
            "control_socket_disable": True,
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.choices.items():
            self.cfg.set(name, value)

    def load(self) -> object:
        """Here and not earlier: static files are looked up when the application is made, and collected just before."""
        return get_wsgi_application()


def web(*, host: str, port: int) -> Callable[[], None]:
    return _named("web", lambda: Web(host=host, port=port).run())


def worker(*, concurrency: int = 2) -> Callable[[], None]:
    words = ["--quiet", "worker", "--queues", ",".join(QUEUES), "--concurrency", str(concurrency)]
    lean = ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]

    def run() -> None:
        warnings.simplefilter("ignore", SecurityWarning)  # as root it fears pickle, and we accept JSON only
        celery.start([*words, *lean])

    return _named("worker", run)


def beat() -> Callable[[], None]:
    return _named("beat", lambda: celery.start(["--quiet", "beat", "--pidfile", "", "--loglevel", "WARNING"]))


def feed(*options: str) -> Callable[[], None]:
    return _named("feed", lambda: call_command("feed", *options))


def alpaca_stream() -> Callable[[], None]:
    return _named("stream", lambda: call_command("alpaca_stream"))


def price_stream() -> Callable[[], None]:
    return _named("prices", lambda: call_command("price_stream"))


def fake_alpaca(*options: str) -> Callable[[], None]:
    return _named("fake-alpaca", lambda: call_command("fake_alpaca", *options))


def compiler() -> Callable[[], None]:
    """At rest once the rule is machine code; whoever trades or looks at a page goes first."""

    def run() -> None:
        os.nice(15)
        compile_ahead()

    return _named("compiler", run)


def _named(name: str, main: Callable[[], object]) -> Callable[[], None]:
    """The program under its own name in logs and in the database's list of connections."""

    def run() -> None:
        os.environ["VBALANCE_SERVICE"] = name
        logging_config(level=environment.LOG_LEVEL, service=name)
        connection.settings_dict["OPTIONS"].update(application_name=f"vbalance-{name}", pool=settings.DATABASE_POOL)
        main()

    return run


def start(main: Callable[[], None]) -> Callable[[], Child]:
    return lambda: Copy(main)
