"""The account an evaluation gives of itself: its inputs and outputs as the event keeps them, all amounts as text."""

from decimal import Decimal
from typing import Any

from portfolios.domain.amounts import as_text
from portfolios.domain.holding import Holding, Rules, total_value
from portfolios.services.lots import shares
from trading.domain.choices import Action, Decision, Side
from trading.domain.explanation import after_trade, reason_name, stock_share, trims_of
from trading.risk.selectors import UNTRADED
from trading.services.gates import PROPOSED
from trading.sight import Sight


def inputs_of(holding: Holding, sight: Sight) -> dict[str, Any]:
    """What was known: the price and the cell."""
    return {
        "price": as_text(sight.price),
        "price_kind": sight.kind.name.lower(),
        "source": sight.source,
        "quote_at": sight.at.isoformat(),
        "age_ms": sight.age,
        "last": as_text(sight.last),
        "mid": as_text(sight.mid) if sight.mid else "",
        "value": as_text(total_value(holding, sight.price)),
        "stock_share": as_text(stock_share(holding, sight.price)),
    } | {name: as_text(amount) for name, amount in holding._asdict().items()}


def outputs_of(
    holding: Holding, rules: Rules, sight: Sight, decision: Decision, gate_values: dict[str, str]
) -> dict[str, Any]:
    """What was decided: action, reason, every trim that bit, every gate as it fell."""
    return {
        "action": decision.action.name,
        "reason": reason_name(decision.reason),
        "side": decision.side.name if decision.side != Side.NONE else "",
        "raw": as_text(decision.raw),
        "quantity": as_text(decision.quantity),
        "trims": [
            {"name": trim.name, "before": as_text(trim.before), "after": as_text(trim.after)}
            for trim in trims_of(decision)
        ],
        "gates": gate_values,
        "commission": as_text(decision.commission),
        "stock_share_after": as_text(share_after(holding, decision, sight.price)),
        "trigger_up": as_text(rules.trigger_up),
        "trigger_down": as_text(rules.trigger_down),
        "guardrail_low": as_text(rules.guardrail_low),
        "guardrail_high": as_text(rules.guardrail_high),
    }


def share_after(holding: Holding, decision: Decision, price: int) -> int:
    return stock_share(after_trade(holding, decision, price), price)


SKIP_SENTENCES = {
    "no_capital": "the cell is worth nothing",
    "zero_size": "the rule sizes it to nothing",
    "max_trade": "the largest allowed trade leaves nothing",
    "guardrail": "the stock share is at its guardrail",
    "insufficient_cash": "there is no free cash for it",
    "insufficient_shares": "there are no free shares for it",
    "lot": "less than one lot is left",
    "below_min_notional": "it would be smaller than the smallest order",
    "paused": "the cell is paused",
    "quarantined": "the cell is quarantined",
    "halted": "trading is halted",
    "unreconciled": "the account is not reconciled",
    "stale_price": "the price is too old",
    "market_closed": "the market is closed",
    "order_open": "an order is still open",
    "proposed": "a proposal waits for an answer",
    "dup": "this price has made its order already",
    "daily_limit": "the day's orders are used up",
}
HOLD_SENTENCES = {
    "inside_band": "inside the band, nothing to do",
    "no_anchor": "no anchor yet",
    "over_limit": "the cell is worth more than the system can handle",
}


def sentence_of(decision: Decision, inputs: dict[str, Any], outputs: dict[str, Any], rules: Rules, lot: int = 1) -> str:
    """One plain sentence for people. lot: what instrument and account prescribe, whatever the settings say (micros)."""
    price, reason = inputs["price"], outputs["reason"]
    if decision.action in (Action.BUY, Action.SELL):
        verb = "Buy" if decision.action == Action.BUY else "Sell"
        trims = ", trimmed by " + " and ".join(trim["name"] for trim in outputs["trims"]) if outputs["trims"] else ""
        why = "to return to the guardrail" if reason == "guardrail_rebalance" else f"{moved_by(inputs)} from the anchor"
        return f"{verb} {outputs['quantity']} at {price}: {why}{trims}."
    if decision.action == Action.SKIP:
        words = SKIP_SENTENCES[reason]
        if outputs["gates"].get("order_open") == PROPOSED:
            words = SKIP_SENTENCES["proposed"]
        elif reason == "halted" and outputs["gates"]["halted"] in UNTRADED:
            words = outputs["gates"]["halted"]
        elif reason == "lot":
            words = less_than_a_lot(rules, lot)
        side = f"{decision.side.name.lower()} at {price}" if decision.side != Side.NONE else f"at {price}"
        return f"No {side}: {words}."
    return f"Nothing at {price}: {HOLD_SENTENCES[reason]}."


def less_than_a_lot(rules: Rules, lot: int) -> str:
    """And why it may not be less."""
    if lot < rules.lot:
        return "less than a whole share is left, and the cell's settings ask for whole shares"
    return f"less than {shares(lot)} is left, and smaller parts are not traded"


def moved_by(inputs: dict[str, Any]) -> str:
    """How far the price stands from the anchor, as text with two decimals."""
    anchor, price = Decimal(inputs["anchor"]), Decimal(inputs["price"])
    change = (price - anchor) / anchor * 100
    return f"{change:+.2f} %"
