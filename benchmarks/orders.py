"""How many orders a second the API takes, each placed once: `python -m benchmarks.orders [--requests N]`.

Against a bare Django answer and FastAPI + SQLAlchemy services, minimal and with more of our checks, in the same run
and on the same database. What these need is installed into a virtual environment that is thrown away.
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

from benchmarks.load import Asked, Load, put_under_load
from vbalance.stores.addresses import postgres_url, valkey_url
from vbalance.stores.embedded import embedded_stores

CLIENTS = (1, 8, 32)
WARM, WARMING, EACH_TENTH = 64, 0, 10
PER_TOKEN = 200  # fewer than one token may write in a minute
RIVALS = ["fastapi", "sqlalchemy>=2", "uvicorn[standard]", "psycopg[binary]", "redis"]
GUNICORN = ["--worker-class", "gthread", "--workers", "2", "--threads", "8", "--preload", "--no-control-socket"]
HERE = Path(__file__).parent
BASELINE = "fastapi"
WAYS = {
    "bare": "Django without middleware or database, gunicorn as in production",
    BASELINE: "FastAPI + SQLAlchemy, uvicorn with two processes: token, locked cell, key and order in one commit",
    "checked": "the same, which also throttles, asks for a scope, writes a chained event and rings a bell on Redis",
    "ours": "POST /v1/positions/.../orders with all its checks, its event and its bell, gunicorn as in production",
}


class Row(NamedTuple):
    """`cpu` is what the service itself used, in seconds: without the load, the database and the neighbours."""

    way: str
    clients: int
    load: Load
    cpu: float

    @property
    def pace(self) -> float:
        return len(self.load.times) / self.load.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2_000, help="of each way at each number of clients")
    parser.add_argument("--seconds", type=float, default=20, help="the longest any of them may take")
    parser.add_argument("--rival", type=Path, help="a Python that has FastAPI, SQLAlchemy and uvicorn already")
    parser.add_argument("--inside", choices=["ours", "count"], help=argparse.SUPPRESS)
    wishes = parser.parse_args()
    if wishes.inside:
        print(json.dumps(inside(wishes.inside, wishes.requests)))
        return
    with tempfile.TemporaryDirectory(prefix="vb-bench-") as place:
        folder, sockets = Path(place), Path(place) / "s"
        python = wishes.rival or rival_python(folder / "rival")
        with embedded_stores(folder, sockets, doing="a benchmark"):
            addresses = {"REDIS_URL": valkey_url(sockets), "DATABASE_URL": postgres_url(sockets)}
            more = {"VBALANCE_VAR": str(folder), "VBALANCE_SERVICE": "web", "VBALANCE_LOG_LEVEL": "ERROR"}
            environment = os.environ | addresses | more
            rows = compare(python, environment, wishes)
    show(rows, wishes.requests)


def rival_python(folder: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *RIVALS], check=True)
    return python


def compare(python: Path, environment: dict[str, str], wishes: argparse.Namespace) -> list[Row]:
    """The ways take turns at each number of clients, so that a busy moment of the machine hits them all."""
    words = [sys.executable, "-m", "benchmarks.orders", "--requests", str(wishes.requests), "--inside"]
    scene = json.loads(subprocess.check_output([*words, "ours"], env=environment))
    subprocess.run(
        [python, "-c", RIVAL_SCENE], input=json.dumps(scene), text=True, env=environment, check=True, cwd=HERE
    )
    ports = {way: free_port() for way in WAYS}
    with contextlib.ExitStack() as stack:
        servers = {
            way: stack.enter_context(serving(command, environment, ports[way]))
            for way, command in commands(python, ports).items()
        }
        rows, cells = [], {way: iter(scene["cells"]) for way in WAYS}
        for clients in (WARMING, *CLIENTS):
            for way, port in ports.items():
                requests = orders(cells[way], scene["tokens"], wishes.requests if clients else WARM)
                used = cpu_of(servers[way])
                load = asyncio.run(put_under_load(port, requests, clients or 1, wishes.seconds))
                rows.append(Row(way, clients, load, cpu_of(servers[way]) - used))
    kept = json.loads(subprocess.check_output([*words, "count"], env=environment))
    made = {way: sum(row.load.statuses.get(201, 0) for row in rows if row.way == way) for way in WAYS}
    if kept != {way: made[way] for way in kept}:
        raise SystemExit(f"answered {made}, but kept {kept}")
    return [row for row in rows if row.clients != WARMING]


def cpu_of(server: int) -> float:
    """Seconds that a process and its living children have used so far."""
    found = 0.0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parts = path.read_text().rpartition(")")[2].split()
            if server in (int(path.parent.name), int(parts[1])):
                found += (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
    return found


def commands(python: Path, ports: dict[str, int]) -> dict[str, list[str]]:
    gunicorn = [sys.executable, "-m", "gunicorn", "--log-level", "error", *GUNICORN]
    uvicorn = [str(python), "-m", "uvicorn", "--app-dir", str(HERE), "--workers", "2"]
    uvicorn += ["--log-level", "error", "--no-access-log", "--port"]
    return {
        "bare": [*gunicorn, "benchmarks.bare:application", "--bind", f"127.0.0.1:{ports['bare']}"],
        "ours": [*gunicorn, "vbalance.wsgi", "--bind", f"127.0.0.1:{ports['ours']}"],
        BASELINE: [*uvicorn, str(ports[BASELINE]), "rival:app"],
        "checked": [*uvicorn, str(ports["checked"]), "rival_checked:app"],
    }


@contextlib.contextmanager
def serving(command: list[str], environment: dict[str, str], port: int) -> Iterator[int]:
    server = subprocess.Popen(command, env=environment, cwd=HERE.parent)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        yield server.pid
    finally:
        server.terminate()
        server.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def orders(cells: Iterator[str], tokens: list[str], count: int) -> list[Asked]:
    """Each for a cell of its own, which may have one open order; every tenth asks once more what was asked before."""
    made: list[Asked] = []
    token = ""
    for number in range(count):
        if number % EACH_TENTH == EACH_TENTH - 1:
            made.append(made[-EACH_TENTH + 1])
            continue
        if number % PER_TOKEN == 0:
            token = tokens.pop()
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid.uuid4().hex}
        made.append(Asked(f"/v1/positions/{next(cells)}/orders", headers, '{"side": "BUY", "qty": "1.5"}'))
    return made


def first(count: int) -> int:
    return count - count // EACH_TENTH


def inside(what: str, requests: int) -> Any:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vbalance.settings")
    import django  # noqa: PLC0415 - the benchmark itself runs without

    django.setup()
    from benchmarks import takers  # noqa: PLC0415

    total = first(WARM) + len(CLIENTS) * first(requests)
    tokens = len(WAYS) * (1 + len(CLIENTS) * (requests // PER_TOKEN + 1))
    return takers.prepare(total, tokens) if what == "ours" else takers.count()


def show(rows: list[Row], requests: int) -> None:
    print(
        f"{requests:,} orders each, every tenth a repeat; {os.cpu_count()} cores, Python {platform.python_version()}\n"
    )
    print(
        f"{'clients':>7}  {'way':<9}{'orders/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>8}{f'x {BASELINE}':>11}"
        f"{'x bare':>8}  told"
    )
    for row in rows:
        same = {other.way: other for other in rows if other.clients == row.clients}
        p99 = quantiles(row.load.times, n=100)[-1]
        cpu = row.cpu / len(row.load.times) * 1_000
        print(
            f"{row.clients:>7}  {row.way:<9}{row.pace:>9,.0f}{median(row.load.times):>9.1f}{p99:>9.1f}"
            f"{cpu:>8.2f}{row.pace / same[BASELINE].pace:>11.2f}{row.pace / same['bare'].pace:>8.3f}"
            f"  {row.load.statuses}"
        )
    print()
    for way, meaning in WAYS.items():
        print(f"{way:<9}{meaning}")


RIVAL_SCENE = """
import hashlib, json, sys, uuid
from sqlalchemy import insert
from rival import Base, Cell, Session, Token, engine
import rival_checked
scene = json.load(sys.stdin)
Base.metadata.create_all(engine)
with Session(engine) as session, session.begin():
    session.execute(insert(Token), [{"digest": hashlib.sha256(t.encode()).hexdigest()} for t in scene["tokens"]])
    session.execute(insert(Cell), [{"id": uuid.UUID(cell)} for cell in scene["cells"]])
"""

if __name__ == "__main__":
    main()
