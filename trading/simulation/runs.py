"""One run from end to end: points, machine code, figures. Writes nothing anywhere."""

from collections.abc import Callable
from importlib import import_module
from threading import Thread
from typing import Any, NamedTuple

import numpy as np

from portfolios.domain.amounts import MICROS
from portfolios.domain.holding import Holding, Rules
from portfolios.domain.settings import merge_settings, rules_from
from trading.domain.choices import Reason, Side
from trading.domain.costs import notional_of
from trading.simulation.bars import Bars
from trading.simulation.engine import CLOSED, EX, EXTENDED, FILL, NOT_SENT, TOO_LARGE, Outcome
from trading.simulation.machine import compiled
from trading.simulation.many import simulate_many
from trading.simulation.metrics import exposures
from trading.simulation.stage import Stage, stage_of, starting

FEW = 20_000  # looks that are simulated as written in the time it takes to have machine code at hand, 0.6 s


class CannotRun(Exception):
    """Why a run cannot be carried out, in a sentence for whoever asked for it."""


class TooLarge(CannotRun):
    """It leaves the limits of an amount on the way."""

    WHY = "a dividend or a split takes the cell past the limit of 1000000000000"

    def __init__(self) -> None:
        super().__init__(f"It cannot be carried to its end: {self.WHY}.")


class Run(NamedTuple):
    """A cell's way through a stage. ends: see `session_ends`; daily: its state there, see `follow`."""

    stage: Stage
    rules: Rules
    start: Holding
    outcome: Outcome
    ends: np.ndarray
    daily: np.ndarray


class Totals(NamedTuple):
    """Of a whole run, in micros. slippage: what the fills cost against the prices that were decided at."""

    trades: int
    buys: int
    sells: int
    traded: int
    fees: int
    slippage: int
    dividends_net: int


def as_written(name: str, room: str = "engine") -> Callable[..., Any]:
    """A function of the engine as it stands, for a few thousand looks: sooner than machine code is at hand."""
    function: Callable[..., Any] = getattr(import_module(f"trading.simulation.{room}"), name)
    return function


def quickest(looks: int) -> Callable[..., Callable[..., Any]]:
    """Whichever way answers a few runs over so many looks first. Both give the same, to the last digit."""
    return as_written if looks <= FEW and not compiled.cache_info().currsize else compiled


def warm_up() -> None:
    """Machine code for the next run of this process, once, out of everybody's way; the first was sooner without."""
    if not compiled.cache_info().currsize:
        Thread(target=compile_ahead, daemon=True).start()


def run(
    stage: Stage,
    rules: Rules,
    start: Holding,
    slippage: int,
    count_skips: bool = True,
    by: Callable[[str], Callable[..., Any]] = compiled,
    ends_of: Callable[[Stage], np.ndarray] | None = None,
) -> Run:
    """Without counting skips it is the same run, sooner by those it need not look at. ends_of: `session_ends`, if not
    another.
    """
    outcome = by("simulate" if count_skips else "trade")(stage.points, stage.happenings, rules, start, slippage)
    outcome = Outcome(Holding(*(int(amount) for amount in outcome.holding)), outcome.steps, outcome.skips)
    if outcome.skips[TOO_LARGE]:
        raise TooLarge
    ends = (ends_of or session_ends)(stage)
    daily = by("follow")(stage.points, start, outcome.steps, ends)
    return Run(stage, rules, start, outcome, ends, daily)


def session_ends(stage: Stage) -> np.ndarray:
    """The start, and each session's close: the last point of its regular hours, or at all where it has none. The end
    is the last point, whatever that is. Of days the start is the first close.
    """
    last, market = day_ends(stage), stage.points.market
    if market.any():
        regular = np.flatnonzero((market & (EXTENDED | CLOSED)) == 0)
        count = np.searchsorted(regular, last, side="right")
        closes = regular[np.maximum(count - 1, 0)] if len(regular) else last
        begins = np.append(0, last[:-1] + 1)
        last[:-1] = np.where((count > 0) & (closes >= begins), closes, last)[:-1]
    return last if last[0] == 0 else np.append(0, last)


def day_ends(stage: Stage) -> np.ndarray:
    """The last point of each day."""
    days = stage.points.days
    return np.append(np.flatnonzero(days[1:] != days[:-1]), len(days) - 1)


def fills_of(outcome: Outcome) -> np.ndarray:
    return outcome.steps[outcome.steps[:, 1] == FILL]


def totals_of(run: Run) -> Totals:
    fills = fills_of(run.outcome)
    buys = fills[:, 3] > 0
    ex = run.outcome.steps[run.outcome.steps[:, 1] == EX]
    return Totals(
        trades=len(fills),
        buys=int(buys.sum()),
        sells=int((~buys).sum()),
        traded=total(fills[:, 5]),
        fees=total(fills[:, 6]),
        slippage=slippage_of(fills),
        dividends_net=total(ex[:, 11]),
    )


def total(column: np.ndarray) -> int:
    """Without a limit: the parts are within theirs, their sum need not be."""
    return sum(column.tolist())


def slippage_of(fills: np.ndarray) -> int:
    cost = 0
    for quantity, notional, decided in zip(*(fills[:, column].tolist() for column in (3, 5, 11)), strict=True):
        fair = notional_of(Side.BUY if quantity > 0 else Side.SELL, abs(quantity), decided)
        cost += notional - fair if quantity > 0 else fair - notional
    return cost


def skips_of(outcome: Outcome) -> dict[str, int]:
    """How often a fired trigger or drift led to nothing, by reason."""
    counts = {reason.name.lower(): int(outcome.skips[reason]) for reason in Reason} | {
        "not_sent": int(outcome.skips[NOT_SENT])
    }
    return {name: count for name, count in counts.items() if count}


def value_at_end(run: Run) -> int:
    """The last row is at the last point."""
    return int(run.daily[-1, 0])


def guardrail_time(run: Run) -> float:
    """The part of the sessions that closed with the stock share within the guardrails."""
    rules, inside_of = run.rules, quickest(len(run.daily))("closes_inside", "many")
    inside = inside_of(run.daily, rules.guardrail_low, rules.guardrail_high)
    return int(inside) / len(run.daily)


def exposure(run: Run) -> float:
    """The mean stock share at the sessions' closes."""
    return float(exposures(run.daily[None, :, 0], run.daily[None, :, 5])[0])


def compile_ahead() -> None:
    """Machine code of the engine's doors, kept on disk, so that whoever simulates first need not wait for it."""
    day = np.arange(3, dtype=np.int32)
    prices = np.full((3, 4), 100 * MICROS, np.int64)
    stage = stage_of(Bars(day.astype(np.int64), day, prices, np.zeros(3, np.uint8), is_daily=True), [], [])
    rules = rules_from(merge_settings({}), default_buffer=0)
    start = starting(MICROS, 0, 100 * MICROS, rules.lot)
    for count_skips in (True, False):
        done = run(stage, rules, start, 0, count_skips)
        guardrail_time(done)
    simulate_many(stage.points, stage.happenings, [rules], [start], 0, done.ends)
