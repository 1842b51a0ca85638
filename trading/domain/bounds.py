"""Where no order can be: bounds over a whole stretch of prices, cash or guardrails at once, sound and cheap.

Every bound is of an order's worth in micros, rounded away from the truth. What they leave out, the rule need not be
asked about; what they leave, it decides. Python's own integers: none of this is compiled, and nothing saturates.
"""

from typing import NamedTuple

from portfolios.domain.amounts import MAX_AMOUNT, MICROS, PPM
from portfolios.domain.holding import UNLIMITED, Holding, Rules, Sizing
from trading.domain.at_price import Ends, may_act_at
from trading.domain.choices import Side
from trading.domain.costs import reservation_price
from trading.domain.trims import Limit, holds

SLACK = 4
SQUARE = PPM * PPM


class Stretch(NamedTuple):
    """Inputs from one end to the other, inclusive; all but one are the same at both. Micros, guardrails in ppm."""

    price0: int
    price1: int
    cash0: int
    cash1: int
    low0: int
    low1: int
    high0: int
    high1: int


class Worth(NamedTuple):
    """What the cell is worth at the ends, micros: stock, and cash with what is receivable."""

    stock0: int
    stock1: int
    cash0: int
    cash1: int


class Size(NamedTuple):
    """At least and at most worth so much, micros; at most so many micro-shares."""

    least: int
    most: int
    shares: int = MAX_AMOUNT


