"""The next orders each way from a holding: where the rule acts next, what it does there, and what that leaves."""

from typing import NamedTuple

from portfolios.domain.amounts import MAX_PRICE, MIN_PRICE
from portfolios.domain.holding import Holding, Rules, effective_cash
from trading.domain import band, drift
from trading.domain.choices import OPEN, Decision, Reason, Side
from trading.domain.decision import decide
from trading.domain.drift import NOWHERE
from trading.domain.explanation import after_trade, stock_share, trims_of

UNKNOWN = 0


class Edges(NamedTuple):
    """The prices at which the triggers fire, both inclusive, in micros."""

    buy: int
    sell: int


class Rung(NamedTuple):
    """One order of a side. holding_after: filled at `price`, fee paid, anchor moved there; shares of something in ppm.

    fired: the price is there already. ends: why the ladder goes no further (the reason of the skip), else NONE.
    """

    side: Side
    price: int
    decision: Decision
    fired: bool
    holding_after: Holding
    stock_share_after: int
    ends: Reason


class Ladder(NamedTuple):
    """Buys downwards, sells upwards, the nearest first; empty where no price there can be brings an order."""

    buys: tuple[Rung, ...]
    sells: tuple[Rung, ...]


def ladder(holding: Holding, rules: Rules, price: int | None, rungs: int) -> Ladder:
    """At most `rungs` orders each way from today's price in micros (None: unknown, the anchor stands in for it)."""
    return Ladder(
        one_way(holding, rules, Side.BUY, price, rungs),
        one_way(holding, rules, Side.SELL, price, rungs),
    )


def next_rung(holding: Holding, rules: Rules, side: Side, price: int | None) -> Rung | None:
    """The next action on one side; None while there is no anchor, or where no price brings one."""
    at = next_price(holding, rules, side, UNKNOWN if price is None else price)
    if at == NOWHERE:
        return None
    decision = decide(holding, rules, at, OPEN)
    left = after_fill(holding, decision, at)
    ends = Reason.NONE if decision.quantity else decision.reason
    return Rung(side, at, decision, at == price, left, stock_share(left, at), ends)


def one_way(holding: Holding, rules: Rules, side: Side, price: int | None, rungs: int) -> tuple[Rung, ...]:
    found: list[Rung] = []
    while len(found) < rungs:
        rung = next_rung(holding, rules, side, price)
        if rung is None:
            break
        found.append(rung)
        if rung.ends:
            break
        holding, price = rung.holding_after, rung.price
    return tuple(found)


def bitten_by(rungs: tuple[Rung, ...], *names: str) -> Rung | None:
    """The first rung that one of these trims cuts or ends: a guardrail ahead, or cash and shares running out."""
    for rung in rungs:
        cuts = {trim.name for trim in trims_of(rung.decision)}
        if rung.ends.name.lower() in names or cuts.intersection(names):
            return rung
    return None


def trigger_edges(holding: Holding, rules: Rules) -> Edges | None:
    """None while there is no anchor to measure from."""
    if holding.anchor == 0:
        return None
    return Edges(*band.trigger_edges(holding, rules))


def after_fill(holding: Holding, decision: Decision, price: int) -> Holding:
    """Once the decision's order has filled at this price: traded, fee paid, anchored there; as it was without one."""
    if decision.quantity == 0:
        return holding
    left = after_trade(holding, decision, price)
    return Holding(left.shares, left.cash, left.receivable, left.reserved_cash, left.reserved_shares, price)


def next_price(holding: Holding, rules: Rules, side: Side, price: int) -> int:
    """Where the rule acts next on this side as the price moves its way: today's price, a drift edge or the trigger's.

    A fired trigger counts although its size may be skipped; a drift only where it is worth an order. NOWHERE: never.
    """
    if holding.anchor == 0:
        return NOWHERE
    today = price if price != UNKNOWN else holding.anchor
    edges = band.trigger_edges(holding, rules)
    edge = edges.below if side == Side.BUY else edges.above
    if (side == Side.BUY and today <= edge) or (side == Side.SELL and today >= edge):
        return today
    drifted = drift_price(holding, rules, side, today, edges)
    if drifted != NOWHERE:
        return drifted
    return edge if MIN_PRICE <= edge <= MAX_PRICE else NOWHERE


def drift_price(holding: Holding, rules: Rules, side: Side, today: int, edges: band.Band) -> int:
    """The first price from today's to just before the trigger's edge at which drift alone is worth an order."""
    if not rules.auto_rebalance:
        return NOWHERE
    near, deep = drift_span(holding, rules, side, today, edges)
    return drift.first_price(holding, rules, side, near, deep)


def drift_span(holding: Holding, rules: Rules, side: Side, today: int, edges: band.Band) -> tuple[int, int]:
    """Where the stock share is outside its guardrail and neither trigger fires: the near end and the far one."""
    cash = max(effective_cash(holding), 0)
    if side == Side.SELL:
        drifted = band.drift_above(holding.shares, cash, rules.guardrail_high)
        return max(drifted, today, edges.below + 1), min(edges.above - 1, MAX_PRICE)
    drifted = today  # without shares it is outside at every price
    if holding.shares or not rules.guardrail_low:
        drifted = band.drift_below(holding.shares, cash, rules.guardrail_low)
    return min(drifted, today, edges.above - 1), max(edges.below + 1, MIN_PRICE)
