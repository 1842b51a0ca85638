"""How many quotes a second the feed takes in fast-forward: `python -m benchmarks.feed [--until DAY] [--rounds N]`."""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psycopg
from psycopg import sql

from vbalance.stores.addresses import POSTGRES_DATABASE, postgres_url, valkey_url
from vbalance.stores.embedded import embedded_stores

BASELINE = "bare"
WAYS = {
    BASELINE: "each quote one INSERT, nothing else",
    "market": "the feed, nobody invested: steps, corporate actions, clock",
    "demo": "the feed with the demo's four cells: decisions, orders, fills, log",
}


class Walk(NamedTuple):
    quotes: int
    events: int
    orders: int
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--until", default="2008-01-03", help="last market day (default: the year of the first start)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each way; the median is shown (default 3)")
    wishes = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vb-bench-") as place:
        folder, sockets = Path(place), Path(place) / "s"
        with embedded_stores(folder, sockets, doing="a benchmark"):
            walks = measure(folder, sockets, wishes.until, wishes.rounds)
    show(walks, wishes.until)


def measure(folder: Path, sockets: Path, until: str, rounds: int) -> dict[str, list[Walk]]:
    """The ways take turns, so that a busy moment of the machine hits them all."""
    environment = os.environ | {"VBALANCE_VAR": str(folder), "REDIS_URL": valkey_url(sockets)}
    base = postgres_url(sockets)
    run("prepare", until, environment | {"DATABASE_URL": base})
    walks: dict[str, list[Walk]] = {way: [] for way in WAYS}
    for number in range(rounds):
        for way in WAYS:
            name = f"{way}_{number}"
            with psycopg.connect(base, dbname="postgres", autocommit=True) as server:
                server.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                        sql.Identifier(name), sql.Identifier(POSTGRES_DATABASE)
                    )
                )
            said = run(way, until, environment | {"DATABASE_URL": base.removesuffix(POSTGRES_DATABASE) + name})
            walks[way].append(Walk(**json.loads(said)))
    return walks


def run(way: str, until: str, environment: dict[str, str]) -> str:
    """In a process of its own: nothing is warm that another way has touched."""
    command = [sys.executable, "-m", "benchmarks", way, until]
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def show(walks: dict[str, list[Walk]], until: str) -> None:
    print(f"Fast-forward from 2007-01-03 to {until}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print(f"{'way':<8}{'quotes':>8}{'events':>8}{'orders':>8}{'seconds':>9}{'quotes/s':>10}{'x bare':>8}  spread")
    baseline = median(walk.seconds for walk in walks[BASELINE])
    for way, rounds in walks.items():
        seconds = median(walk.seconds for walk in rounds)
        walk = rounds[0]
        spread = f"{min(rounds, key=lambda one: one.seconds).seconds:.2f} to {max(one.seconds for one in rounds):.2f} s"
        print(
            f"{way:<8}{walk.quotes:>8}{walk.events:>8}{walk.orders:>8}{seconds:>9.2f}"
            f"{walk.quotes / seconds:>10.0f}{seconds / baseline:>8.2f}  {spread}"
        )
    print()
    for way, meaning in WAYS.items():
        print(f"{way:<8}{meaning}")


if __name__ == "__main__":
    main()
