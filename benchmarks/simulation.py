"""How fast the past is retold, against other engines: `python -m benchmarks.simulation [--rounds N] [--python PATH]`.

The same strategy on the same prices, A and B alternating, median ratio and its range; where a call of ours is short,
each round takes the median of nine. An engine that does not count as many trades as ours ends the benchmark. The others
are installed into an environment that is thrown away.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import django
import numpy as np

from portfolios.domain.settings import merge_settings, parse_settings, rules_from
from trading.simulation.engine import FILL, Happenings
from trading.simulation.machine import compiled
from trading.simulation.many import TRADES, simulate_many
from trading.simulation.runs import run, session_ends, totals_of
from trading.simulation.stage import Stage, points_of, starting

HERE = Path(__file__).parent
PEERS = ["vectorbt==1.0.0", "plotly<6", "backtesting==0.6.6", "backtrader==1.9.78.123"]
CASH = 10_000_000 * 10**6
REACH = 0.12  # how far prices wander from where they begin, as a logarithm
HALF, NO_SLIPPAGE = 500_000, 0
# No whole number of cents below $10,000 lies exactly on such an edge, where floats and integers may differ.
SHORT = 0.01  # seconds; below, each round takes the median of nine, as one alone mostly waits for memory and clock
RARE, SELDOM, DENSE = 0.020013, 0.060013, 0.020013


class Market(NamedTuple):
    """Prices in micros on whole cents, and the file the others read them from."""

    prices: np.ndarray
    days: np.ndarray
    file: Path


class Found(NamedTuple):
    seconds: float
    trades: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--python", help="of an environment that has the other engines already")
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vbalance.settings")
    django.setup()
    print(f"{os.cpu_count()} cores ({processor()}), load {os.getloadavg()[0]:.1f}, {options.rounds} rounds")
    print(f"{'work':58} {'ours':>12} {'ns a bar':>9}  {'against':24} {'ratio, its range':>24}")
    with tempfile.TemporaryDirectory(prefix="vb-bench-") as folder:
        from_scratch = [] if options.no_peers else [options.python or installed(Path(folder))]
        show(Path(folder), options.rounds, from_scratch)
        fresh(Path(folder), options.rounds)
    print(f"load at the end {os.getloadavg()[0]:.1f}")


def show(folder: Path, rounds: int, pythons: list[str]) -> None:
    minutes = market(folder, 1_000_000, 0.0004, 390)
    many_minutes = market(folder, 10_000_000, 0.0004, 390)
    days = market(folder, 2_520, 0.014, 1)
    with others(pythons) as ask:
        for prices, trigger, label in (
            (minutes, RARE, "1,000,000 minute bars"),
            (many_minutes, SELDOM, "10,000,000 minute bars"),
        ):
            row(label, len(prices.prices), rounds, single(prices, trigger), np_max(prices), "as a multiple of np.max")
        row("1,000,000, daily equity, all trades", 1_000_000, rounds, whole(minutes, RARE), None, "")
        if not ask:
            row("2,520 daily bars, a trade every five", 2_520, rounds, single(days, DENSE), None, "")
            return
        against = (
            ("vectorbt", minutes, 1_000_000, [RARE], "1,000,000 minute bars"),
            ("plain", minutes, 1_000_000, [RARE], "1,000,000 minute bars"),
            ("backtesting", minutes, 100_000, [RARE], "100,000 minute bars"),
            ("backtrader", minutes, 20_000, [RARE], "20,000 minute bars"),
            ("vectorbt", days, 2_520, [DENSE], "2,520 daily bars, a trade every five"),
            ("plain", days, 2_520, [DENSE], "2,520 daily bars, a trade every five"),
        )
        for peer, prices, bars, triggers, label in against:
            here = cut(prices, bars)
            ours = single(here, triggers[0])
            row(label, bars, rounds, ours, lambda p=peer, h=here, t=triggers: ask(p, h, t), NAMES[peer])
        for prices, bars, settings, theirs, label in (
            (minutes, 100_000, 1_000, 20, "1,000 settings x 100,000 bars"),
            (days, 2_520, 10_000, 500, "10,000 settings x 2,520 daily bars"),
        ):
            sweep(label, cut(prices, bars), settings, theirs, rounds, ask)


NAMES = {
    "vectorbt": "vectorbt",
    "plain": "Python loop, floats",
    "backtesting": "backtesting.py",
    "backtrader": "backtrader",
}


def sweep(label: str, prices: Market, settings: int, theirs: int, rounds: int, ask: Callable[..., Found]) -> None:
    """They get every n-th of the settings, as all at once do not fit into memory; what they need is scaled up."""
    triggers = np.round(np.linspace(0.0100, 0.0500, settings), 5) + 0.000003
    some = triggers[:: settings // theirs]
    ours = swept(prices, triggers)
    part = swept(prices, some)().trades

    def asked() -> Found:
        found = ask("vectorbt", prices, some.tolist())
        if found.trades != part:
            raise SystemExit(f"{label}: vectorbt counts {found.trades} trades, we {part}")
        return Found(found.seconds * settings / len(some), ours().trades)

    row(label, settings * len(prices.prices), rounds, ours, asked, f"vectorbt ({theirs} settings)")


def row(
    label: str,
    bars: int,
    rounds: int,
    ours: Callable[[], Found],
    theirs: Callable[[], Found] | None,
    name: str,
) -> None:
    if theirs:
        theirs()
    times = 9 if ours().seconds < SHORT else 1
    mine, ratios = [], []
    for _ in range(rounds):
        one = sorted(ours() for _ in range(times))[times // 2]
        mine.append(one.seconds)
        if theirs is None:
            continue
        other = theirs()
        if other.trades not in (one.trades, -1):
            raise SystemExit(f"{label}: {name} counts {other.trades} trades, we {one.trades}")
        is_floor = other.trades == -1
        ratios.append(one.seconds / other.seconds if is_floor else other.seconds / one.seconds)
    took = median(mine)
    label = f"{label} ({one.trades:,} trades)"
    line = f"{label:58} {took * 1e3:9.3f} ms {took / bars * 1e9:9.2f}"
    if ratios:
        line += f"  {name:24} {in_short(median(ratios))} ({in_short(min(ratios))} to {in_short(max(ratios))})"
    print(line, flush=True)


def in_short(ratio: float) -> str:
    return f"{ratio:,.0f} x" if ratio >= 20 else f"{ratio:.2f} x"


def market(folder: Path, bars: int, roughness: float, a_day: int) -> Market:
    """A random walk, reflected where it has gone far enough for nobody to run out of cash or shares."""
    walk = np.cumsum(np.random.default_rng(20_070_103).standard_normal(bars) * roughness)
    folded = np.abs((walk + REACH) % (4 * REACH) - 2 * REACH) - REACH
    prices = np.round(100 * np.exp(folded) * 100).astype(np.int64) * 10_000
    file = folder / f"{bars}.npy"
    np.save(file, prices)
    return Market(prices, (np.arange(bars) // a_day + 13_516).astype(np.int32), file)


def cut(whole: Market, bars: int) -> Market:
    return Market(whole.prices[:bars], whole.days[:bars], whole.file)


def staged(prices: Market) -> Any:

    nothing = Happenings(*(np.empty(0, np.int64) for _ in range(4)))
    points = points_of(prices.prices, prices.days, np.zeros(len(prices.prices), np.uint8))
    return Stage(points, nothing, np.arange(len(prices.prices)))


def ruled(trigger: float) -> Any:

    settings = {
        "tau": f"{trigger:.6f}",
        "r": "0.01",
        "guardrail_low": "0",
        "guardrail_high": "1",
        "min_notional": "0",
        "max_orders_per_day": 10_000,
        "auto_rebalance": False,
    }
    return rules_from(merge_settings(parse_settings(settings)), default_buffer=0)


def begun(prices: Market) -> Any:

    return starting(CASH, HALF, int(prices.prices[0]), 1)


def single(prices: Market, trigger: float) -> Callable[[], Found]:
    """All steps and what is left; no series."""

    stage, rules, start = staged(prices), ruled(trigger), begun(prices)

    def once() -> Found:
        began = time.perf_counter()
        outcome = compiled("trade")(stage.points, stage.happenings, rules, start, NO_SLIPPAGE)
        took = time.perf_counter() - began
        return Found(took, int((outcome.steps[:, 1] == FILL).sum()))

    return once


def whole(prices: Market, trigger: float) -> Callable[[], Found]:
    """With the cell's state at every close of a session, and skips counted."""

    stage, rules, start = staged(prices), ruled(trigger), begun(prices)

    def once() -> Found:
        began = time.perf_counter()
        done = run(stage, rules, start, NO_SLIPPAGE)
        took = time.perf_counter() - began
        return Found(took, totals_of(done).trades)

    return once


