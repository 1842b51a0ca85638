"""How long pages and lists take with 1,000 cells and 1,000,000 events: `python -m benchmarks.pages [--cells N]`."""

import argparse
import gc
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

import django

from vbalance.stores.addresses import postgres_url, valkey_url
from vbalance.stores.embedded import embedded_stores

BASELINE = "healthz"
AIM_MS, AIM_QUERIES = 200, 15
UNTIL = date(2009, 12, 31)


class Said(NamedTuple):
    ms: float
    sql: str
    parameters: Any


class Page(NamedTuple):
    """What one address cost: milliseconds of every round and of our own in it, its queries, the size of its answer."""

    name: str
    times: list[float]
    own: list[float]
    queries: list[Said]
    size: int

    @property
    def p95(self) -> float:
        return quantiles(self.times, n=20)[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=1_000)
    parser.add_argument(
        "--until", type=date.fromisoformat, default=UNTIL, help=f"how long they lived (default {UNTIL})"
    )
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument(
        "--explain", action="store_true", help="show the plan of the slowest query of what misses the aim"
    )
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    wishes = parser.parse_args()
    if wishes.inside:
        inside(wishes)
        return
    with tempfile.TemporaryDirectory(prefix="vb-bench-") as place:
        folder, sockets = Path(place), Path(place) / "s"
        with embedded_stores(folder, sockets, doing="a benchmark"):
            addresses = {"REDIS_URL": valkey_url(sockets), "DATABASE_URL": postgres_url(sockets)}
            environment = os.environ | addresses | {"VBALANCE_VAR": str(folder), "VBALANCE_LOG_LEVEL": "ERROR"}
            subprocess.run(
                [sys.executable, "-m", "benchmarks.pages", "--inside", *sys.argv[1:]], env=environment, check=True
            )


