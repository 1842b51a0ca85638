"""What an order costs: notional, fee, what is reserved for it, and the running totals of its fills."""

from typing import NamedTuple

from portfolios.domain.amounts import MAX_AMOUNT, MICROS, PPM
from portfolios.domain.exact import muldiv_ceil, muldiv_floor
from portfolios.domain.holding import Rules
from trading.domain.choices import Side

OURS = -1


class Filled(NamedTuple):
    """Running totals of one order. The exact sum of quantity*price is gross + rest/1e6 micros, 0 <= rest < 1e6."""

    quantity: int
    gross: int
    rest: int
    notional: int
    fee: int


UNFILLED = Filled(0, 0, 0, 0, 0)


def notional_of(side: Side, quantity: int, price: int) -> int:
    """A buyer pays up to the next micro, a seller receives down to the last one."""
    if side == Side.BUY:
        return min(muldiv_ceil(quantity, price, MICROS), MAX_AMOUNT + 1)
    return min(muldiv_floor(quantity, price, MICROS), MAX_AMOUNT + 1)


def fee_of(rules: Rules, notional: int) -> int:
    """The whole order's fee, the minimum included however little it trades."""
    return max(rules.commission_min, muldiv_ceil(notional, rules.commission_rate, PPM))


def limit_price(rules: Rules, side: Side, price: int) -> int:
    """p*(1 + offset) for a buy, rounded up; p*(1 - offset) for a sell, rounded down."""
    if side == Side.BUY:
        return muldiv_ceil(price, PPM + rules.limit_offset, PPM)
    return muldiv_floor(price, PPM - rules.limit_offset, PPM)


def reservation_price(rules: Rules, price: int) -> int:
    """What a buy may cost a share: its limit, or the market with head room."""
    if rules.limit_orders:
        return limit_price(rules, Side.BUY, price)
    return muldiv_ceil(price, PPM + rules.market_buffer, PPM)


def fill_price(side: Side, price: int, slippage: int, limit: int) -> int:
    """The price of a fill at a market with this much slippage (ppm), never worse than the limit (0: none).

    0 while the limit is not met.
    """
    if side == Side.BUY:
        worse = muldiv_ceil(price, PPM + slippage, PPM)
        if limit == 0:
            return worse
        return min(worse, limit) if price <= limit else 0
    worse = muldiv_floor(price, PPM - slippage, PPM)
    if limit == 0:
        return worse
    return max(worse, limit) if price >= limit else 0


def cash_to_reserve(rules: Rules, quantity: int, price: int) -> int:
    """Cash promised to a buy at this reservation price: notional and whole fee. The cash trim asks the same."""
    notional = notional_of(Side.BUY, quantity, price)
    return notional + fee_of(rules, notional)


def add_fill(rules: Rules, side: Side, filled: Filled, quantity: int, price: int, reported_fee: int) -> Filled:
    """Totals after one more fill; what it books is the difference, so parts cost what the whole costs.

    reported_fee is the broker's fee for this fill, or OURS to charge by the rules.
    """
    rest = filled.rest + (quantity % MICROS) * (price % MICROS) % MICROS
    gross = filled.gross + muldiv_floor(quantity, price, MICROS) + rest // MICROS
    rest = rest % MICROS
    notional = gross
    if side == Side.BUY and rest > 0:
        notional = gross + 1
    fee = filled.fee + reported_fee
    if reported_fee == OURS:
        fee = max(filled.fee, fee_of(rules, notional))
    return Filled(filled.quantity + quantity, gross, rest, notional, fee)


def average_price(filled: Filled) -> int:
    """floor(sum(q*p) / sum(q)); the remainder is carried exactly."""
    whole = muldiv_floor(filled.gross, MICROS, filled.quantity)
    remainder = filled.gross * MICROS - whole * filled.quantity
    return whole + (remainder + filled.rest) // filled.quantity
