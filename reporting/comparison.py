"""What a cell would be worth left alone: its starting shares and cash, and what its owner adds. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from dividends.domain.payments import payment_for
from portfolios.domain.exact import muldiv_floor
from portfolios.domain.holding import value_of


class Payout(NamedTuple):
    """Cash per share (micros) for those who held at the close before the ex-date."""

    ex_date: date
    per_share: int


class Ratio(NamedTuple):
    """numerator new shares for denominator old ones from the ex-date on."""

    ex_date: date
    numerator: int
    denominator: int


class Flow(NamedTuple):
    """Shares and cash that a person put in or took out on a day, signed; they count as they are from then on."""

    day: date
    shares: int
    cash: int


class Untouched(NamedTuple):
    shares: int
    cash: int


def left_alone(
    opened_on: date,
    start: Untouched,
    withholding: int,
    until: date,
    actions: Iterable[Payout | Ratio],
    flows: Iterable[Flow] = (),
) -> Untouched:
    """The start carried to a market day. `start.cash` may include what was paid in since: it earns nothing."""
    return next(left_alone_over([until], opened_on, start, withholding, actions, flows))


def left_alone_over(
    days: Sequence[date],
    opened_on: date,
    start: Untouched,
    withholding: int,
    actions: Iterable[Payout | Ratio],
    flows: Iterable[Flow] = (),
) -> Iterator[Untouched]:
    """The start carried to each of the days, which ascend. Only actions after the opening day touch it.

    A dividend counts net from its ex-date on, as the cell's own receivable does.
    """
    steps = [*(action for action in actions if action.ex_date > opened_on), *flows]
    waiting = sorted(steps, key=order_of, reverse=True)
    held = start
    for day in days:
        while waiting and order_of(waiting[-1])[0] <= day:
            held = touched(held, waiting.pop(), withholding)
        yield held


def order_of(step: Payout | Ratio | Flow) -> tuple[date, int]:
    """By day; on one day the dividend first, because it belongs to the shares of the evening before, flows last."""
    if isinstance(step, Flow):
        return step.day, 2
    return step.ex_date, int(isinstance(step, Ratio))


def touched(held: Untouched, step: Payout | Ratio | Flow, withholding: int) -> Untouched:
    if isinstance(step, Flow):
        return Untouched(held.shares + step.shares, held.cash + step.cash)
    if isinstance(step, Payout):
        net = payment_for(max(held.shares, 0), step.per_share, withholding).net
        return held._replace(cash=held.cash + net)
    return held._replace(shares=muldiv_floor(held.shares, step.numerator, step.denominator))


def value_untouched(untouched: Untouched, price: int) -> int:
    return value_of(untouched.shares, price) + untouched.cash
