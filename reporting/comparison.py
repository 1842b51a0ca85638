"""What a cell would be worth left alone: its starting shares and cash, untouched. Pure."""

from collections.abc import Iterable
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
    """The start carried to a market day. A dividend counts net from its ex-date on, as the cell's own receivable does.

    `actions` may be in any order; only those after the opening day and up to `until` touch it. `start.cash` already
    includes what was deposited and withdrawn since: it earns nothing.
    """
    shares, cash = start
    due = sorted((action for action in actions if opened_on < action.ex_date <= until), key=order_of)
    for action in due:
        if isinstance(action, Payout):
            cash += payment_for(shares, action.per_share, withholding).net
        else:
            shares = muldiv_floor(shares, action.numerator, action.denominator)
    return Untouched(shares, cash)


def order_of(action: Payout | Ratio) -> tuple[date, bool]:
    """By day; on one day the dividend first, because it belongs to the shares of the evening before."""
    return action.ex_date, isinstance(action, Ratio)


def value_untouched(untouched: Untouched, price: int) -> int:
    return value_of(untouched.shares, price) + untouched.cash
