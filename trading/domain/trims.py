"""How much of a wanted quantity is allowed: exact searches for guardrails, cash and drift, from a real-valued guess."""

from enum import IntEnum

from portfolios.domain.amounts import MAX_AMOUNT, MICROS, PPM
from portfolios.domain.exact import LARGEST, compare_products, muldiv_ceil, muldiv_floor
from portfolios.domain.holding import UNLIMITED, Holding, Rules, effective_cash, total_value, value_of
from trading.domain.choices import Side
from trading.domain.costs import cash_to_reserve, fee_of, notional_of, reservation_price


class Limit(IntEnum):
    """A question about a quantity whose answer, as the quantity grows, turns from yes to no once."""

    FAR_GUARDRAIL = 1  # does the trade stop before the guardrail ahead of it?
    NEAR_GUARDRAIL = 2  # is the cell still outside the guardrail it drifted over?
    CASH = 3  # can the buy be reserved?


def max_trade_room(rules: Rules, value: int, price: int) -> int:
    """The largest q with q*p <= max_trade*V."""
    if rules.max_trade == UNLIMITED:
        return LARGEST
    return muldiv_floor(rules.max_trade, value, price)


def guardrail_room(holding: Holding, rules: Rules, price: int, side: Side, quantity: int) -> int:
    """The largest q <= quantity after which the stock share, whole fee paid, has not passed the guardrail ahead."""
    most, bound = min(quantity, holding.shares), rules.guardrail_low
    if side == Side.BUY:
        most, bound = min(quantity, MAX_AMOUNT - holding.shares), rules.guardrail_high
    if most > 0 and holds(Limit.FAR_GUARDRAIL, holding, rules, price, side, most):
        return most
    guess = quantity_towards(holding, rules, price, side, bound)
    return largest_multiple(Limit.FAR_GUARDRAIL, holding, rules, price, side, 1, most, guess)


def cash_room(holding: Holding, rules: Rules, price: int, quantity: int) -> int:
    """The largest buy <= quantity that the free settled cash can be reserved for."""
    if quantity > 0 and holds(Limit.CASH, holding, rules, price, Side.BUY, quantity):
        return quantity
    free = max(holding.cash - holding.reserved_cash, 0)
    cost = reservation_price(rules, price)
    guess = muldiv_floor(free, MICROS, cost, PPM, PPM + rules.commission_rate)
    return largest_multiple(Limit.CASH, holding, rules, price, Side.BUY, 1, quantity, guess)


def fee_is_covered(holding: Holding, rules: Rules, price: int, quantity: int) -> bool:
    """Whether a sale's proceeds and the free settled cash pay its fee: with a minimum fee, a small sale may not."""
    proceeds = notional_of(Side.SELL, quantity, price)
    return fee_of(rules, proceeds) <= proceeds + max(holding.cash - holding.reserved_cash, 0)


def drift_quantity(holding: Holding, rules: Rules, price: int, side: Side) -> int:
    """The smallest multiple of the lot that leads back to the guardrail drifted over, one less if it passes the other.

    0 when no quantity leads back.
    """
    most = holding.shares
    bound = rules.guardrail_high
    if side == Side.BUY:
        affordable = min(muldiv_ceil(total_value(holding, price), MICROS, price), MAX_AMOUNT)
        most = min(MAX_AMOUNT - holding.shares, affordable + rules.lot)
        bound = rules.guardrail_low
    guess = quantity_towards(holding, rules, price, side, bound)
    outside = largest_multiple(Limit.NEAR_GUARDRAIL, holding, rules, price, side, rules.lot, most, guess)
    wanted = outside + rules.lot
    if wanted > most:
        return 0
    if not holds(Limit.FAR_GUARDRAIL, holding, rules, price, side, wanted):
        return outside
    return wanted


def quantity_towards(holding: Holding, rules: Rules, price: int, side: Side, bound: int) -> int:
    """The real-valued quantity at which the stock share meets the bound, floored: only a first guess."""
    stock, target = value_of(holding.shares, price), muldiv_floor(bound, total_value(holding, price), PPM)
    if side == Side.BUY:
        weight = PPM * PPM + bound * rules.commission_rate
        return muldiv_floor(max(target - stock, 0), MICROS, price, PPM * PPM, weight)
    weight = PPM * PPM - bound * rules.commission_rate
    return muldiv_floor(max(stock - target, 0), MICROS, price, PPM * PPM, weight)


def largest_multiple(
    limit: Limit, holding: Holding, rules: Rules, price: int, side: Side, unit: int, most: int, guess: int
) -> int:
    """The largest multiple of unit, at most `most`, for which the limit holds; 0 if none does.

    Gallops away from the guess, then bisects: right whatever the guess, quick when it is near.
    """
    yes, no = 0, most // unit + 1
    probe, stride = max(min(guess, most) // unit, 1), 1
    while no - yes > 1:
        if probe <= yes or probe >= no:
            probe = yes + (no - yes) // 2
        if holds(limit, holding, rules, price, side, probe * unit):
            yes = probe
            probe = probe + stride
        else:
            no = probe
            probe = probe - stride
        stride = min(stride * 2, MAX_AMOUNT)
    return yes * unit


def holds(limit: Limit, holding: Holding, rules: Rules, price: int, side: Side, quantity: int) -> bool:
    """Whether the limit's answer is still yes for this quantity (> 0)."""
    if limit == Limit.CASH:
        cost = cash_to_reserve(rules, quantity, reservation_price(rules, price))
        return cost <= holding.cash - holding.reserved_cash
    notional = notional_of(side, quantity, price)
    if side == Side.BUY:
        stock = value_of(holding.shares + quantity, price)
        value = stock + effective_cash(holding) - notional - fee_of(rules, notional)
        if limit == Limit.FAR_GUARDRAIL:
            return compare_products(stock, PPM, rules.guardrail_high, value) <= 0
        return compare_products(stock, PPM, rules.guardrail_low, value) < 0
    stock = value_of(holding.shares - quantity, price)
    value = stock + effective_cash(holding) + notional - fee_of(rules, notional)
    if limit == Limit.FAR_GUARDRAIL:
        return compare_products(stock, PPM, rules.guardrail_low, value) >= 0
    return compare_products(stock, PPM, rules.guardrail_high, value) > 0
