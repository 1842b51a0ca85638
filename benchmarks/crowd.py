"""What one quote costs when many cells hold its symbol: `python -m benchmarks.crowd [--cells N ...] [--rounds N]`.

In a PostgreSQL of its own: none, 1 % or 10 % of the cells are woken and each of those makes an order. The baseline,
in the same round: the woken ones evaluated one by one. Storing the price and finding whom it wakes is `the tick`.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import django

from vbalance.stores.addresses import postgres_url, valkey_url
from vbalance.stores.embedded import embedded_stores

SIZES, SHARES_AWAKE = (1_000, 10_000, 100_000), (0, 1, 10)
SYMBOL, PRICE, PORTFOLIOS, ONE_BY_ONE = "CRWD", 97_000_000, 10, 100
TWINS = """
    INSERT INTO portfolios_position (public_id, portfolio_id, source, symbol, shares, cash, receivable, reserved_cash,
           reserved_shares, anchor, state, wake_below, wake_above, skip_mark, opened_on, event_seq, event_hash,
           created_at)
    SELECT gen_random_uuid(), %s + number %% %s, source, symbol, shares, cash, 0, 0, 0, anchor, state,
           wake_below, wake_above, '', opened_on, 0, repeat('0', 64), created_at
      FROM portfolios_position, generate_series(1, %s) AS number WHERE id = %s
"""
# Asleep: the price is where its anchor is. Awake: it has fallen by 3 %. The trigger on the table leaves a given band.
ASLEEP = "anchor = 97000000, wake_below = 94090000, wake_above = 99910000"
AWAKE = "anchor = 100000000, wake_below = 97000000, wake_above = 103000000"
BEDDED = """
    UPDATE portfolios_position SET reserved_cash = 0, {band}
     WHERE symbol = 'CRWD' AND (anchor <> {anchor} OR reserved_cash <> 0) AND id = ANY(%s)
