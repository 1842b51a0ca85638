"""What settings come to, in sentences: the band, the size of a trade, the room for stock, the fee. Pure."""

from portfolios.domain.amounts import MICROS, PPM
from portfolios.domain.exact import muldiv_floor
from portfolios.domain.holding import Holding, Rules, Sizing, total_value
from reporting.reading import money, money_down, money_up, percent
from trading.domain.costs import fee_of
from trading.domain.explanation import stock_share
from trading.domain.ladder import trigger_edges

EXAMPLE = Holding(0, 0, 0, 0, 0, 100 * MICROS)


def effects_of(rules: Rules, holding: Holding | None, price: int) -> list[str]:
    """For a cell at a price (0: unknown), or for any cell of a portfolio."""
    value = total_value(holding, price) if holding and price else 0
    told = [band_told(rules, holding), size_told(rules, value), room_told(rules, holding, price)]
    typical = muldiv_floor(value, per_trigger(rules), PPM)
    if value and per_trigger(rules) and typical < rules.min_notional:
        told.append(f"Too small: below {money(rules.min_notional)} nothing is traded, so this cell may never trade.")
    return [*told, fee_told(rules)]


def band_told(rules: Rules, holding: Holding | None) -> str:
    edges = trigger_edges(holding if holding and holding.anchor else EXAMPLE, rules)
    if edges is None:
        return ""
    if holding and holding.anchor:
        return f"Your band: {money_down(edges.buy)} to {money_up(edges.sell)}, around {money(holding.anchor)}."
    return f"A cell anchored at $100.00 buys at {money_down(edges.buy)} and sells at {money_up(edges.sell)}."


def size_told(rules: Rules, value: int) -> str:
    if rules.sizing == Sizing.FIXED_PERCENTAGE:
        ratio = percent(rules.rebalance_ratio)
        return f"{ratio} of the free cash per buy, {ratio} of the shares per sale."
    if rules.sizing == Sizing.CONSTANT_MIX:
        return f"Back to {percent(rules.target_weight)} stock at each trigger."
    now = f", {money(muldiv_floor(value, per_trigger(rules), PPM))} now" if value else ""
    return f"About {percent(per_trigger(rules))} of the cell per trigger{now}."


def per_trigger(rules: Rules) -> int:
    """The part of the cell's value that a trigger trades (ppm), where the sizing says so; else 0."""
    if rules.sizing == Sizing.ANCHOR_RATIO:
        return rules.rebalance_ratio
    if rules.sizing == Sizing.PROPORTIONAL:
        return muldiv_floor(rules.rebalance_ratio, max(rules.trigger_up, rules.trigger_down), PPM)
    return 0


def room_told(rules: Rules, holding: Holding | None, price: int) -> str:
    room = f"Stock stays from {percent(rules.guardrail_low)} to {percent(rules.guardrail_high)} of the cell"
    return f"{room}; it is {percent(stock_share(holding, price))} now." if holding and price else f"{room}."


def fee_told(rules: Rules) -> str:
    return f"An order of $1,000.00 pays {money(fee_of(rules, 1_000 * MICROS))}."
