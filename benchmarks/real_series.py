"""The default settings against buying and holding and a constant mix: `python -m benchmarks.real_series FOLDER`.

FOLDER holds daily/SYMBOL.csv, dividends.csv and splits.csv in the columns that `manage.py simulate` reads. Every symbol
and every period is told, in Markdown, whatever comes of it; of a period that the record covers less than a year, none.
"""

import argparse
import os
import sys
from datetime import date
from pathlib import Path
from typing import Any

import django

PERIODS = {
    "whole": (None, None),
    "calm 2004-06": (date(2004, 1, 1), date(2006, 12, 31)),
    "calm 2017": (date(2017, 1, 1), date(2017, 12, 31)),
    "crisis 2000-02": (date(2000, 1, 1), date(2002, 12, 31)),
    "crisis 2008-09": (date(2008, 1, 1), date(2009, 12, 31)),
    "crisis 2020": (date(2020, 1, 1), date(2020, 12, 31)),
}
SHORT = 200  # sessions
CASH, HALF = 10_000_000_000, 500_000
HEAD = (
    "| symbol | period | sessions | trades | fees | net dividends | robot | buy and hold | constant mix |",
    "|---|---|---:|---:|---:|---:|---:|---:|---:|",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vbalance.settings")
    django.setup()
    paths = sorted((folder / "daily").glob("*.csv"))
    if not paths:
        sys.exit(f"{folder}/daily holds no SYMBOL.csv")
    rows = [row for path in paths for row in rows_of(path, folder)]
    print("\n".join([*HEAD, *(line(row) for row in rows), "", *summary(rows)]))


def rows_of(path: Path, folder: Path) -> list[dict[str, Any]]:
    from portfolios.domain.settings import merge_settings, rules_from  # noqa: PLC0415 - Django has to be set up
    from trading.simulation.bars import read_bars, read_dividends, read_splits  # noqa: PLC0415
    from trading.simulation.report import report_of  # noqa: PLC0415

    bars, symbol = read_bars(path), path.stem
    actions = read_dividends(folder / "dividends.csv", symbol), read_splits(folder / "splits.csv", symbol)
    rules = rules_from(merge_settings(), default_buffer=0)
    rows = []
    for name, (first, last) in PERIODS.items():
        part = bars.between(first, last)
        if len(part.at) >= SHORT:
            report = report_of(part, *actions, rules, CASH, HALF, 0, "close")
            rows.append(report | {"symbol": symbol, "period": name, "cut": last and report["to"] < str(last)[:7]})
    return rows


def line(row: dict[str, Any]) -> str:
    period = row["period"]
    if period == "whole":
        period = f"{row['from']} to {row['to']}"
    elif row["cut"]:
        period += f", to {row['to']}"
    figures = [row["metrics"], row["baselines"]["buy_and_hold"], row["baselines"]["constant_mix"]]
    cells = [row["symbol"], period, f"{row['bars']:,}", str(row["trades"]), money(row["fees"])]
    return f"| {' | '.join([*cells, money(row['dividends_net']), *(outcome(figure) for figure in figures)])} |"


def money(amount: str) -> str:
    return f"{float(amount):,.0f}"


def outcome(figures: dict[str, float]) -> str:
    """Total return, and the deepest fall on the way."""
    return f"{figures['total_return']:+.1%} ({figures['max_drawdown']:.1%})"


def summary(rows: list[dict[str, Any]]) -> list[str]:
    """How often the robot ended above, and fell less deep, than each baseline."""
    lines = []
    for name in ("buy_and_hold", "constant_mix"):
        pairs = [(row["metrics"], row["baselines"][name]) for row in rows]
        above = sum(robot["total_return"] > other["total_return"] for robot, other in pairs)
        calmer = sum(robot["max_drawdown"] > other["max_drawdown"] for robot, other in pairs)
        words = name.replace("_", " ")
        lines.append(f"Of {len(rows)} rows the robot ended above {words} in {above} and fell less deep in {calmer}.")
    return lines


if __name__ == "__main__":
    main()
