"""Where no order can be at one price, over a stretch of cash or guardrails: the rule's own steps at the ends.

At one price every step grows or shrinks with cash and with a guardrail, and none turns round, so the ends bound it.
"""

from typing import NamedTuple

from portfolios.domain.amounts import MAX_AMOUNT, MICROS, PPM
from portfolios.domain.exact import compare_products
from portfolios.domain.holding import Holding, Rules, total_value, value_of
from trading.domain.choices import Side
from trading.domain.drift import outside
from trading.domain.sizing import raw_quantity
from trading.domain.trims import cash_room, fee_is_covered, guardrail_room, max_trade_room


class Ends(NamedTuple):
    """The cell with the least and with the most cash of the stretch; the rules with the near guardrails, and the far.

    Far apart they leave most room for a trade that fired; near each other the most stock is outside them.
    """

    poor: Holding
    rich: Holding
    near: Rules
    far: Rules
    price: int


class Wanted(NamedTuple):
    """Micro-shares, at least and at most."""

    least: int
    most: int


def may_act_at(ends: Ends, side: Side) -> bool:
    """side: of the trigger that fires, NONE for none."""
    least, most = total_value(ends.poor, ends.price), total_value(ends.rich, ends.price)
    if most <= 0 or least > MAX_AMOUNT or value_of(ends.poor.shares, ends.price) > MAX_AMOUNT:
        return False
    if side != Side.NONE:
        return fits(ends, side, fired(ends, side))
    if not ends.near.auto_rebalance:
        return False
    return any(drifts(ends, back) and fits(ends, back, drifted(ends, back)) for back in (Side.SELL, Side.BUY))


def fired(ends: Ends, side: Side) -> Wanted:
    sizes = [
        max(raw_quantity(holding, ends.near, ends.price, side), 0)
        for holding in (ends.poor, ends.rich)
        if total_value(holding, ends.price) > 0
    ]
    return Wanted(min(sizes) if len(sizes) > 1 else 0, max(sizes))


def drifts(ends: Ends, side: Side) -> bool:
    """Whether any of the stretch has drifted so far that this side leads back."""
    stock = value_of(ends.poor.shares, ends.price)
    if side == Side.SELL:
        return compare_products(stock, PPM, ends.near.guardrail_high, total_value(ends.poor, ends.price)) > 0
    return compare_products(stock, PPM, ends.near.guardrail_low, total_value(ends.rich, ends.price)) < 0


def drifted(ends: Ends, side: Side) -> Wanted:
    """Up to a lot more than what stays outside; a lot less where that would pass the other guardrail."""
    few, many = (ends.poor, ends.rich) if side == Side.BUY else (ends.rich, ends.poor)
    least = outside(few, ends.far, side, ends.price) if total_value(few, ends.price) > 0 else 0
    return Wanted(least, outside(many, ends.near, side, ends.price) + ends.near.lot)


def fits(ends: Ends, side: Side, wanted: Wanted) -> bool:
    """Whether what is wanted can pass every trim and still be worth an order."""
    price, rules = ends.price, ends.near
    few, many = (ends.poor, ends.rich) if side == Side.BUY else (ends.rich, ends.poor)
    most = min(wanted.most, max_trade_room(rules, max(total_value(ends.rich, price), 0), price))
    most = guardrail_room(many, ends.far, price, side, most)
    room = max(many.shares - many.reserved_shares, 0)
    if side == Side.BUY:
        room = cash_room(ends.rich, rules, price, most)
    if rules.skip_when_short:
        least = min(wanted.least, max_trade_room(rules, max(total_value(ends.poor, price), 0), price))
        if guardrail_room(few, ends.near, price, side, least) > room:
            return False
    most = min(most, room)
    most -= most % rules.lot
    if most == 0 or compare_products(most, price, rules.min_notional, MICROS) < 0:
        return False
    return side == Side.BUY or fee_is_covered(ends.rich, rules, price, most)
