"""What a cell would do next on each side, and at which price: the rule itself, asked at the edge."""

from typing import NamedTuple

from portfolios.domain.holding import Holding, Rules
from trading.domain import band
from trading.domain.choices import OPEN, Action, Decision, Side
from trading.domain.decision import decide
from trading.domain.explanation import after_trade, stock_share


class Edges(NamedTuple):
    """The prices at which the triggers fire, both inclusive, in micros."""

    buy: int
    sell: int


class Prospect(NamedTuple):
    """price in micros, share_after in ppm. The decision says how much or why nothing; fired: the price is there now."""

    side: Side
    price: int
    decision: Decision
    share_after: int
    fired: bool


def trigger_edges(holding: Holding, rules: Rules) -> Edges | None:
    """None while there is no anchor to measure from."""
    if holding.anchor == 0:
        return None
    return Edges(*band.trigger_edges(holding, rules))


def prospect(holding: Holding, rules: Rules, side: Side, price: int | None) -> Prospect | None:
    """The next action on one side, at its edge or at today's price beyond it; None while there is no anchor.

    Drift over a guardrail may come before the trigger, where it is worth an order.
    """
    edges = trigger_edges(holding, rules)
    if edges is None:
        return None
    asleep = band.wake_band(holding, rules)
    nearer = edges if asleep == band.AWAKE else asleep
    drift = prospect_at(holding, rules, side, nearer[0] if side == Side.BUY else nearer[1], price)
    if drift.decision.action in (Action.BUY, Action.SELL):
        return drift
    return prospect_at(holding, rules, side, edges.buy if side == Side.BUY else edges.sell, price)


def prospect_at(holding: Holding, rules: Rules, side: Side, edge: int, price: int | None) -> Prospect:
    at = edge
    if price is not None:
        at = min(edge, price) if side == Side.BUY else max(edge, price)
    decision = decide(holding, rules, at, OPEN)
    return Prospect(side, at, decision, stock_share(after_trade(holding, decision, at), at), at == price)
