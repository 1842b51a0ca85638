"""How long previewing settings on a cell's own history takes: `python -m benchmarks.preview [--rounds N]`.

Five years of minute quotes in a PostgreSQL of its own, each part of the way timed beside a bare reading of the rows.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import django
import numpy as np

from vbalance.stores.addresses import postgres_url, valkey_url
from vbalance.stores.embedded import embedded_stores

FIRST_YEAR, YEARS, MINUTES = 2019, 5, 390
WISH = {"tau": "0.02", "sizing": "proportional", "guardrail_high": "0.7"}
AIM = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="the median is shown (default 7)")
    parser.add_argument("--inside", choices=["table", "first"], help=argparse.SUPPRESS)
    parser.add_argument("--cell", default="", help=argparse.SUPPRESS)
    wishes = parser.parse_args()
    if wishes.inside == "first":
        first(wishes.cell)
        return
    if wishes.inside:
        table(wishes.rounds)
        return
    with tempfile.TemporaryDirectory(prefix="vb-bench-") as place:
        folder, sockets = Path(place), Path(place) / "s"
        with embedded_stores(folder, sockets, doing="a benchmark"):
            addresses = {"REDIS_URL": valkey_url(sockets), "DATABASE_URL": postgres_url(sockets)}
            environment = os.environ | addresses | {"VBALANCE_VAR": str(folder), "VBALANCE_SERVICE": "manage"}
            words = [sys.executable, "-m", "benchmarks.preview", "--inside", "table", "--rounds", str(wishes.rounds)]
            subprocess.run(words, env=environment, check=True)


def begin() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vbalance.settings")
    django.setup()


def table(rounds: int) -> None:
    begin()
    from django.core.management import call_command  # noqa: PLC0415 - Django stands only now

    call_command("migrate", verbosity=0)
    cell, few = prepare("MIN", YEARS), prepare("DAY", 0)
    rows = measured(cell, few, rounds)
    took = time.perf_counter()
    subprocess.run([sys.executable, "-m", "benchmarks.preview", "--inside", "first", "--cell", cell], check=True)
    rows["all of it, in a fresh process (imports too)"] = [time.perf_counter() - took]
    show(rows)


def prepare(symbol: str, years: int) -> str:
    """A cell opened before the first of its quotes: prices on whole cents that wander and return. 0 years: 500 quotes,
    an open and a close a day."""
    from datetime import date  # noqa: PLC0415

    from django.db import connection  # noqa: PLC0415

    from portfolios.models import Portfolio  # noqa: PLC0415
    from portfolios.services.positions import create_position  # noqa: PLC0415
    from tests.factories import make_portfolio, make_user  # noqa: PLC0415
    from trading.market.calendars import calendar_for  # noqa: PLC0415
    from trading.market.phases import instant  # noqa: PLC0415

    sessions = calendar_for().sessions_between(date(FIRST_YEAR, 1, 1), date(FIRST_YEAR + YEARS - 1, 12, 31))
    sessions = sessions if years else sessions[:250]
    steps = range(MINUTES) if years else (0, MINUTES)
    at = np.array([int(day.open.timestamp()) + 60 * minute for day in sessions for minute in steps]) * 10**6
    wander = np.cumsum(np.random.default_rng(5).normal(0, 0.0006 if years else 0.01, len(at)))
    cents = np.round(10_000 * np.exp(0.25 * np.sin(wander))).astype(int)
    portfolio: Portfolio = make_portfolio(make_user(symbol.lower()), name=symbol)
    opened = instant(int(at[0]) - 10**6)
    words = {"opened_on": sessions[0].day, "market_at": opened, "actor": "user:test"}
    cell = create_position(portfolio_id=portfolio.pk, symbol=symbol, shares=100 * 10**6, cash=10**10, **words)
    with connection.cursor() as cursor:
        statement = "COPY market_quote (symbol, source, at, last, received_at) FROM STDIN"
        with cursor.copy(statement) as copy:
            for moment, price in zip(at.tolist(), cents.tolist(), strict=True):
                text = instant(moment).isoformat()
                copy.write(f"{symbol}\t{cell.source}\t{text}\t{price * 10_000}\t{text}\n")
        cursor.execute("VACUUM ANALYZE market_quote")
    return str(cell.public_id)


def measured(cell: str, few: str, rounds: int) -> dict[str, list[float]]:
    from portfolios.models import Event, Position  # noqa: PLC0415
    from trading.market.models import Quote  # noqa: PLC0415
    from trading.simulation.own_past import past_of  # noqa: PLC0415
    from trading.simulation.own_quotes import quotes_since  # noqa: PLC0415
    from trading.simulation.preview import preview  # noqa: PLC0415

    rows = Position.objects.select_related("portfolio__settings_version", "settings_version")
    long, short = rows.get(public_id=cell), rows.get(public_id=few)
    begins = Event.objects.of(long).earliest("seq").market_at
    found = preview(long, WISH)  # the machine code is fetched, or made, before the first round
    print(f"{found.quotes:,} quotes; {found.now.orders} orders now, {found.new.orders} under the new settings\n")
    ways: dict[str, Callable[[], object]] = {
        "bare: the rows by psycopg, a tuple each": lambda: list(
            Quote.objects.filter(symbol="MIN").order_by("at").values_list("at", "received_at", "last", "bid", "ask")
        ),
        "the quotes as columns": lambda: quotes_since(long, begins),
        "with days, phases and facts": lambda: past_of(long),
        "all of it: the preview": lambda: preview(long, WISH),
        f"the same for {2 * 250} quotes": lambda: preview(short, WISH),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            took = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - took)
    return seconds


def first(cell: str) -> None:
    begin()
    from portfolios.models import Position  # noqa: PLC0415
    from trading.simulation.preview import preview  # noqa: PLC0415

    rows = Position.objects.select_related("portfolio__settings_version", "settings_version")
    preview(rows.get(public_id=cell), WISH)


def show(rounds: dict[str, list[float]]) -> None:
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}; aim {AIM:.0f} s\n")
    bare = median(next(iter(rounds.values())))
    print(f"{'way':<48}{'seconds':>9}{'of bare':>9}  spread")
    for name, seconds in rounds.items():
        spread = f"{min(seconds):.3f} to {max(seconds):.3f} s"
        print(f"{name:<48}{median(seconds):>9.3f}{median(seconds) / bare:>9.2f}  {spread}")


if __name__ == "__main__":
    main()
