"""How long a million events take to leave, and in how much memory: `python -m benchmarks.exports [--rows N]`."""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import django
import psycopg

from vbalance.stores.addresses import postgres_url, valkey_url
from vbalance.stores.embedded import embedded_stores

CELLS = 10
BASELINE = "copy"
WAYS = {
    BASELINE: "COPY of the same columns to a file by psycopg: nothing but the database",
    "csv": "export to CSV",
    "parquet": "export to Parquet",
    "xlsx": "export to XLSX, a tenth of the rows",
}
# As the log really is: a decision with its inputs and outputs in the text, some 1,200 bytes each.
EVENTS = """
    INSERT INTO portfolios_event (portfolio_id, stream, stream_id, seq, type, market_at, recorded_at, actor, subject,
                d_shares, d_cash, d_receivable, d_reserved_cash, d_reserved_shares, anchor_after, state_after,
                text, prev_hash, hash)
    SELECT cell.portfolio_id, 'position', cell.public_id, number, 'order_filled',
           timestamptz '2007-01-03 15:00Z' + number * interval '1 minute', now(),
           CASE number %% 3 WHEN 0 THEN 'robot' WHEN 1 THEN 'broker:paper' ELSE 'user:ann' END, gen_random_uuid(),
           number::bigint * 10007 %% 99999999, -number::bigint * 970013 %% 999999999999, 0, 0, 0,
           97000000 + number %% 5000000, 'active',
           json_build_object('inputs', %(inputs)s::json, 'outputs', %(inputs)s::json,
                             'message', 'Filled: bought ' || number || ' shares at 97.25.')::text,
           repeat('0', 64), md5(number::text) || md5(number::text)
      FROM portfolios_position AS cell, generate_series(2, %(each)s + 1) AS number
     ORDER BY number, cell.id
"""
COPY = """
    COPY (SELECT (market_at AT TIME ZONE 'America/New_York')::date, (market_at AT TIME ZONE 'America/New_York')::time,
                 type, actor, text::json ->> 'message', subject, d_shares / 1e6, d_cash / 1e6, d_receivable / 1e6,
                 d_reserved_cash / 1e6, d_reserved_shares / 1e6, anchor_after / 1e6, state_after, seq, recorded_at,
                 hash, portfolio.name, cell.symbol, stream_id
            FROM portfolios_event AS event
            JOIN portfolios_portfolio AS portfolio ON portfolio.id = event.portfolio_id
            LEFT JOIN portfolios_position AS cell ON cell.public_id = event.stream_id) TO STDOUT (FORMAT csv, HEADER)
"""


class Run(NamedTuple):
    """cpu: of the export itself, without the database. Memory: resident at its peak, and before the first row."""

    seconds: float
    cpu: float
    peak: float
    start: float
    size: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--way", choices=["prepare", *WAYS], help=argparse.SUPPRESS)
    wishes = parser.parse_args()
    if wishes.way:
        print(json.dumps(inside(wishes.way, wishes.rows)))
        return
    with tempfile.TemporaryDirectory(prefix="vb-bench-") as place:
        folder, sockets = Path(place), Path(place) / "s"
        with embedded_stores(folder, sockets, doing="a benchmark"):
            addresses = {"REDIS_URL": valkey_url(sockets), "DATABASE_URL": postgres_url(sockets)}
            environment = os.environ | addresses | {"VBALANCE_VAR": str(folder)}
            measure("prepare", wishes.rows, environment)
            show({way: measure(way, wishes.rows, environment) for way in WAYS}, wishes.rows)


def measure(way: str, rows: int, environment: dict[str, str]) -> Run:
    """In a process of its own: the memory is that way's alone."""
    command = [sys.executable, "-m", "benchmarks.exports", "--way", way, "--rows", str(rows)]
    said = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Run(*json.loads(said))


def inside(way: str, rows: int) -> Run:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vbalance.settings")
    django.setup()
    with tempfile.TemporaryDirectory(prefix="vb-export-") as folder:
        path = Path(folder, "rows")
        work = {"prepare": prepare, BASELINE: copy}.get(way, export(way))
        start, began, busy = peak_memory(), time.perf_counter(), time.process_time()
        work(path, rows)
        size = path.stat().st_size / 2**20 if path.exists() else 0
        return Run(time.perf_counter() - began, time.process_time() - busy, peak_memory(), start, size)


def peak_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def prepare(_path: Path, rows: int) -> None:
    from django.core.management import call_command  # noqa: PLC0415 - the benchmark itself runs without Django
    from django.db import connection  # noqa: PLC0415

    from tests.factories import make_portfolio, make_position  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    portfolio = make_portfolio()
    for _ in range(CELLS):
        make_position(portfolio)
    names = ("price", "value", "cash", "shares", "anchor", "stock_share", "quote_at", "source", "reserved_cash")
    inputs = json.dumps({f"{name}_{number}": "1015.463900" for name in names for number in range(2)})
    with connection.cursor() as cursor:
        cursor.execute(EVENTS, {"inputs": inputs, "each": rows // CELLS})
        cursor.execute("ANALYZE portfolios_event")


def copy(path: Path, _rows: int) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as server, path.open("wb") as file, server.cursor() as cursor:
        cursor.execute("SET TimeZone = 'UTC'")
        with cursor.copy(COPY) as blocks:
            file.writelines(blocks)


def export(form: str) -> Callable[[Path, int], None]:
    def write(path: Path, _rows: int) -> None:
        from portfolios.models import Position  # noqa: PLC0415
        from reporting.exports.files import FORMATS  # noqa: PLC0415
        from reporting.exports.kinds import KINDS, Export  # noqa: PLC0415
        from reporting.exports.scope import Span, scope_of  # noqa: PLC0415

        one = Position.objects.order_by("pk").values_list("public_id", flat=True)[0] if form == "xlsx" else None
        FORMATS[form].write(Export(KINDS["events"], scope_of(None, Span(), position_id=one)), path)

    return write


def show(runs: dict[str, Run], rows: int) -> None:
    print(f"{rows:,} events of {CELLS} cells, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    heads = f"{'seconds':>9}{'cpu s':>8}{'rows/s':>10}{'x copy':>8}{'peak MB':>9}{'of it at start':>16}{'file MB':>9}"
    print(f"{'way':<9}{'rows':>10}{heads}")
    pace = runs[BASELINE].seconds / rows
    for way, run in runs.items():
        number = rows // CELLS if way == "xlsx" else rows
        paces = f"{number / run.seconds:>10,.0f}{run.seconds / number / pace:>8.1f}"
        memory = f"{run.peak:>9.0f}{run.start:>16.0f}{run.size:>9.0f}"
        print(f"{way:<9}{number:>10,}{run.seconds:>9.1f}{run.cpu:>8.1f}{paces}{memory}")
    print()
    for way, meaning in WAYS.items():
        print(f"{way:<9}{meaning}")


if __name__ == "__main__":
    main()
