"""What a cell would have done with recorded closes: the engine, once a day, beside buying and holding. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np

from portfolios.domain.amounts import PPM
from portfolios.domain.holding import Rules
from reporting.comparison import Payout, Ratio, Untouched, left_alone_over, value_untouched
from trading.simulation.bars import ASSUMED_DELAY, Dividend, Split, day_number
from trading.simulation.engine import REGULAR
from trading.simulation.runs import as_written, day_ends, run, totals_of
from trading.simulation.stage import Stage, happenings_of, points_of, starting

Closes = Sequence[tuple[date, int]]


class Course(NamedTuple):
    """One way through the years: its worth on each day (micros) and the deepest fall from a peak (ppm)."""

    values: list[int]
    deepest: int

    @property
    def end(self) -> int:
        return self.values[-1]

    @property
    def gain_ppm(self) -> int:
        return (self.end - self.values[0]) * PPM // max(self.values[0], 1)


class Rehearsal(NamedTuple):
    days: list[date]
    cell: Course
    held: Course
    trades: int
    fees: int
    dividends: int
    held_dividends: int


def rehearse(
    value: int, stock_share: int, rules: Rules, closes: Closes, actions: Iterable[Payout | Ratio]
) -> Rehearsal:
    """The same money (micros) with the same stock share (ppm) from the first close on; at least one close.

    Interpreted: a person waits, and five years take less time than the compiled engine takes to be loaded.
    """
    days, actions = [day for day, _ in closes], list(actions)
    stage = stage_of_closes(closes, actions)
    start = starting(value, stock_share, closes[0][1], rules.lot)
    done = run(stage, rules, start, slippage=0, count_skips=False, by=as_written, ends_of=day_ends)
    totals = totals_of(done)
    bought = starting(value, PPM, closes[0][1], rules.lot)
    alone = Untouched(bought.shares, bought.cash)
    held = list(left_alone_over(days, days[0], alone, rules.withholding, actions))
    beside = [value_untouched(untouched, close) for untouched, (_, close) in zip(held, closes, strict=True)]
    counted = totals.trades, totals.fees, totals.dividends_net, held[-1].cash - alone.cash
    return Rehearsal(days, course(done.daily[:, 0].tolist()), course(beside), *counted)


def stage_of_closes(closes: Closes, actions: Iterable[Payout | Ratio]) -> Stage:
    """A look a day; each dividend is paid when it is for every pay date nobody knows.

    The first close is looked at twice: it sets the anchor, and a cell outside its guardrails acts on it.
    """
    closes = [closes[0], *closes]
    days = np.array([day_number(day) for day, _ in closes], np.int32)
    points = points_of(np.array([close for _, close in closes], np.int64), days, np.full(len(days), REGULAR, np.uint8))
    dividends, splits = [], []
    for action in actions:
        if isinstance(action, Ratio):
            splits.append(Split(*action))
        else:
            dividends.append(Dividend(action.ex_date, action.ex_date + ASSUMED_DELAY, action.per_share))
    return Stage(points, happenings_of(days, dividends, splits), np.arange(len(days)))


def course(values: list[int]) -> Course:
    peak, deepest = values[0], 0
    for value in values:
        peak = max(peak, value)
        deepest = max(deepest, (peak - value) * PPM // max(peak, 1))
    return Course(values, deepest)