def swept(prices: Market, triggers: np.ndarray) -> Callable[[], Found]:

    stage, rules = staged(prices), [ruled(trigger) for trigger in triggers]
    starts, ends = [begun(prices)] * len(rules), session_ends(stage)

    def once() -> Found:
        began = time.perf_counter()
        amounts = simulate_many(stage.points, stage.happenings, rules, starts, NO_SLIPPAGE, ends)
        return Found(time.perf_counter() - began, int(amounts[:, TRADES].sum()))

    return once


def np_max(prices: Market) -> Callable[[], Found]:
    coarse = staged(prices).points.coarse

    def once() -> Found:
        began = time.perf_counter()
        np.max(coarse)
        return Found(time.perf_counter() - began, -1)

    return once


def installed(folder: Path) -> str:
    subprocess.run([sys.executable, "-m", "venv", folder / "peers"], check=True)
    python = str(folder / "peers" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    return python


@contextmanager
def others(pythons: list[str]) -> Iterator[Callable[[str, Market, list[float]], Found] | None]:
    """The other engines, alive in one process so that they too compile only once."""
    if not pythons:
        yield None
        return
    with subprocess.Popen(
        [pythons[0], HERE / "peers.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:

        def ask(peer: str, prices: Market, triggers: list[float]) -> Found:
            wish = {"peer": peer, "prices": str(prices.file), "bars": len(prices.prices), "triggers": triggers}
            print(json.dumps(wish), file=process.stdin, flush=True)
            return Found(**json.loads(process.stdout.readline()))

        yield ask
        process.stdin.close()


def fresh(folder: Path, rounds: int) -> None:
    """A new process from its first import to the answer, machine code cached; 2,520 daily bars as a file."""
    prices = market(folder, 2_520, 0.014, 1).prices
    lines = ["date,open,high,low,close"]
    for number, price in enumerate((prices / 1e6).tolist()):
        lines.append(f"{date(2007, 1, 3) + timedelta(days=number)},{price},{price},{price},{price}")
    file = folder / "days.csv"
    file.write_text("\n".join(lines))
    command = [sys.executable, "manage.py", "simulate", "--bars", str(file), "--json"]
    times = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=HERE.parent)
        times.append(time.perf_counter() - began)
    times = sorted(times[1:])
    took = f"{median(times) * 1e3:9.0f} ms"
    label = "first result of a fresh process: manage.py simulate --json"
    print(f"{label:58} {took}   {times[0]:.2f} to {times[-1]:.2f} s")


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    main()
