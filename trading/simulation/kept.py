"""The rows of a kept run: its steps and its days, each under the names that people, files and the API know."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import numpy as np

from trading.domain.choices import Reason
from trading.simulation.archive import Series
from trading.simulation.bars import EPOCH
from trading.simulation.engine import ANCHOR_RESET, ANCHOR_SET, EX, FILL, PAY, SPLIT

KINDS = {
    FILL: "trade",
    EX: "ex_dividend",
    PAY: "dividend_paid",
    SPLIT: "split",
    ANCHOR_SET: "anchor_set",
    ANCHOR_RESET: "anchor_reset",
}


class Step(NamedTuple):
    """One change of the cell; amounts and prices in micros, what it leaves behind last. None: not of this kind.

    at: where its bar begins, None where bars are daily.
    decided: the price the rule saw; per_share: of a dividend, before tax; net: what of it was earned or paid,
    after tax; ratio: of a split, new shares for old ones.
    """

    number: int
    day: date
    at: datetime | None
    kind: str
    side: str
    reason: str
    quantity: int | None
    decided: int | None
    price: int | None
    notional: int | None
    fee: int | None
    per_share: int | None
    net: int | None
    ratio: str
    shares: int
    cash: int
    receivable: int
    anchor: int


class Day(NamedTuple):
    """A session at its close: the cell, and what the same money was worth without the robot. Micros.

    low_first, high_first: the same cell with that extreme always first inside a bar; None where only closes are seen.
    """

    number: int
    day: date
    close: int
    value: int
    shares: int
    cash: int
    receivable: int
    anchor: int
    stock: int
    buy_and_hold: int
    constant_mix: int
    low_first: int | None
    high_first: int | None


def trade_numbers(series: Series) -> list[int]:
    """Which of the steps were trades; steps and days are counted from 1."""
    return [int(row) + 1 for row in np.flatnonzero(series.steps[:, 1] == FILL)]


def step_at(series: Series, number: int) -> Step:
    row = series.steps[number - 1].tolist()
    _, kind, reason, first, second, notional, fee, shares, cash, receivable, anchor, beside = row
    is_fill, is_split = kind == FILL, kind == SPLIT
    return Step(
        number=number,
        day=day_of(int(series.days_of_steps[number - 1])),
        at=datetime.fromtimestamp(int(series.at[number - 1]), UTC) if len(series.step_days) else None,
        kind=KINDS[kind],
        side=("BUY" if first > 0 else "SELL") if is_fill else "",
        reason=Reason(reason).name.lower() if reason else "",
        quantity=abs(first) if is_fill else None,
        decided=beside if is_fill else None,
        price=second if kind in (FILL, ANCHOR_SET, ANCHOR_RESET) else None,
        notional=notional if is_fill else None,
        fee=fee if is_fill else None,
        per_share=first if kind == EX else None,
        net=net_of(series, number, beside),
        ratio=f"{first} for {second}" if is_split else "",
        shares=shares,
        cash=cash,
        receivable=receivable,
        anchor=anchor,
    )


def net_of(series: Series, number: int, beside: int) -> int | None:
    """Earned on the ex-date; on the pay date what left the receivable."""
    kind = series.steps[number - 1, 1]
    if kind == PAY:
        return int(series.steps[number - 2, 9] - series.steps[number - 1, 9])
    return beside if kind == EX else None


def day_at(series: Series, number: int) -> Day:
    row = number - 1
    value, shares, cash, receivable, anchor, stock = series.daily[row].tolist()
    return Day(
        number=number,
        day=day_of(int(series.days[row])),
        close=int(series.closes[row]),
        value=value,
        shares=shares,
        cash=cash,
        receivable=receivable,
        anchor=anchor,
        stock=stock,
        buy_and_hold=int(series.buy_and_hold[row]),
        constant_mix=int(series.constant_mix[row]),
        low_first=int(series.low_first[row]) if len(series.low_first) else None,
        high_first=int(series.high_first[row]) if len(series.high_first) else None,
    )


def trades_of(series: Series) -> Iterator[Step]:
    return (step_at(series, number) for number in trade_numbers(series))


def steps_of(series: Series) -> Iterator[Step]:
    return (step_at(series, number) for number in range(1, len(series.steps) + 1))


def days_of(series: Series) -> Iterator[Day]:
    return (day_at(series, number) for number in range(1, len(series.days) + 1))


def day_of(number: int) -> date:
    return EPOCH + timedelta(days=number)
