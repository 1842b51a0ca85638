"""What a cell would be worth left alone: its starting shares and cash, untouched. Pure."""

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


class Untouched(NamedTuple):
    shares: int
    cash: int


def left_alone(
    opened_on: date, start: Untouched, withholding: int, until: date, actions: Iterable[Payout | Ratio]
) -> Untouched:
    """The start carried to a market day. `start.cash` may include what was paid in since: it earns nothing."""
    return next(left_alone_over([until], opened_on, start, withholding, actions))


def left_alone_over(
    days: Sequence[date], opened_on: date, start: Untouched, withholding: int, actions: Iterable[Payout | Ratio]
) -> Iterator[Untouched]:
    """The start carried to each of the days, which ascend. Only actions after the opening day touch it.

    A dividend counts net from its ex-date on, as the cell's own receivable does.
    """
    waiting = sorted((action for action in actions if action.ex_date > opened_on), key=order_of, reverse=True)
    held = start
    for day in days:
        while waiting and waiting[-1].ex_date <= day:
            held = touched(held, waiting.pop(), withholding)
        yield held


def order_of(action: Payout | Ratio) -> tuple[date, bool]:
    """By day; on one day the dividend first, because it belongs to the shares of the evening before."""
    return action.ex_date, isinstance(action, Ratio)


def touched(held: Untouched, action: Payout | Ratio, withholding: int) -> Untouched:
    if isinstance(action, Payout):
        return held._replace(cash=held.cash + payment_for(held.shares, action.per_share, withholding).net)
    return held._replace(shares=muldiv_floor(held.shares, action.numerator, action.denominator))


def value_untouched(untouched: Untouched, price: int) -> int:
    return value_of(untouched.shares, price) + untouched.cash
