"""A run as one object of plain values: what people, files and the API are given."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import numpy as np

from portfolios.domain.amounts import as_text
from portfolios.domain.holding import Holding, Rules
from trading.domain.choices import Reason
from trading.simulation.bars import EPOCH, Bars, Dividend, Split
from trading.simulation.baselines import buy_and_hold, constant_mix_rules, daily_stage
from trading.simulation.inside import Inside, inside_of, range_told
from trading.simulation.metrics import metrics_of
from trading.simulation.runs import (
    Run,
    exposure,
    fills_of,
    guardrail_time,
    quickest,
    run,
    skips_of,
    totals_of,
    value_at_end,
)
from trading.simulation.stage import Stage, stage_of, starting


def report_of(
    bars: Bars,
    dividends: Iterable[Dividend],
    splits: Iterable[Split],
    rules: Rules,
    cash: int,
    in_stock: int,
    slippage: int,
    path: str,
) -> dict[str, Any]:
    stage = stage_of(bars, dividends, splits, path)
    by = quickest(len(stage.bar))
    done = run(stage, rules, starting(cash, in_stock, int(stage.points.prices[0]), rules.lot), slippage, by=by)
    worths = worths_of(done, cash, in_stock, slippage)
    inside = inside_of(done, path, bars, dividends, splits, slippage)
    return summary_of(done, bars, worths, inside) | {
        "fills": [fill_named(row, bars, stage) for row in fills_of(done.outcome).tolist()]
    }


def summary_of(done: Run, bars: Bars, worths: dict[str, np.ndarray], inside: Inside) -> dict[str, Any]:
    """All but the list of fills."""
    holding, totals, days = done.outcome.holding, totals_of(done), done.stage.points.days[done.ends]
    return {
        "bars": len(bars.at),
        "from": day_text(int(bars.days[0])),
        "to": day_text(int(bars.days[-1])),
        "trades": totals.trades,
        "buys": totals.buys,
        "sells": totals.sells,
        "shares": as_text(holding.shares),
        "cash": as_text(holding.cash),
        "receivable": as_text(holding.receivable),
        "anchor": as_text(holding.anchor),
        "value": as_text(value_at_end(done)),
        "fees": as_text(totals.fees),
        "slippage": as_text(totals.slippage),
        "dividends_net": as_text(totals.dividends_net),
        "skips": skips_of(done.outcome),
        "undecided_bars": len(inside.undecided),
        "path_range": range_told(inside, int(worths["cash"][0])),
        "metrics": metrics_of(done.daily[:, 0], days)._asdict()
        | {"exposure": exposure(done), "guardrail_time": guardrail_time(done)},
        "baselines": {name: metrics_of(worth, days)._asdict() for name, worth in worths.items()},
    }


def worths_of(done: Run, cash: int, in_stock: int, slippage: int) -> dict[str, np.ndarray]:
    """What the same money was worth at each session's close without the robot."""
    return {
        "buy_and_hold": worth_of(done.stage, done.ends, *buy_and_hold(done.stage, done.rules, cash, slippage)),
        "constant_mix": constant_mix(done, cash, in_stock, slippage),
        "cash": np.full(len(done.ends), cash, np.int64),
    }


def constant_mix(done: Run, cash: int, in_stock: int, slippage: int) -> np.ndarray:
    daily = daily_stage(done.stage, done.ends)
    rules = constant_mix_rules(done.rules, in_stock)
    start = starting(cash, in_stock, int(daily.points.prices[0]), rules.lot)
    return run(daily, rules, start, slippage, by=quickest(len(done.stage.bar))).daily[:, 0]


def worth_of(stage: Stage, ends: np.ndarray, start: Holding, steps: np.ndarray) -> np.ndarray:
    daily: np.ndarray = quickest(len(stage.bar))("follow")(stage.points, start, steps, ends)
    return daily[:, 0]


def day_text(day: int) -> str:
    return (EPOCH + timedelta(days=day)).isoformat()


def fill_named(row: list[int], bars: Bars, stage: Stage) -> dict[str, str]:
    bar = int(stage.bar[row[0]])
    moment = day_text(int(bars.days[bar])) if bars.is_daily else str(np.datetime64(int(bars.at[bar]), "s")) + "Z"
    return {
        "at": moment,
        "side": "BUY" if row[3] > 0 else "SELL",
        "reason": Reason(row[2]).name.lower(),
        "quantity": as_text(abs(row[3])),
        "price": as_text(row[4]),
        "notional": as_text(row[5]),
        "fee": as_text(row[6]),
        "shares": as_text(row[7]),
        "cash": as_text(row[8]),
        "receivable": as_text(row[9]),
        "anchor": as_text(row[10]),
    }
