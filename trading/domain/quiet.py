"""How far beyond the wake-up band nothing can be traded either: what a simulation need not look at price by price.

Live, a cell beyond an edge is asked at every price. Here a whole stretch of prices is left out where no order is
possible at any of them: for drift as `drift` tells it, beyond a trigger by taking size, room and worth too large.
"""

from portfolios.domain.amounts import MAX_AMOUNT, MICROS
from portfolios.domain.exact import LARGEST, compare_products, muldiv_ceil
from portfolios.domain.holding import Holding, Rules, Sizing, effective_cash, total_value
from trading.domain.choices import Side
from trading.domain.drift import may_act
from trading.domain.sizing import constant_mix, fixed_percentage, share_of_value
from trading.domain.trims import cash_room, guardrail_room, max_trade_room

HALVINGS = 14
ROUNDED = 4  # micros by which floors and ceilings may move an order's worth


def quiet_until(holding: Holding, rules: Rules, side: Side, fired: bool, near: int, deep: int) -> int:
    """The farthest price from `near` towards `deep` up to which nothing can be traded on this side, as far as proven.

    fired: the stretch lies beyond a trigger. One price before `near` where not even that one is proven.
    """
    proven = near - 1 if side == Side.SELL else near + 1
    if (deep - proven) * (near - proven) <= 0:
        return proven
    if not may_trade(holding, rules, side, fired, near, deep):
        return deep
    deep = min(deep, 2 * near)
    for _ in range(HALVINGS):
        middle = (proven + deep) // 2
        if middle in (proven, deep):
            break
        if may_trade(holding, rules, side, fired, near, middle):
            deep = middle
        else:
            proven = middle
    return proven


def may_trade(holding: Holding, rules: Rules, side: Side, fired: bool, near: int, deep: int) -> bool:
    if fired:
        return may_fire(holding, rules, side, min(near, deep), max(near, deep))
    return may_act(holding, rules, side, near, deep)


def may_fire(holding: Holding, rules: Rules, side: Side, low: int, high: int) -> bool:
    """Whether a fired trigger can bring an order at a price from low to high.

    With C >= 0 the value V = S*p + C grows with p, V/p falls: sizes, room for the largest trade and the room of a buy
    are largest at the low end, the room of a sale at the high one.
    """
    if total_value(holding, high) > MAX_AMOUNT or effective_cash(holding) < rules.commission_min:
        return True
    value = total_value(holding, low) + 1
    raw = most_raw(holding, rules, side, low, high, value)
    slack = muldiv_ceil(ROUNDED, MICROS, low) + 1
    most = min(raw, max_trade_room(rules, value, low), MAX_AMOUNT)
    if side == Side.BUY:
        most = min(most, guardrail_room(holding, rules, low, side, most) + slack)
        most = min(most, cash_room(holding, rules, low, most) + slack)
    else:
        most = min(most, guardrail_room(holding, rules, high, side, most) + slack, holding.shares)
    most -= most % rules.lot
    if most <= 0 or compare_products(most, high, rules.min_notional, MICROS) < 0:
        return False
    if side == Side.SELL and rules.sizing in (Sizing.FIXED_PERCENTAGE, Sizing.CONSTANT_MIX):
        return True  # worth most at the high end
    # a size beyond the limit of an amount may have been cut off at 2^63, then its worth says nothing
    return raw > MAX_AMOUNT or compare_products(raw, low, rules.min_notional, MICROS) >= 0


def most_raw(holding: Holding, rules: Rules, side: Side, low: int, high: int, value: int) -> int:
    """No price of the stretch asks for as much; value: more than the cell is worth at the low end."""
    if rules.sizing == Sizing.ANCHOR_RATIO:
        most = share_of_value(rules, holding.anchor, value, low)
    elif rules.sizing == Sizing.PROPORTIONAL:
        most = share_of_value(rules, max(abs(holding.anchor - low), abs(holding.anchor - high)), value, low)
    elif rules.sizing == Sizing.FIXED_PERCENTAGE:
        most = fixed_percentage(holding, rules, low, side)
    else:
        dearest = high if side == Side.SELL else low
        most = constant_mix(holding, rules, dearest, side, total_value(holding, dearest))
    return min(most, LARGEST - 1) + 1
