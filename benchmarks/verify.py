"""How long checking the log's hash chains takes, and in how much memory: `python -m benchmarks.verify [--events N]`."""

import argparse
import hashlib
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

import django
import psycopg

from vbalance.stores.addresses import postgres_url, valkey_url
from vbalance.stores.embedded import embedded_stores

CELLS, BATCH = 10, 1_000
BASELINE = "bare"
WAYS = {
    BASELINE: "hashlib over the same texts, read by a cursor of psycopg: chain only, no column compared",
    "verify": "verify_events: sequence, chain, every column against its text, the end against the row",
}


class Run(NamedTuple):
    """cpu: without the database. Memory: resident at its peak, and before the first event."""

    events: int
    seconds: float
    cpu: float
    peak: float
    start: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each way; the median is shown (default 3)")
    parser.add_argument("--way", choices=["prepare", *WAYS], help=argparse.SUPPRESS)
    wishes = parser.parse_args()
    if wishes.way:
        print(json.dumps(inside(wishes.way, wishes.events)))
        return
    with tempfile.TemporaryDirectory(prefix="vb-bench-") as place:
        folder, sockets = Path(place), Path(place) / "s"
        with embedded_stores(folder, sockets, doing="a benchmark"):
            addresses = {"REDIS_URL": valkey_url(sockets), "DATABASE_URL": postgres_url(sockets)}
            environment = os.environ | addresses | {"VBALANCE_VAR": str(folder), "VBALANCE_SERVICE": "manage"}
            measure("prepare", wishes.events, environment)
            show({way: [measure(way, wishes.events, environment) for _ in range(wishes.rounds)] for way in WAYS})


def measure(way: str, events: int, environment: dict[str, str]) -> Run:
    """In a process of its own: the memory is that way's alone."""
    command = [sys.executable, "-m", "benchmarks.verify", "--way", way, "--events", str(events)]
    said = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Run(*json.loads(said))


def inside(way: str, events: int) -> Run:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vbalance.settings")
    django.setup()
    work = {"prepare": prepare, BASELINE: bare, "verify": verify}[way]
    start, began, busy = peak_memory(), time.perf_counter(), time.process_time()
    met = work(events)
    return Run(met, time.perf_counter() - began, time.process_time() - busy, peak_memory(), start)


def peak_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def prepare(events: int) -> int:
    """Cells whose log repeats one real decision, chained as the robot chains it."""
    from django.core.management import call_command  # noqa: PLC0415 - the benchmark itself runs without Django
    from django.db import connection  # noqa: PLC0415

    from portfolios.models import Event  # noqa: PLC0415
    from tests.factories import make_portfolio, make_position  # noqa: PLC0415
    from tests.market import make_fallen_cell, tick  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    portfolio = make_portfolio()
    real = make_fallen_cell(portfolio=portfolio)
    tick(real)
    decision = Event.objects.of(real).filter(type="evaluated").latest("seq")
    for _ in range(CELLS):
        lengthen(make_position(portfolio), decision, events // CELLS)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE portfolios_event")
    return events


def lengthen(cell: object, decision: object, events: int) -> None:
    from django.db import transaction  # noqa: PLC0415

    from portfolios.events import EventType  # noqa: PLC0415
    from portfolios.models import Event, Position  # noqa: PLC0415
    from portfolios.selectors import effective_rules  # noqa: PLC0415
    from portfolios.services.journal import Journal  # noqa: PLC0415

    assert isinstance(cell, Position)
    assert isinstance(decision, Event)
    content = decision.content
    for _ in range(events // BATCH):
        with transaction.atomic():
            journal = Journal(cell, market_at=decision.market_at, actor="robot", effective=effective_rules(cell))
            for _ in range(BATCH):
                told = content["message"]
                journal.add(EventType.EVALUATED, told, inputs=content["inputs"], outputs=content["outputs"])
            journal.write()


def bare(_events: int) -> int:
    """Raises AssertionError where a hash does not cover its text."""
    query, number = "SELECT prev_hash, text, hash FROM portfolios_event ORDER BY stream_id, seq", 0
    with psycopg.connect(os.environ["DATABASE_URL"]) as server, server.cursor("walk") as cursor:
        cursor.itersize = 5_000
        for previous, text, written in cursor.execute(query):
            assert hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest() == written
            number += 1
    return number


def verify(_events: int) -> int:
    from portfolios.services.verification import verify_events  # noqa: PLC0415

    verified = verify_events()
    assert verified.findings == []
    return verified.events


def show(rounds: dict[str, list[Run]]) -> None:
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}\n")
    heads = f"{'seconds':>9}{'cpu s':>8}{'events/s':>10}{'x bare':>8}{'peak MB':>9}{'of it at start':>16}"
    print(f"{'way':<8}{'events':>9}{heads}  spread")
    baseline = median(run.seconds for run in rounds[BASELINE])
    for way, runs in rounds.items():
        seconds, run = median(run.seconds for run in runs), runs[0]
        paces = f"{median(run.cpu for run in runs):>8.1f}{run.events / seconds:>10,.0f}{seconds / baseline:>8.1f}"
        spread = f"{min(run.seconds for run in runs):.1f} to {max(run.seconds for run in runs):.1f} s"
        print(f"{way:<8}{run.events:>9,}{seconds:>9.1f}{paces}{run.peak:>9.0f}{run.start:>16.0f}  {spread}")
    print()
    for way, meaning in WAYS.items():
        print(f"{way:<8}{meaning}")


if __name__ == "__main__":
    main()
