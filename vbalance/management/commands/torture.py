"""Seeded runs of the real services with everything going wrong: `manage.py torture --seeds 10000`.

On a PostgreSQL of its own that forgets everything; a violation is told with the command that shows it again.
"""

import logging
import multiprocessing
import os
import sys
import tempfile
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from trading.market.calendars import calendar_for
from trading.torture.crashes import CRASHES, FAULTS
from trading.torture.job import Job
from trading.torture.mutants import MUTANTS
from trading.torture.run import Result
from vbalance.stores.addresses import POSTGRES_PORT, POSTGRES_USER
from vbalance.stores.embedded import Wanted, embedded_stores

TEMPLATE, CHUNK, EACH_WITHIN = "torture", 20, 200
MANY, ENOUGH = 10_000, 100  # so many seeds must meet everything so often


def at_least_one(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 10_000_000):
        raise ArgumentTypeError("must be a whole number from 1 to 10000000")
    return int(text)


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seeds", type=at_least_one, default=1, help="how many")
        parser.add_argument("--seed", type=int, default=0, help="the first of them; one alone shows its steps")
        parser.add_argument(
            "--jobs", type=at_least_one, default=os.cpu_count() or 1, help="processes, with a database each"
        )
        parser.add_argument("--mutants", action="store_true", help="plant known mistakes: each must be noticed")

    def handle(self, *, seeds: int, seed: int, jobs: int, mutants: bool, **options: Any) -> None:
        logging.disable(logging.CRITICAL)  # what is set aside here is meant to be
        calendar_for()  # once, before there are processes
        with server(jobs) as pool:
            failed = self.plant(pool, seed) if mutants else self.run_seeds(pool, range(seed, seed + seeds))
        if failed:
            raise CommandError(f"{failed} of {len(MUTANTS) if mutants else seeds} failed")

    def run_seeds(self, pool: Any, seeds: range) -> int:
        began = time.monotonic()
        counts: dict[str, Counter[str]] = {"passed": Counter(), "crashed": Counter(), "met": Counter()}
        broken = 0
        chunks = [seeds[first : first + CHUNK] for first in range(0, len(seeds), CHUNK)]
        for results in pool.imap(work, chunks):
            for result in results:
                for name, total in counts.items():
                    total.update(getattr(result, name))
                broken += self.tell(result, alone=len(seeds) == 1)
        took = time.monotonic() - began
        seldom = self.summarize(counts)
        pace = len(seeds) / took * 60 / pool._processes
        self.say(f"{len(seeds)} seeds, {broken} broken, {took:.0f} s: {pace:.0f} runs a minute and job")
        self.say(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        if seldom and len(seeds) >= MANY:
            raise CommandError(f"met less than {ENOUGH} times: {', '.join(seldom)}")
        return broken

    def tell(self, result: Result, *, alone: bool) -> bool:
        if alone:
            self.say(f"seed {result.seed} ({result.digest}): {', '.join(result.steps)}")
        if result.broken:
            self.say(f"seed {result.seed}: {result.broken}\n    ./run manage torture --seed {result.seed}")
        return bool(result.broken)

    def summarize(self, counts: dict[str, Counter[str]]) -> list[str]:
        """What was gone through; of what must be met often, that which was not."""
        passed, crashed, met = counts["passed"], counts["crashed"], counts["met"]
        self.say(f"{'crashed':<34}{'hit':>10}{'passed':>12}")
        for point in CRASHES:
            self.say(f"{point:<34}{crashed[point]:>10,}{passed[point]:>12,}")
        self.say(f"{'met':<34}{'hit':>10}")
        for fault in FAULTS:
            self.say(f"{fault:<34}{met[fault]:>10,}")
        others = sorted((name, times) for name, times in (met + passed).items() if name not in CRASHES + FAULTS)
        self.say("also: " + ", ".join(f"{name} {times:,}" for name, times in others))
        return [name for name in CRASHES + FAULTS if (crashed + met)[name] < ENOUGH]

    def plant(self, pool: Any, first: int) -> int:
        """Each mistake until it is noticed; how many were not."""
        missed = 0
        for name, needed, violation in pool.imap(hunt, [(name, first) for name in MUTANTS]):
            missed += needed == 0
            self.say(f"{name:<52}{needed or 'never':>6}  {violation[:110]}")
        return missed

    def say(self, line: str) -> None:
        self.stdout.write(line)
        sys.stdout.flush()


@contextmanager
def server(jobs: int) -> Iterator[Any]:
    """A PostgreSQL that forgets, one migrated database to copy from, and processes that know where it is."""
    with tempfile.TemporaryDirectory(prefix="vbt-") as place:
        folder, sockets = Path(place), Path(place) / "s"
        with embedded_stores(folder, sockets, Wanted(valkey=False), durable=False, doing="torture"):
            address = {"host": str(sockets), "port": POSTGRES_PORT, "user": POSTGRES_USER}
            go_to(address)
            call_command("migrate", verbosity=0)
            connection.close()
            with multiprocessing.get_context("fork").Pool(jobs, initializer=begin, initargs=[address]) as pool:
                yield pool


def go_to(address: dict[str, Any]) -> None:
    """The template is made, and from now on meant."""
    connection.close()
    own = {"HOST": address["host"], "PORT": str(address["port"]), "USER": address["user"], "PASSWORD": ""}
    connection.settings_dict |= own | {"NAME": "postgres"}
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {TEMPLATE}")
    connection.close()
    connection.settings_dict["NAME"] = TEMPLATE


def begin(address: dict[str, Any]) -> None:
    work.job = Job(address, TEMPLATE, f"torture_{os.getpid()}")  # type: ignore[attr-defined]


def work(seeds: range) -> list[Result]:
    job: Job = work.job  # type: ignore[attr-defined]
    return list(job.work(seeds))


def hunt(asked: tuple[str, int]) -> tuple[str, int, str]:
    """A mistake, after how many seeds it was noticed (0: it was not), and by what."""
    name, first = asked
    job: Job = work.job  # type: ignore[attr-defined]
    for result in job.work(range(first, first + EACH_WITHIN), MUTANTS[name]()):
        if result.broken:
            return name, result.seed - first + 1, result.broken
    return name, 0, ""
