"""From SIGKILL of everything to trusted again: `python -m benchmarks.recovery [--orders N] [--runs N]`.

Each run: the whole house with its stores in a data folder of its own; orders in every open state, a part of them filled
at the venue without our knowing; then every process is killed at once and `manage.py up` is typed again. The clock runs
from there until every account's books were found equal and /readyz says ready.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median, quantiles

import django
from django.utils.module_loading import import_string

ACCOUNTS = 10
PATIENCE = 120.0
STORES = ("postgres", "valkey")
HERE = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.recovery", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--port", type=int, default=8795)
    parser.add_argument("--inside", choices=["furnish", "trusted_at"], help=argparse.SUPPRESS)
    parser.add_argument("--number", type=float, help=argparse.SUPPRESS)
    wishes = parser.parse_args()
    if wishes.inside:
        inside(wishes)
        return
    with tempfile.TemporaryDirectory(prefix="vb-recovery-") as folder:
        os.environ |= {"VBALANCE_VAR": folder, "DATABASE_URL": "", "REDIS_URL": "", "VBALANCE_LOG_LEVEL": "ERROR"}
        report([one_run(wishes, number) for number in range(wishes.runs)], wishes.orders)


def one_run(wishes: argparse.Namespace, number: int) -> float:
    with house(wishes.port) as up:
        wait_for(lambda: is_ready(wishes.port))
        for pid in descendants(up.pid):
            if not any(store in command_of(pid) for store in STORES):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)  # so that the orders are as we left them
        states = json.loads(myself("furnish", wishes.orders))
        for pid in [up.pid, *descendants(up.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        up.wait()
    began, wall = time.monotonic(), time.time()
    with house(wishes.port):
        ready = wait_for(lambda: is_ready(wishes.port)) - began
        took = max(float(myself("trusted_at", wall)) - wall, ready)
    print(
        f"run {number + 1}: {states}, ready after {ready:.1f} s, all trusted and ready after {took:.1f} s", flush=True
    )
    return took


def report(times: list[float], orders: int) -> None:
    p95 = quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else times[0]
    load = os.getloadavg()[0]
    print(f"{orders} open orders, {len(times)} runs: median {median(times):.1f} s, p95 {p95:.1f} s, load {load:.1f}")


@contextmanager
def house(port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "manage.py", "up", "--port", str(port), "--speed", "1"]
    up = subprocess.Popen(command, cwd=HERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield up
    finally:
        if up.poll() is None:
            up.send_signal(signal.SIGINT)
            up.wait(60)


def wait_for(happened: Callable[[], bool]) -> float:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > deadline:
            raise SystemExit("the house is not ready after two minutes")
        time.sleep(0.05)
    return time.monotonic()


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def descendants(pid: int) -> list[int]:
    """Children first known last, whatever group they are in."""
    found, waiting = [], [pid]
    while waiting:
        parent = waiting.pop()
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            children = [int(child) for child in task.read_text().split()]
            found += children
            waiting += children
    return found


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def myself(inside: str, number: float) -> str:
    """The part that needs Django, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.recovery", "--inside", inside, "--number", str(number)]
    return subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE, text=True).stdout


def inside(wishes: argparse.Namespace) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vbalance.settings")
    django.setup()
    print(json.dumps(import_string(f"benchmarks.outage.{wishes.inside}")(wishes.number)))


if __name__ == "__main__":
    main()
