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


def usually(*usual: int, or_from: int, to: int) -> st.SearchStrategy[int]:
    """One of the usual values as often as any other."""
    return st.one_of(st.sampled_from(usual), st.integers(or_from, to))


@st.composite
def any_rules(draw: st.DrawFn, worth: int = 10_000 * MICROS) -> Rules:
    """All sizings, both lots, both fee forms, guardrails from none to tight; minima that mostly suit the worth."""
    sizing = draw(st.sampled_from(Sizing))
    low = draw(usually(0, 0, 250_000, or_from=0, to=PPM - 1))
    high = draw(usually(PPM, max(750_000, low + 1), or_from=low + 1, to=PPM))
    minimum = st.one_of(st.sampled_from((0, MICROS)), spread(0, worth // 10))
    switch = st.integers(0, 1)
    return Rules(
        trigger_up=draw(usually(100, 30_000, or_from=100, to=500_000)),
        trigger_down=draw(usually(100, 30_000, or_from=100, to=500_000)),
        sizing=int(sizing),
        rebalance_ratio=draw(st.one_of(st.just(DEFAULT_RATIOS[sizing] or 1), spread(1, 2 * PPM))),
        target_weight=draw(st.integers(low, high)),
        guardrail_low=low,
        guardrail_high=high,
        max_trade=draw(usually(UNLIMITED, 50_000, or_from=1, to=PPM)),
        min_notional=draw(minimum),
        skip_when_short=draw(switch),
        commission_rate=draw(usually(0, 100, or_from=0, to=100_000)),
        commission_min=draw(minimum),
        market_buffer=draw(usually(0, 40_000, or_from=0, to=500_000)),
        max_orders_per_day=5,
        withholding=250_000,
        after_hours=0,
        lot=draw(st.sampled_from((1, MICROS))),
        auto_rebalance=draw(switch),
        reanchor_after_skip=draw(switch),
        limit_orders=draw(switch),
        limit_offset=draw(usually(0, or_from=0, to=100_000)),
        drift=2_000,
        max_quote_age=3_000,
        max_last_to_mid=10_000,
    )


@st.composite
def any_case(draw: st.DrawFn) -> tuple[Holding, Rules, int]:
    """A holding, its rules and a price: worth from nothing to the limit, the anchor most often near the price."""
    price = draw(st.one_of(st.integers(MICROS, 1_000 * MICROS), spread(MIN_PRICE, MAX_PRICE)))
    worth = draw(st.one_of(st.just(10_000 * MICROS), spread(price, MAX_AMOUNT), spread(0, MAX_AMOUNT)))
    weight = draw(usually(0, 500_000, 500_000, PPM, or_from=0, to=PPM))
    shares = min(worth * weight // PPM * MICROS // price, MAX_AMOUNT)
    shares -= draw(st.sampled_from((0, shares % MICROS)))
    rest = worth - worth * weight // PPM
    receivable = rest * draw(usually(0, 0, 20_000, or_from=0, to=PPM)) // PPM
    cash = rest - receivable
    factor = draw(usually(PPM, 900_000, 970_000, 1_030_000, 1_200_000, or_from=400_000, to=2_500_000))
    anchor = min(max(price * factor // PPM, 1), MAX_PRICE)
    reserved_cash = cash * draw(usually(0, 0, 0, or_from=0, to=PPM)) // PPM
    reserved_shares = shares * draw(usually(0, 0, 0, or_from=0, to=PPM)) // PPM
    holding = Holding(shares, cash, receivable, reserved_cash, reserved_shares, anchor)
    return holding, draw(any_rules(worth)), price
