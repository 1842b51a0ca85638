"""Where drift alone first brings an order: a search that passes over no price, however lots round the size."""

from portfolios.domain.amounts import MAX_AMOUNT, MICROS
from portfolios.domain.exact import compare_products
from portfolios.domain.holding import Holding, Rules, total_value
from trading.domain.choices import OPEN, Side
from trading.domain.decision import decide
from trading.domain.trims import (
    Limit,
    cash_room,
    fee_is_covered,
    guardrail_room,
    largest_multiple,
    max_trade_room,
    quantity_towards,
)

NOWHERE = 0
LOOKS = 1_000
ROUNDED = 4


def first_price(holding: Holding, rules: Rules, side: Side, near: int, deep: int) -> int:
    """The price nearest to `near` on the way to `deep`, both inclusive, at which the rule acts on this side.

    Whole lots, the largest trade and the cash at hand make an order's worth jump both ways as the price moves, so what
    happens at the end of a stretch says nothing about its middle: a stretch is left out only where no price of it can
    do. NOWHERE also after LOOKS stretches, which takes an order that is worth its minimum by a hair all the way.
    """
    step = 1 if side == Side.SELL else -1
    stretches = [(near, deep)]
    for _ in range(LOOKS):
        if not stretches:
            break
        near, deep = stretches.pop()
        if (deep - near) * step < 0 or not may_act(holding, rules, side, near, deep):
            continue
        if acts(holding, rules, side, near):
            return near
        middle = (near + deep) // 2
        stretches += [(middle + step, deep), (near + step, middle)]
    return NOWHERE


def acts(holding: Holding, rules: Rules, side: Side, price: int) -> bool:
    return decide(holding, rules, price, OPEN).side == side


def may_act(holding: Holding, rules: Rules, side: Side, near: int, deep: int) -> bool:
    """Whether a price of this stretch can bring an order: its worth is taken too large rather than too small."""
    dearest = max(near, deep)
    if total_value(holding, dearest) <= 0 or total_value(holding, min(near, deep)) > MAX_AMOUNT:
        return False
    wanted = most_wanted(holding, rules, side, near, deep)
    most = min(wanted, room_of(holding, rules, side, deep, wanted))
    if rules.skip_when_short and least_wanted(holding, rules, side, near, deep) > most:
        return False
    most -= most % rules.lot
    if most == 0 or compare_products(most, dearest, rules.min_notional - ROUNDED, MICROS) < 0:
        return False
    return side == Side.BUY or fee_is_covered(holding, rules, dearest, most)


def most_wanted(holding: Holding, rules: Rules, side: Side, near: int, deep: int) -> int:
    """No price of the stretch wants more shares: the farther it has drifted, the more lead back, and the more fit."""
    trade = max(largest_trade(holding, rules, near), largest_trade(holding, rules, deep))
    wanted = min(outside(holding, rules, side, deep) + rules.lot, trade)
    return guardrail_room(holding, rules, deep, side, wanted)


def least_wanted(holding: Holding, rules: Rules, side: Side, near: int, deep: int) -> int:
    trade = min(largest_trade(holding, rules, near), largest_trade(holding, rules, deep))
    wanted = min(outside(holding, rules, side, near), trade)
    return guardrail_room(holding, rules, near, side, wanted)


def largest_trade(holding: Holding, rules: Rules, price: int) -> int:
    return max_trade_room(rules, total_value(holding, price), price)


def room_of(holding: Holding, rules: Rules, side: Side, deep: int, wanted: int) -> int:
    """What cash or free shares allow at the end of the stretch, where they allow most."""
    if side == Side.SELL:
        return max(holding.shares - holding.reserved_shares, 0)
    return cash_room(holding, rules, deep, wanted)


def outside(holding: Holding, rules: Rules, side: Side, price: int) -> int:
    """The most whole lots after which the cell is still outside the guardrail it has drifted over."""
    most = holding.shares if side == Side.SELL else MAX_AMOUNT - holding.shares
    bound = rules.guardrail_high if side == Side.SELL else rules.guardrail_low
    guess = quantity_towards(holding, rules, price, side, bound)
    return largest_multiple(Limit.NEAR_GUARDRAIL, holding, rules, price, side, rules.lot, most, guess)
