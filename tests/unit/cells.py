"""Cells to test the rule with: some written by hand as people write them, some drawn up to the limits."""

from typing import Any

from hypothesis import strategies as st

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE, MICROS, MIN_PRICE, PPM, micros
from portfolios.domain.holding import UNLIMITED, Holding, Rules, Sizing
from portfolios.domain.settings import DEFAULT_RATIOS, merge_settings, parse_settings, rules_from
from trading.domain.choices import Side


def cell(shares: str = "0", cash: str = "0", anchor: str = "0", **more: str) -> Holding:
    """A holding in plain numbers: cell("100", "10000", "100", receivable="50")."""
    rest = [micros(more.get(name, "0")) for name in ("receivable", "reserved_cash", "reserved_shares")]
    return Holding(micros(shares), micros(cash), *rest, micros(anchor))


def rules(**settings: Any) -> Rules:
    return rules_from(merge_settings(parse_settings(settings)), default_buffer=0)


def traded(holding: Holding, rules: Rules, side: Side, quantity: int, price: int) -> Holding:
    """The holding after the whole order filled at this price with its whole fee: written apart from the rule."""
    if side == Side.BUY:
        notional = -(-quantity * price // MICROS)
        signed = quantity
    else:
        notional = quantity * price // MICROS
        signed = -quantity
    fee = max(rules.commission_min, -(-notional * rules.commission_rate // PPM))
    paid = notional if side == Side.BUY else -notional
    return holding._replace(shares=holding.shares + signed, cash=holding.cash - paid - fee)


def stock_and_value(holding: Holding, price: int) -> tuple[int, int]:
    stock = holding.shares * price // MICROS
    return stock, stock + holding.cash + holding.receivable


def spread(low: int, high: int) -> st.SearchStrategy[int]:
    """Integers from low to high, as often small as large."""
    bits = st.integers(low.bit_length(), high.bit_length())
    return bits.flatmap(lambda count: st.integers(low, max(low, min(high, 2**count))))


def rate(low: int, high: int, *usual: int) -> st.SearchStrategy[int]:
    return st.one_of(st.sampled_from(usual), st.integers(low, high))


@st.composite
def any_rules(draw: st.DrawFn) -> Rules:
    """All sizings, both lots, both fee forms, guardrails from anything to nothing."""
    sizing = draw(st.sampled_from(Sizing))
    low = draw(rate(0, PPM - 1, 250_000, 0))
    high = draw(rate(low + 1, PPM, PPM, max(750_000, low + 1)))
    switch = st.integers(0, 1)
    return Rules(
        trigger_up=draw(rate(100, 500_000, 30_000, 100)),
        trigger_down=draw(rate(100, 500_000, 30_000, 100)),
        sizing=int(sizing),
        rebalance_ratio=draw(rate(1, 2 * PPM, DEFAULT_RATIOS[sizing] or 1)),
        target_weight=draw(st.integers(low, high)),
        guardrail_low=low,
        guardrail_high=high,
        max_trade=draw(rate(1, PPM, UNLIMITED, 50_000)),
        min_notional=draw(st.one_of(st.just(0), st.just(100 * MICROS), spread(0, MAX_AMOUNT))),
        skip_when_short=draw(switch),
        commission_rate=draw(rate(0, 100_000, 100, 0)),
        commission_min=draw(st.one_of(st.just(0), st.just(MICROS), spread(0, MAX_AMOUNT))),
        market_buffer=draw(rate(0, 500_000, 0, 40_000)),
        max_orders_per_day=5,
        withholding=250_000,
        after_hours=0,
        lot=draw(st.sampled_from((1, MICROS))),
        auto_rebalance=draw(switch),
        reanchor_after_skip=draw(switch),
        limit_orders=draw(switch),
        limit_offset=draw(rate(0, 100_000, 0)),
        drift=2_000,
        max_quote_age=3_000,
        max_last_to_mid=10_000,
    )


@st.composite
def any_cell(draw: st.DrawFn) -> tuple[Holding, int]:
    """A holding and a price, from one dollar's worth to the limit, the anchor most often near the price."""
    price = draw(st.one_of(st.integers(MICROS, 1_000 * MICROS), spread(MIN_PRICE, MAX_PRICE)))
    worth = draw(st.one_of(spread(0, MAX_AMOUNT), st.just(10_000 * MICROS)))
    weight = draw(rate(0, PPM, 0, 500_000, PPM))
    shares = min(worth * weight // PPM * MICROS // price, MAX_AMOUNT)
    shares -= draw(st.sampled_from((0, shares % MICROS)))
    rest = worth - worth * weight // PPM
    receivable = rest * draw(rate(0, PPM, 0, 20_000)) // PPM
    cash = rest - receivable
    factor = draw(rate(400_000, 2_500_000, PPM, 970_000, 1_030_000))
    anchor = min(max(price * factor // PPM, 1), MAX_PRICE)
    reserved_cash = cash * draw(rate(0, PPM, 0)) // PPM
    reserved_shares = shares * draw(rate(0, PPM, 0)) // PPM
    return Holding(shares, cash, receivable, reserved_cash, reserved_shares, anchor), price
