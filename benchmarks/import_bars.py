"""How long a million minute bars take to come in, in how much memory: `python -m benchmarks.import_bars [--rows N]`.

Each way runs in a process of its own, in turn, `--rounds` times; ours parses, checks every line and the calendar,
compares with what is recorded and writes a Parquet file a month with its row in the catalogue. The baseline only
reads the same file into floats and writes one Parquet file; its pandas and pyarrow go into an environment that is
thrown away.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import NamedTuple

import django
import numpy as np

from vbalance.stores.addresses import postgres_url, valkey_url
from vbalance.stores.embedded import embedded_stores

BASELINE = "pandas"
PEERS = ["pandas", "pyarrow"]
WAYS = {
    BASELINE: "pandas.read_csv(parse_dates) and to_parquet (pyarrow): floats, no check, one file",
    "first": "our import into an empty store",
    "again": "the same file once more: nothing is new, nothing is written",
}
PLAIN = """
import json, resource, sys, time
import pandas, pyarrow
began = time.perf_counter()
frame = pandas.read_csv(sys.argv[1], parse_dates=["timestamp"])
frame.to_parquet(sys.argv[2])
print(json.dumps([time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


class Run(NamedTuple):
    """Of the work itself, without the start of Python; memory of the whole process at its peak, in MB."""

    seconds: float
    peak: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", help="of an environment that has pandas and pyarrow already")
    parser.add_argument("--way", choices=["prepare", *WAYS], help=argparse.SUPPRESS)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    wishes = parser.parse_args()
    if wishes.way:
        print(json.dumps(inside(wishes.way, Path(wishes.file), wishes.rows)))
        return
    with tempfile.TemporaryDirectory(prefix="vb-bench-") as place:
        folder, sockets = Path(place), Path(place) / "s"
        python = wishes.python or installed(folder)
        with embedded_stores(folder, sockets, doing="a benchmark"):
            addresses = {"REDIS_URL": valkey_url(sockets), "DATABASE_URL": postgres_url(sockets)}
            environment = os.environ | addresses | {"VBALANCE_VAR": str(folder), "VBALANCE_LOG_LEVEL": "ERROR"}
            measure("prepare", folder / "bars.csv", wishes.rows, environment)
            show(folder / "bars.csv", wishes.rows, wishes.rounds, python, environment)


def installed(folder: Path) -> str:
    subprocess.run([sys.executable, "-m", "venv", folder / "peers"], check=True)
    python = str(folder / "peers" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    return python


def measure(way: str, file: Path, rows: int, environment: dict[str, str]) -> Run:
    command = [sys.executable, "-m", "benchmarks.import_bars", "--way", way, "--file", str(file), "--rows", str(rows)]
    said = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Run(*json.loads(said))


def plain(python: str, file: Path) -> Run:
    command = [python, "-c", PLAIN, str(file), str(file.with_suffix(".parquet"))]
    return Run(*json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout))


def inside(way: str, file: Path, rows: int) -> Run:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vbalance.settings")
    django.setup()
    if way == "prepare":
        prepare(file, rows)
        return Run(0, 0)
    from trading.bars.models import StoredPart  # noqa: PLC0415 - Django is up now
    from trading.bars.services import Wish, import_file  # noqa: PLC0415

    if way == "first":
        StoredPart.objects.all().delete()
    began = time.perf_counter()
    found = import_file(Wish(file, file.name, "IBM"))
    took = time.perf_counter() - began
    if (found.new, found.same) != ((rows, 0) if way == "first" else (0, rows)):
        raise SystemExit(f"{way}: {found}")
    return Run(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def prepare(file: Path, rows: int) -> None:
    """Full sessions of 390 minutes, a walk in cents; a recorded price is on none of these lines."""
    from django.core.management import call_command  # noqa: PLC0415 - the benchmark itself runs without Django

    from trading.market.calendars import calendar_for  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    walk = np.random.default_rng(20_070_103).integers(-3, 4, rows).cumsum() % 4_000 + 8_000
    reach = np.abs(walk - 10_000) + 8_000  # folded, so that it never jumps
    written = 0
    with file.open("w") as out:
        out.write("timestamp,open,high,low,close,volume\n")
        for session in calendar_for().sessions_between(date(2005, 1, 3), date(2026, 1, 2)):
            minutes = int((session.close - session.open) / timedelta(minutes=1))
            for number in range(min(minutes, rows - written)):
                price, at = reach[written] / 100, session.open + timedelta(minutes=number)
                out.write(
                    f"{at.isoformat()},{price:.2f},{price + 0.04:.2f},{price - 0.03:.2f},{price:.2f},{100 + number}\n"
                )
                written += 1
    if written < rows:
        raise SystemExit(f"only {written:,} minutes are known")


def show(file: Path, rows: int, rounds: int, python: str, environment: dict[str, str]) -> None:
    print(f"{rows:,} minute bars, {file.stat().st_size / 2**20:.0f} MB of CSV, {os.cpu_count()} cores,", end=" ")
    print(f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}, {rounds} rounds\n")
    runs: dict[str, list[Run]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        runs[BASELINE].append(plain(python, file))
        for way in ("first", "again"):
            runs[way].append(measure(way, file, rows, environment))
    print(f"{'way':<9}{'seconds':>9}{'range':>16}{'rows/s':>12}{'x pandas':>10}{'peak MB':>9}")
    usual = median(run.seconds for run in runs[BASELINE])
    for way, found in runs.items():
        seconds = [run.seconds for run in found]
        reach = f"{min(seconds):.1f} to {max(seconds):.1f}"
        took, peak = median(seconds), max(run.peak for run in found)
        print(f"{way:<9}{took:>9.1f}{reach:>16}{rows / took:>12,.0f}{took / usual:>10.2f}{peak:>9.0f}")
    print()
    for way, meaning in WAYS.items():
        print(f"{way:<9}{meaning}")


if __name__ == "__main__":
    main()
