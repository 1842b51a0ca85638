"""What a bar does not tell: whether its high or its low came first, and how much hangs on that."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from portfolios.domain.amounts import PPM, as_text
from portfolios.domain.holding import Holding
from trading.domain.band import trigger_edges
from trading.simulation.bars import Bars, Dividend, Split
from trading.simulation.engine import FILL
from trading.simulation.runs import Run, fills_of, quickest, run, value_at_end
from trading.simulation.stage import CLOSE, HIGH_FIRST, LOW_FIRST, Stage, stage_of

ROUNDING = 1e-9


class Inside(NamedTuple):
    """paths: the same cell along each order inside every bar, none where it looks at closes only.

    undecided: the bars in which both triggers fit.
    """

    paths: dict[str, Run]
    undecided: np.ndarray


def inside_of(
    done: Run, path: str, bars: Bars, dividends: Iterable[Dividend], splits: Iterable[Split], slippage: int
) -> Inside:
    """Of a run over these bars. slippage in ppm."""
    found = {}
    for order in () if path == CLOSE else (LOW_FIRST, HIGH_FIRST):
        if order != path:
            found[order] = along(done, stage_of(bars, dividends, splits, order), slippage)
    if path != CLOSE:
        found[path] = done
    return Inside(found, undecided_bars(done, bars))


def along(done: Run, stage: Stage, slippage: int) -> Run:
    """The same cell through another stage, which is not kept: its points may be millions, and nobody asks for them."""
    by = quickest(len(stage.bar))
    return run(stage, done.rules, done.start, slippage, count_skips=False, by=by)._replace(stage=done.stage)


def daily_values(inside: Inside, order: str) -> np.ndarray:
    """What it was worth at the closes along this order; empty where it looks at closes only."""
    return inside.paths[order].daily[:, 0] if inside.paths else np.empty(0, np.int64)


def undecided_bars(done: Run, bars: Bars) -> np.ndarray:
    """The bars whose low and high reach both triggers, as the cell stood before the bar's first look."""
    _, high, low, _ = bars.prices.T
    widest = (PPM + done.rules.trigger_up) / (PPM - done.rules.trigger_down)
    wide = np.flatnonzero(high >= low * (widest * (1 - ROUNDING)))
    anchors = anchors_before(done, wide)
    both = [both_fit(done, *bar) for bar in zip(anchors.tolist(), low[wide].tolist(), high[wide].tolist(), strict=True)]
    found: np.ndarray = wide[np.array(both, bool)]
    return found[found > 0]


def anchors_before(done: Run, bars: np.ndarray) -> np.ndarray:
    """After what happened before the first look of each bar, and before anything was done at it."""
    steps = done.outcome.steps
    order = 2 * steps[:, 0] + (steps[:, 1] >= FILL)
    count = np.searchsorted(order, 2 * np.searchsorted(done.stage.bar, bars) + 1)
    return np.append(done.start.anchor, steps[:, 10])[count]


def both_fit(done: Run, anchor: int, low: int, high: int) -> bool:
    edges = trigger_edges(Holding(0, 0, 0, 0, 0, anchor), done.rules)
    return anchor > 0 and low <= edges.below and high >= edges.above


def range_told(inside: Inside, cash: int) -> dict[str, Any] | None:
    """The worst and the best order by what it was worth in the end; None where it looks at closes only."""
    if not inside.paths:
        return None
    ends = sorted((value_at_end(found), path) for path, found in inside.paths.items())
    return {name: end_told(inside, *ends[place], cash) for name, place in (("worst", 0), ("best", -1))}


def end_told(inside: Inside, value: int, path: str, cash: int) -> dict[str, Any]:
    trades = len(fills_of(inside.paths[path].outcome))
    return {"path": path, "value": as_text(value), "total_return": value / cash - 1, "trades": trades}