def may_act(holding: Holding, rules: Rules, side: Side, over: Stretch) -> bool:
    """Whether anything in this stretch can bring an order. side: of the trigger that fires all over it, NONE for none.

    Where the cell is worth more than the limit or nothing, nothing is traded, so stock counts up to the limit only.
    """
    stock0 = holding.shares * over.price0 // MICROS
    stock1 = min(holding.shares * over.price1 // MICROS, MAX_AMOUNT)
    ends = Worth(stock0, stock1, over.cash0 + holding.receivable, over.cash1 + holding.receivable)
    if stock0 + max(ends.cash0, 0) > MAX_AMOUNT or stock1 + ends.cash1 <= 0:
        return False
    if side != Side.NONE:
        return fits(holding, rules, side, over, ends, wanted(holding, rules, side, over, ends))
    if not rules.auto_rebalance:
        return False
    if stock1 * PPM > over.high0 * (stock1 + ends.cash0):
        back = drift_back(rules, Side.SELL, over, ends)
        if fits(holding, rules, Side.SELL, over, ends, back):
            return True
    if stock0 * PPM < over.low1 * (stock0 + ends.cash1):
        back = drift_back(rules, Side.BUY, over, ends)
        exists = back.least * MICROS <= (MAX_AMOUNT - holding.shares) * over.price1
        return exists and fits(holding, rules, Side.BUY, over, ends, back)
    return False


def may_act_closely(holding: Holding, rules: Rules, side: Side, over: Stretch) -> bool:
    """The same for a stretch at one price, to the last micro-share; it costs what a decision costs."""
    poor, rich = holding._replace(cash=over.cash0), holding._replace(cash=over.cash1)
    near = rules._replace(guardrail_low=over.low1, guardrail_high=over.high0)
    far = rules._replace(guardrail_low=over.low0, guardrail_high=over.high1)
    return may_act_at(Ends(poor, rich, near, far, over.price0), side)


def fits(holding: Holding, rules: Rules, side: Side, over: Stretch, ends: Worth, size: Size) -> bool:
    """Whether what is wanted can pass every trim and still be worth an order."""
    room = guardrail(holding, rules, side, over, ends)
    least, most = min(size.least, room.least), min(size.most, room.most)
    quantity = size.shares
    if rules.max_trade != UNLIMITED:
        value = ends.stock1 + ends.cash1
        most = min(most, rules.max_trade * value // PPM + 1)
        least = min(least, rules.max_trade * (ends.stock0 + ends.cash0) // PPM - one_more(over))
        quantity = min(quantity, rules.max_trade * value // over.price0)
    if side == Side.BUY:
        there = affordable(holding, rules, over)
        if rules.skip_when_short and least > there.most:
            return False
        most = min(most, there.most)
        quantity = min(quantity, there.shares, MAX_AMOUNT - holding.shares)
    else:
        free = max(holding.shares - holding.reserved_shares, 0)
        if rules.skip_when_short and least * MICROS > free * over.price1:
            return False
        quantity = min(quantity, free)
        most = min(most, quantity * over.price1 // MICROS + 1)
        if rules.commission_min > most + max(over.cash1 - holding.reserved_cash, 0):
            return False
    quantity = min(quantity, most * MICROS // over.price0)
    quantity -= quantity % rules.lot
    if quantity <= 0 or most < rules.min_notional or quantity * over.price1 < rules.min_notional * MICROS:
        return False
    return over.price0 != over.price1 or stays_inside(holding, rules, side, over)


def stays_inside(holding: Holding, rules: Rules, side: Side, over: Stretch) -> bool:
    """At one price: whether even the smallest order worth its minimum stops before the guardrail, where most is left.

    More cash is room for a buy, less for a sale; the farther the guardrail, the more room.
    """
    price = over.price0
    smallest = max(-(-rules.min_notional * MICROS // price), 1)
    smallest += -smallest % rules.lot
    best = holding._replace(cash=over.cash1 if side == Side.BUY else over.cash0)
    wide = rules._replace(guardrail_low=over.low0, guardrail_high=over.high1)
    return holds(Limit.FAR_GUARDRAIL, best, wide, price, side, smallest)


def affordable(holding: Holding, rules: Rules, over: Stretch) -> Size:
    """The most a buy can be with this cash, head room and fee reserved too."""
    free = max(over.cash1 - holding.reserved_cash, 0)
    cost = reservation_price(rules, over.price0)
    room = rules.limit_offset if rules.limit_orders else rules.market_buffer
    beside = max(free - rules.commission_min, 0)
    shares = min(beside * MICROS // cost, free * MICROS * PPM // (cost * (PPM + rules.commission_rate)))
    most = min(beside, free * PPM // (PPM + rules.commission_rate) + 1)
    return Size(0, most * PPM // (PPM + room) + SLACK, shares)


def guardrail(holding: Holding, rules: Rules, side: Side, over: Stretch, ends: Worth) -> Size:
    """Room up to the guardrail ahead: largest where the stretch leaves most, smallest where it leaves least."""
    if side == Side.BUY:
        most = over.high1 * (ends.stock0 + ends.cash1 + SLACK) // PPM - ends.stock0
        least = over.high0 * (ends.stock1 + ends.cash0 - SLACK) // PPM - ends.stock1
        limit = (MAX_AMOUNT - holding.shares) * over.price0 // MICROS
        return Size(
            min(fee_paid(rules, over.high0, least), limit) - one_more(over), fee_paid(rules, over.high0, most) + SLACK
        )
    most = ends.stock1 - over.low0 * (ends.stock1 + ends.cash0 - SLACK) // PPM
    least = ends.stock0 - over.low1 * (ends.stock0 + ends.cash1 + SLACK) // PPM
    return Size(least - one_more(over), min(fee_won(rules, over.low1, most) + SLACK, ends.stock1 + 1))


def drift_back(rules: Rules, side: Side, over: Stretch, ends: Worth) -> Size:
    """What leads back to the guardrail drifted over, up to a lot more or less."""
    lot = rules.lot * over.price1 // MICROS + 1
    if side == Side.SELL:
        most = ends.stock1 - over.high0 * (ends.stock1 + ends.cash0 - SLACK) // PPM
        least = ends.stock0 - over.high1 * (ends.stock0 + ends.cash1 + SLACK) // PPM
        return Size(least - lot - SLACK, fee_won(rules, over.high1, most) + lot + SLACK)
    most = over.low1 * (ends.stock0 + ends.cash1 + SLACK) // PPM - ends.stock0
    least = over.low0 * (ends.stock1 + ends.cash0 - SLACK) // PPM - ends.stock1
    return Size(fee_paid(rules, over.low1, least) - lot - SLACK, most + lot + SLACK)


def fee_paid(rules: Rules, bound: int, worth: int) -> int:
    """The fee lowers the value that the bound is a part of: a buy comes to its bound with less."""
    parts = worth * SQUARE // (SQUARE + bound * rules.commission_rate) if worth > 0 else worth
    return min(parts, worth - bound * rules.commission_min // PPM)


def fee_won(rules: Rules, bound: int, worth: int) -> int:
    """The same for a sale, which comes to its bound with more."""
    parts = (worth + 1) * SQUARE // (SQUARE - bound * rules.commission_rate) + 1 if worth > 0 else worth
    return max(parts, worth + bound * rules.commission_min // PPM + 1)


def wanted(holding: Holding, rules: Rules, side: Side, over: Stretch, ends: Worth) -> Size:
    """What the sizing asks for, before any trim."""
    if rules.sizing == Sizing.ANCHOR_RATIO:
        return anchor_ratio(holding, rules, over, ends)
    if rules.sizing == Sizing.PROPORTIONAL:
        return proportional(holding, rules, side, over, ends)
    if rules.sizing == Sizing.FIXED_PERCENTAGE:
        return fixed_percentage(holding, rules, side, over)
    return constant_mix(holding, rules, side, over, ends)


def anchor_ratio(holding: Holding, rules: Rules, over: Stretch, ends: Worth) -> Size:
    """anchor * r * (S + C/p): falls as the price rises, as long as there is cash."""
    at_least = over.price1 if ends.cash0 >= 1 else over.price0
    rate = holding.anchor * rules.rebalance_ratio
    price, value = most_per_price(holding, over, ends)
    least = rate * (holding.shares * at_least + MICROS * (ends.cash0 - 1)) // (at_least * SQUARE)
    return Size(least - one_more(over), rate * value // (price * PPM) + 1, rate * value // (price * price))


def proportional(holding: Holding, rules: Rules, side: Side, over: Stretch, ends: Worth) -> Size:
    """|anchor - p| / p * r * V: the farther from the anchor, the more; a buy, the cheaper, as long as there is cash."""
    rate, anchor = rules.rebalance_ratio, holding.anchor
    price, value = most_per_price(holding, over, ends)
    most_value, least_value = ends.stock1 + ends.cash1, max(ends.stock0 + ends.cash0, 0)
    far, near = over.price1, over.price0
    if side == Side.BUY:
        far, near = near, far
        most_value = value if ends.cash1 >= 0 else most_value
        if ends.cash0 >= 1:
            least_value = ends.stock1 - 1 + ends.cash0
    most = abs(far - anchor) * rate * most_value // (far * PPM) + 1
    least = abs(near - anchor) * rate * least_value // (near * PPM)
    return Size(least - one_more(over), most, abs(far - anchor) * rate * value // (far * price))


def fixed_percentage(holding: Holding, rules: Rules, side: Side, over: Stretch) -> Size:
    rate = rules.rebalance_ratio
    if side == Side.BUY:
        least, most = (max(cash - holding.reserved_cash, 0) * rate for cash in (over.cash0, over.cash1))
        return Size(least // PPM - one_more(over), most // PPM + 1, most // over.price0)
    shares = max(holding.shares - holding.reserved_shares, 0) * rate // PPM
    return Size(shares * over.price0 // MICROS, shares * over.price1 // MICROS + 1, shares)


def constant_mix(holding: Holding, rules: Rules, side: Side, over: Stretch, ends: Worth) -> Size:
    """The way to the target weight: of a buy w*V - A, of a sale A - w*V."""
    weight = rules.target_weight
    if side == Side.BUY:
        price, value = most_per_price(holding, over, ends)
        most = weight * (ends.stock0 + ends.cash1 + 1) // PPM + 1 - ends.stock0
        least = weight * (ends.stock1 + ends.cash0 - 1) // PPM - ends.stock1
        return Size(least - one_more(over), most + SLACK, weight * value // price - holding.shares)
    price, value = over.price1, ends.stock0 + ends.cash0
    if over.price0 != over.price1:
        price = over.price1 if ends.cash0 >= 1 else over.price0
        value = holding.shares * price // MICROS + ends.cash0 - 1
    most = ends.stock1 - weight * (ends.stock1 + ends.cash0 - 1) // PPM
    least = ends.stock0 - weight * (ends.stock0 + ends.cash1 + 1) // PPM
    return Size(least - one_more(over), most + SLACK, holding.shares - max(weight * value // price, 0))


def most_per_price(holding: Holding, over: Stretch, ends: Worth) -> tuple[int, int]:
    """The price at which V/p is largest, and V there: with cash at the lower end."""
    if over.price0 == over.price1:
        return over.price0, ends.stock0 + ends.cash1
    price = over.price0 if ends.cash1 >= 0 else over.price1
    return price, holding.shares * price // MICROS + 1 + ends.cash1


def one_more(over: Stretch) -> int:
    """What flooring a quantity can take from its worth."""
    return over.price1 // MICROS + 2 + SLACK