"""


class Line(NamedTuple):
    """Milliseconds of each round; *_work: of them, what this process computed and did not wait. singly: of one woken
    cell evaluated alone.
    """

    cells: int
    awake: int
    tick: list[float]
    tick_work: list[float]
    crowd: list[float]
    crowd_work: list[float]
    singly: list[float]
    single_work: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, nargs="+", default=SIZES, help="holding the symbol")
    parser.add_argument("--rounds", type=int, default=5, help="the median is shown (default 5)")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    wishes = parser.parse_args()
    if wishes.inside:
        inside(wishes.cells, wishes.rounds)
        return
    with tempfile.TemporaryDirectory(prefix="vb-bench-") as place:
        folder, sockets = Path(place), Path(place) / "s"
        with embedded_stores(folder, sockets, doing="a benchmark"):
            addresses = {"REDIS_URL": valkey_url(sockets), "DATABASE_URL": postgres_url(sockets)}
            environment = os.environ | addresses | {"VBALANCE_VAR": str(folder), "VBALANCE_SERVICE": "manage"}
            words = [sys.executable, "-m", "benchmarks.crowd", "--inside", "--rounds", str(wishes.rounds), "--cells"]
            subprocess.run([*words, *map(str, wishes.cells)], env=environment, check=True)


def inside(sizes: list[int], rounds: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vbalance.settings")
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 - Django stands only now

    from trading.market.calendars import calendar_for  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    days = iter(calendar_for().sessions_between(date(2015, 1, 2), date(2025, 12, 31)))
    lines = []
    for cells in sorted(sizes):
        keys = gather(cells)
        for percent in SHARES_AWAKE:
            awake = keys[:: 100 // percent] if percent else []
            rows = [one_round(keys, awake, next(days)) for _ in range(rounds + 1)][1:]  # the first one warms up
            lines.append(Line(cells, len(awake), *(list(column) for column in zip(*rows, strict=True))))
    show(lines)


def gather(cells: int) -> list[int]:
    """As many as asked for, grown from those that are there: one symbol, ten portfolios of the paper broker."""
    from django.db import connection  # noqa: PLC0415

    from portfolios.models import Position  # noqa: PLC0415
    from portfolios.services.positions import create_position  # noqa: PLC0415
    from tests.factories import FIRST_DAY, NOON, make_portfolio, make_user  # noqa: PLC0415

    if not Position.objects.exists():
        owner = make_user("crowd")
        first, *_ = [make_portfolio(owner, f"Portfolio {number}") for number in range(PORTFOLIOS)]
        held: dict[str, Any] = {"shares": 100_000_000, "cash": 10_000_000_000, "anchor": PRICE}
        create_position(
            portfolio_id=first.pk, symbol=SYMBOL, opened_on=FIRST_DAY, market_at=NOON, actor="user:test", **held
        )
    one = Position.objects.order_by("pk").first()
    assert one
    with connection.cursor() as cursor:
        cursor.execute(TWINS, [one.portfolio_id, PORTFOLIOS, cells - Position.objects.count(), one.pk])
        cursor.execute(f"UPDATE portfolios_position SET reserved_cash = 0, {ASLEEP}")
        cursor.execute("VACUUM ANALYZE")
    return list(Position.objects.order_by("pk").values_list("pk", flat=True))


def one_round(keys: list[int], awake: list[int], session: Any) -> tuple[float, ...]:
    """One quote on a day of its own: the tick, then whom it woke together; at the close some of them singly."""
    from trading.market.base import Price  # noqa: PLC0415
    from trading.market.models import Quote  # noqa: PLC0415
    from trading.market.services import begin_clock, move_clock, take_prices  # noqa: PLC0415
    from trading.selectors import waiting_cells, waiting_orders  # noqa: PLC0415
    from trading.services.crowd import CHUNK, evaluate_cells  # noqa: PLC0415
    from trading.services.evaluation import evaluate_position  # noqa: PLC0415

    begin_clock(source="replay", begins_on=session.day)
    bed(keys, awake)

    def price_at(phase: str) -> list[Quote]:
        at = getattr(session, phase)
        move_clock(source="replay", at=at, day=session.day, phase=phase)
        quotes, _ = take_prices(source="replay", prices=[Price(SYMBOL, at, PRICE, 0, 0)])
        return quotes

    def tick() -> list[int]:
        quotes = price_at("open")
        assert not waiting_orders(quotes)
        return waiting_cells(quotes)

    def together() -> int:
        chunks = [woken[begin : begin + CHUNK] for begin in range(0, len(woken), CHUNK)]
        done = [evaluation for chunk in chunks for evaluation in evaluate_cells(position_ids=chunk)]
        return sum(evaluation.order is not None for evaluation in done)

    def singly() -> int:
        return sum(evaluate_position(position_id=pk).order is not None for pk in some)

    woken, ticked, tick_work = timed(tick)
    assert woken == awake
    orders, crowd, work = timed(together)
    assert orders == len(awake)
    some = awake[:ONE_BY_ONE]
    bed(keys, awake)
    price_at("close")
    orders, alone, single_work = timed(singly)
    assert orders == len(some)
    each = max(len(some), 1)
    return ticked, tick_work, crowd, work, alone / each, single_work / each


def bed(keys: list[int], awake: list[int]) -> None:
    """Everybody asleep but those; no order open."""
    from django.db import connection  # noqa: PLC0415

    from trading.models import Order  # noqa: PLC0415

    Order.objects.open().update(status="cancelled")
    kept = set(awake)
    with connection.cursor() as cursor:
        cursor.execute(BEDDED.format(band=ASLEEP, anchor=97_000_000), [[key for key in keys if key not in kept]])
        cursor.execute(BEDDED.format(band=AWAKE, anchor=100_000_000), [awake])
        cursor.execute(f"UPDATE portfolios_position SET {AWAKE} WHERE id = ANY(%s)", [awake])
        cursor.execute("VACUUM ANALYZE portfolios_position")


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """What it gave, milliseconds, and those of them that this process computed."""
    began, busy = time.perf_counter(), time.process_time()
    found = work()
    return found, (time.perf_counter() - began) * 1_000, (time.process_time() - busy) * 1_000


def show(lines: list[Line]) -> None:
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}; medians\n")
    names = (
        "cells",
        "awake",
        "tick ms",
        "computed",
        "crowd ms",
        "us a cell",
        "computed",
        "singly us",
        "computed",
        "ratio",
    )
    print("".join(f"{name:>11}" for name in names), " tick")
    for line in lines:
        ticks = median(line.tick), median(line.tick_work)
        print(f"{line.cells:>11,}{line.awake:>11,}{ticks[0]:>11.2f}{ticks[1]:>11.2f}", end="")
        if line.awake:
            each, computed = (median(times) / line.awake * 1_000 for times in (line.crowd, line.crowd_work))
            alone, alone_computed = (median(times) * 1_000 for times in (line.singly, line.single_work))
            print(f"{median(line.crowd):>11.1f}{each:>11.0f}{computed:>11.0f}", end="")
            print(f"{alone:>11.0f}{alone_computed:>11.0f}{each / alone:>11.2f}", end="")
        else:
            print(" " * 66, end="")
        print(f"  {min(line.tick):.1f} to {max(line.tick):.1f} ms")
    quiet = {line.cells: median(line.tick) for line in lines if not line.awake}
    if len(quiet) > 1:
        few, many = min(quiet), max(quiet)
        print(f"\nAsleep, {many:,} cells cost {quiet[many] / quiet[few]:.2f} times what {few:,} do (aim 1.3)")


if __name__ == "__main__":
    main()
