"""The programs of the house as real processes on the test's own database: they can be killed, and their logs read."""

import contextlib
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from vbalance import programs
from vbalance.celery import app

COPIES = multiprocessing.get_context("forkserver")
COPIES.set_forkserver_preload(["tests.imported"])


class Program:
    """One running process."""

    def __init__(self, name: str, options: tuple[str, ...], prefix: str, queue: str) -> None:
        self.log = Path(tempfile.mkstemp(prefix="vbt-", suffix=f"-{name}.log")[1])
        words = (name, options, connection.settings_dict["NAME"], prefix, queue, str(self.log))
        self.process = COPIES.Process(target=live, args=words)
        self.process.start()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its log lines so far, as mappings."""
        parsed = []
        for line in self.log.read_text().splitlines():
            with contextlib.suppress(ValueError):
                parsed.append(json.loads(line))
        return parsed

    def kill(self) -> None:
        """As the kernel does it when memory runs out: nothing is tidied up."""
        self.process.kill()
        self.process.join()

    def wait(self, seconds: float) -> int | None:
        """Its exit code; None while it still runs after so many seconds."""
        self.process.join(seconds)
        return self.process.exitcode


def web_at(port: str) -> Callable[[], None]:
    return programs.web(host="127.0.0.1", port=int(port))


def live(name: str, options: tuple[str, ...], database: str, prefix: str, queue: str, log: str) -> None:
    """The life of a copy: the test's database, its queue, a file for what it says, and then what production runs."""
    errors = os.open(log, os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(errors, stream)
    connection.settings_dict["NAME"] = database
    app.conf.broker_url = queue
    app.conf.broker_transport_options["global_keyprefix"] = prefix
    mains = {"worker": programs.worker, "feed": programs.feed, "beat": programs.beat, "web": web_at}
    mains[name](*options)()


@contextlib.contextmanager
def running(name: str, *options: str, prefix: str = "", queue: str = "") -> Iterator[Program]:
    program = Program(name, options, settings.KEY_PREFIX + prefix, queue or settings.CELERY_BROKER_URL)
    try:
        yield program
    finally:
        program.kill()
        program.log.unlink()


def wait_until(question: Callable[[], Any], *, seconds: float = 60, what: str = "it") -> Any:
    """The first answer that is true."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, f"{what} did not happen in {seconds:g} s"
        time.sleep(0.02)
    return answer
