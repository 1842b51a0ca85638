"""What a cell holds and the rules it lives by, as plain integers (millionths; rates in parts per million)."""

from enum import IntEnum
from math import lcm
from typing import NamedTuple

from portfolios.domain.amounts import MAX_AMOUNT, MICROS
from portfolios.domain.exact import muldiv_floor

UNLIMITED = -1


class Sizing(IntEnum):
    ANCHOR_RATIO = 1
    PROPORTIONAL = 2
    FIXED_PERCENTAGE = 3
    CONSTANT_MIX = 4


class Holding(NamedTuple):
    """All in millionths. anchor is 0 while absent; reserved_* is promised to the open order."""

    shares: int
    cash: int
    receivable: int
    reserved_cash: int
    reserved_shares: int
    anchor: int


class Rules(NamedTuple):
    """Merged settings. Rates in ppm, amounts in millionths, switches 0 or 1, ages in milliseconds."""

    trigger_up: int
    trigger_down: int
    sizing: int
    rebalance_ratio: int
    target_weight: int
    guardrail_low: int
    guardrail_high: int
    max_trade: int  # UNLIMITED for none
    min_notional: int
    skip_when_short: int
    commission_rate: int
    commission_min: int
    market_buffer: int
    max_orders_per_day: int
    withholding: int
    after_hours: int
    lot: int
    auto_rebalance: int
    reanchor_after_skip: int
    limit_orders: int
    limit_offset: int
    drift: int
    max_quote_age: int
    max_last_to_mid: int


def in_lots(rules: Rules, lot: int) -> Rules:
    """The rules of a cell whose orders must be multiples of this lot too (micros; it divides a whole share)."""
    return rules if rules.lot % lot == 0 else rules._replace(lot=lcm(rules.lot, lot))


def effective_cash(holding: Holding) -> int:
    """Settled cash plus dividends gone ex: counts for size and guardrails, only the settled part can be spent."""
    return holding.cash + holding.receivable


def value_of(shares: int, price: int) -> int:
    """floor(shares * price), at most one above the limit: beyond it the exact figure decides nothing."""
    return min(muldiv_floor(shares, price, MICROS), MAX_AMOUNT + 1)


def total_value(holding: Holding, price: int) -> int:
    return value_of(holding.shares, price) + effective_cash(holding)
