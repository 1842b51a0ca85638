"""Which side a price asks for, and how much, before any trim."""

from portfolios.domain.amounts import PPM
from portfolios.domain.exact import compare_products, muldiv_ceil, muldiv_floor
from portfolios.domain.holding import Holding, Rules, Sizing, total_value, value_of
from trading.domain.choices import Side


def triggered_side(holding: Holding, rules: Rules, price: int) -> Side:
    """Inclusive on both sides: at the edge the trigger fires."""
    if compare_products(price, PPM, holding.anchor, PPM + rules.trigger_up) >= 0:
        return Side.SELL
    if compare_products(price, PPM, holding.anchor, PPM - rules.trigger_down) <= 0:
        return Side.BUY
    return Side.NONE


def drifted_side(holding: Holding, rules: Rules, price: int) -> Side:
    """The side that leads back when the stock share has left the guardrails without a trigger."""
    stock, value = value_of(holding.shares, price), total_value(holding, price)
    if not rules.auto_rebalance:
        return Side.NONE
    if compare_products(stock, PPM, rules.guardrail_high, value) > 0:
        return Side.SELL
    if compare_products(stock, PPM, rules.guardrail_low, value) < 0:
        return Side.BUY
    return Side.NONE


def raw_quantity(holding: Holding, rules: Rules, price: int, side: Side) -> int:
    """Micro-shares by the cell's sizing rule, one floor of the exact ratio."""
    value = total_value(holding, price)
    if rules.sizing == Sizing.ANCHOR_RATIO:
        return share_of_value(rules, holding.anchor, value, price)
    if rules.sizing == Sizing.PROPORTIONAL:
        return share_of_value(rules, abs(holding.anchor - price), value, price)
    if rules.sizing == Sizing.FIXED_PERCENTAGE:
        return fixed_percentage(holding, rules, price, side)
    return constant_mix(holding, rules, price, side, value)


def share_of_value(rules: Rules, amount: int, value: int, price: int) -> int:
    """r * (amount / price) of the value, in micro-shares at this price."""
    return muldiv_floor(amount, rules.rebalance_ratio, price, value, price)


def fixed_percentage(holding: Holding, rules: Rules, price: int, side: Side) -> int:
    """BUY a share of the free cash, SELL a share of the free shares."""
    if side == Side.BUY:
        return muldiv_floor(max(holding.cash - holding.reserved_cash, 0), rules.rebalance_ratio, price)
    return muldiv_floor(max(holding.shares - holding.reserved_shares, 0), rules.rebalance_ratio, PPM)


def constant_mix(holding: Holding, rules: Rules, price: int, side: Side, value: int) -> int:
    """The way to the target weight, never against the trigger."""
    if side == Side.BUY:
        return max(muldiv_floor(rules.target_weight, value, price) - holding.shares, 0)
    return max(holding.shares - muldiv_ceil(rules.target_weight, value, price), 0)
