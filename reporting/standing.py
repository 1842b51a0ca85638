"""Where a cell stands at a price: its worth, its stock share, and how near it is to a trigger. Pure."""

from typing import NamedTuple

from portfolios.domain.amounts import PPM
from portfolios.domain.exact import muldiv_floor
from portfolios.domain.holding import Holding, Rules, total_value, value_of
from trading.domain.choices import Side
from trading.domain.explanation import stock_share
from trading.domain.ladder import Edges, next_price, trigger_edges


class Standing(NamedTuple):
    """Amounts in micros, shares of something in ppm. distance, to the nearest price at which the rule acts,
    is None where it cannot: no anchor, not active.

    today: what the last session's close has become, without the owner's own money. alone: the worth left alone.
    """

    price: int
    value: int
    stock: int
    stock_share: int
    edges: Edges | None
    nearest: Side
    distance: int | None
    today: int
    alone: int

    @property
    def change(self) -> int:
        return self.value - self.alone

    @property
    def change_ppm(self) -> int | None:
        return ratio_ppm(self.change, self.alone)


def standing_of(holding: Holding, rules: Rules, price: int, *, active: bool, today: int, alone: int) -> Standing:
    value, stock = total_value(holding, price), value_of(holding.shares, price)
    edges = trigger_edges(holding, rules)
    nearest, distance = Side.NONE, None
    if edges and active:
        nearest, distance = nearest_edge(next_prices(holding, rules, edges, price), price)
    return Standing(price, value, stock, stock_share(holding, price), edges, nearest, distance, today, alone)


def next_prices(holding: Holding, rules: Rules, edges: Edges, price: int) -> Edges:
    """Where the rule acts next on each side: at the trigger, or before it where drift alone is worth an order.

    The search is for those few cells that meet a guardrail between their triggers: a page asks this of all cells.
    """
    meets_low = stock_share(holding, edges.buy) < rules.guardrail_low
    meets_high = stock_share(holding, edges.sell) >= rules.guardrail_high
    if not rules.auto_rebalance or not (meets_low or meets_high):
        return edges
    buy, sell = (next_price(holding, rules, side, price) for side in (Side.BUY, Side.SELL))
    return Edges(buy or edges.buy, sell or edges.sell)


def nearest_edge(edges: Edges, price: int) -> tuple[Side, int]:
    """The one that is fewer per cent away, and how many (ppm of the price); 0 once it is reached."""
    down, up = max(price - edges.buy, 0), max(edges.sell - price, 0)
    if down < up:
        return Side.BUY, muldiv_floor(down, PPM, price)
    return Side.SELL, muldiv_floor(up, PPM, price)


def ratio_ppm(part: int, whole: int) -> int | None:
    """part / whole in ppm, None where there is no whole."""
    return part * PPM // whole if whole > 0 else None