def inside(wishes: argparse.Namespace) -> None:
    """In a process that knows the stores: gather the crowd, ask for everything in turn, show."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vbalance.settings")
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 - the benchmark itself runs without Django

    from benchmarks.twins import described, gather  # noqa: PLC0415
    from portfolios.models import User  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    investor = User.objects.filter(username="investor").first() or gather(wishes.cells, wishes.until)
    pages = measure(investor, wishes.rounds)
    print(f"{described()}, {wishes.rounds} rounds, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    show(pages)
    blame(pages, wishes.explain)


def addresses_of(investor: Any) -> dict[str, str]:
    """Pages as they are opened, and the longest way into the long ones."""
    from portfolios.models import Portfolio, Position  # noqa: PLC0415
    from trading.models import Order  # noqa: PLC0415

    cell = Position.objects.filter(portfolio__owner=investor).latest("pk")
    portfolio, order = cell.portfolio, Order.objects.filter(position=cell).latest("pk")
    everything = Portfolio.objects.filter(owner=investor).count()
    at, of, api = f"/positions/{cell.public_id}", f"/portfolios/{portfolio.public_id}", "/v1"
    return {
        BASELINE: "/healthz",
        "overview": "/",
        f"overview, page {everything}": f"/?page={everything}",
        "overview, live": "/live",
        "cockpit": at,
        "cockpit, live": f"{at}/live",
        "cockpit, chart": f"{at}/chart",
        "timeline": f"{at}/timeline",
        "portfolio": of,
        "settings of a portfolio": f"{of}/settings",
        "settings of a cell": f"{at}/settings",
        "members": f"{of}/members",
        "new cell": "/positions/new",
        "buy by hand": f"{at}/act/buy",
        "orders": "/orders",
        "order": f"/orders/{order.public_id}",
        "dividends": "/dividends",
        "reports": "/reports",
        "reports, all time": "/reports?preset=all",
        "audit": "/audit",
        "audit of a cell": f"/audit?cell={cell.public_id}",
        "audit, nothing found": "/audit?actor=token",
        "audit of skips": "/audit?kind=skips",
        "audit of long ago": "/audit?until=2007-02-01",
        "exports": "/exports",
        "profile": "/settings",
        "GET positions": f"{api}/positions",
        "GET position": f"{api}{at}",
        "GET events": f"{api}/events?position_id={cell.public_id}",
        "GET timeline": f"{api}{at}/timeline",
        "GET ladder": f"{api}{at}/ladder",
        "GET orders": f"{api}/orders",
        "GET portfolios": f"{api}/portfolios",
        "GET overview": f"{api}{of}/overview",
        "GET entitlements": f"{api}/dividends/entitlements",
        "GET metrics": f"{api}/metrics",
        "admin, events": "/admin/portfolios/event/",
        "admin, orders": "/admin/trading/order/",
    }


def measure(investor: Any, rounds: int) -> list[Page]:
    """Everything in turn, round after round, so that a busy moment of the machine hits them all."""
    from django.test import Client  # noqa: PLC0415

    client = Client(headers={"Host": "127.0.0.1"})
    client.force_login(investor, backend="django.contrib.auth.backends.ModelBackend")
    pages = [look(client, name, url) for name, url in addresses_of(investor).items()]
    urls = addresses_of(investor)
    gc.collect()
    gc.freeze()  # as `manage.py up` does, see vbalance/imports.py
    for _ in range(rounds):
        for page in pages:
            began, worked = time.perf_counter(), time.process_time()
            client.get(urls[page.name])
            page.times.append((time.perf_counter() - began) * 1_000)
            page.own.append((time.process_time() - worked) * 1_000)
    return pages


def look(client: Any, name: str, url: str) -> Page:
    """Once to warm up, once to see what it asks of the database."""
    from django.db import connection  # noqa: PLC0415

    said: list[Said] = []

    def listen(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, parameters, many, context)
        finally:
            said.append(Said((time.perf_counter() - began) * 1_000, sql, parameters))

    answer = client.get(url)
    if answer.status_code != 200:
        raise SystemExit(f"{name}: {url} answered {answer.status_code}")
    with connection.execute_wrapper(listen):
        client.get(url)
    return Page(name, [], [], said, len(answer.content))


def show(pages: list[Page]) -> None:
    print(
        f"{'page':<26}{'median ms':>10}{'p95 ms':>9}{'own ms':>8}"
        f"{f'x {BASELINE}':>11}{'queries':>9}{'of them ms':>12}{'kB':>6}"
    )
    baseline = median(next(page.times for page in pages if page.name == BASELINE))
    for page in pages:
        asked = sum(said.ms for said in page.queries)
        print(
            f"{page.name:<26}{median(page.times):>10.1f}{page.p95:>9.1f}{median(page.own):>8.1f}"
            f"{median(page.times) / baseline:>11.1f}{len(page.queries):>9}{asked:>12.1f}{page.size / 1024:>6.0f}"
            f"{'' if kept(page) else '  misses the aim'}"
        )
    print(
        f"\nAim: p95 at most {AIM_MS} ms, at most {AIM_QUERIES} queries. {BASELINE}: a bare answer, all middleware."
        "\nown: processor time of the web process, which a busy machine does not stretch as it does the others."
    )


def kept(page: Page) -> bool:
    return page.p95 <= AIM_MS and len(page.queries) <= AIM_QUERIES


def blame(pages: list[Page], explain: bool) -> None:
    """The slowest query of every page that misses the aim, with its plan if that was asked for."""
    from django.db import connection  # noqa: PLC0415

    for page in pages:
        if kept(page) or not page.queries:
            continue
        slowest = max(page.queries, key=lambda said: said.ms)
        print(f"\n{page.name}: its slowest query took {slowest.ms:.1f} ms\n{' '.join(slowest.sql.split())[:600]}")
        if explain and slowest.sql.lstrip().upper().startswith("SELECT"):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {slowest.sql}", slowest.parameters)
                print("\n".join(line for (line,) in cursor.fetchall()))


if __name__ == "__main__":
    main()
