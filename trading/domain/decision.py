"""Decide what one cell should do at one price. Pure: same inputs, same answer, live or simulated."""

from portfolios.domain.amounts import MAX_AMOUNT, MICROS
from portfolios.domain.exact import compare_products
from portfolios.domain.holding import Holding, Rules, total_value, value_of
from trading.domain.choices import Action, Decision, Gates, Reason, Side, first_shut
from trading.domain.costs import fee_of, notional_of
from trading.domain.sizing import drifted_side, raw_quantity, triggered_side
from trading.domain.trims import cash_room, drift_quantity, fee_is_covered, guardrail_room, max_trade_room


def decide(holding: Holding, rules: Rules, price: int, gates: Gates) -> Decision:
    """What the rule says at this price; when a trigger fired, also what it would have traded were every gate open."""
    if holding.anchor == 0:
        return nothing(Action.HOLD, Reason.NO_ANCHOR)
    value = total_value(holding, price)
    if value > MAX_AMOUNT or value_of(holding.shares, price) > MAX_AMOUNT:
        return nothing(Action.HOLD, Reason.OVER_LIMIT)
    if value <= 0:
        return nothing(Action.SKIP, Reason.NO_CAPITAL)
    side = triggered_side(holding, rules, price)
    if side == Side.NONE:
        return drift_decision(holding, rules, price, gates)
    raw = raw_quantity(holding, rules, price, side)
    fired = Reason.TRIGGER_DOWN if side == Side.BUY else Reason.TRIGGER_UP
    return gated(trimmed(holding, rules, price, side, raw, fired), gates)


def drift_decision(holding: Holding, rules: Rules, price: int, gates: Gates) -> Decision:
    """Back to the guardrail that drift alone crossed, if that is worth an order."""
    side = drifted_side(holding, rules, price)
    if side == Side.NONE:
        return nothing(Action.HOLD, Reason.INSIDE_BAND)
    wanted = drift_quantity(holding, rules, price, side)
    decision = trimmed(holding, rules, price, side, wanted, Reason.GUARDRAIL_REBALANCE)
    if decision.quantity == 0:
        return nothing(Action.HOLD, Reason.INSIDE_BAND)
    return gated(decision, gates)


def nothing(action: Action, reason: Reason) -> Decision:
    return Decision(action, reason, Side.NONE, Reason.NONE, 0, 0, 0, 0, 0, 0, 0, 0)


def gated(decision: Decision, gates: Gates) -> Decision:
    """A shut gate is the reason before any reason of size: nothing that follows a skip for size may follow a gate."""
    gate = first_shut(gates)
    if gate == Reason.NONE:
        return decision
    return Decision(
        Action.SKIP,
        gate,
        decision.side,
        gate,
        decision.raw,
        decision.after_max_trade,
        decision.after_guardrail,
        decision.after_cash,
        decision.after_shares,
        decision.after_lot,
        0,
        0,
    )


def trimmed(holding: Holding, rules: Rules, price: int, side: Side, raw: int, fired: Reason) -> Decision:
    """The raw quantity through every trim in order; the trim that takes it to zero names the skip."""
    after_max_trade = min(raw, max_trade_room(rules, total_value(holding, price), price))
    after_guardrail = guardrail_room(holding, rules, price, side, after_max_trade)
    after_cash = after_guardrail
    after_shares = after_guardrail
    if side == Side.BUY:
        after_cash = short(rules, after_guardrail, cash_room(holding, rules, price, after_guardrail))
        after_shares = after_cash
    else:
        free = max(holding.shares - holding.reserved_shares, 0)
        after_shares = short(rules, after_cash, min(after_cash, free))
    after_lot = after_shares - after_shares % rules.lot
    reason = size_reason(rules, price, raw, after_max_trade, after_guardrail, after_cash, after_shares, after_lot)
    if reason == Reason.NONE and side == Side.SELL and not fee_is_covered(holding, rules, price, after_lot):
        reason = Reason.INSUFFICIENT_CASH
    action = Action.SKIP
    quantity = 0
    commission = 0
    if reason == Reason.NONE:
        action = Action.BUY if side == Side.BUY else Action.SELL
        reason = fired
        quantity = after_lot
        commission = fee_of(rules, notional_of(side, quantity, price))
    return Decision(
        action,
        reason,
        side,
        Reason.NONE,
        raw,
        after_max_trade,
        after_guardrail,
        after_cash,
        after_shares,
        after_lot,
        quantity,
        commission,
    )


def short(rules: Rules, wanted: int, room: int) -> int:
    """Too little cash or shares: trim to what there is, or skip the whole trade."""
    if room < wanted and rules.skip_when_short:
        return 0
    return room


def size_reason(
    rules: Rules,
    price: int,
    raw: int,
    after_max_trade: int,
    after_guardrail: int,
    after_cash: int,
    after_shares: int,
    after_lot: int,
) -> Reason:
    """The first step that left nothing, or NONE when what is left is worth an order."""
    if raw == 0:
        return Reason.ZERO_SIZE
    if after_max_trade == 0:
        return Reason.MAX_TRADE
    if after_guardrail == 0:
        return Reason.GUARDRAIL
    if after_cash == 0:
        return Reason.INSUFFICIENT_CASH
    if after_shares == 0:
        return Reason.INSUFFICIENT_SHARES
    if after_lot == 0:
        return Reason.LOT
    if compare_products(after_lot, price, rules.min_notional, MICROS) < 0:
        return Reason.BELOW_MIN_NOTIONAL
    return Reason.NONE
