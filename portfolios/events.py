"""The words of the log: one enum for every kind of fact, each with its sentence for people and its icon."""

from typing import NamedTuple

from django.db import models


class EventType(models.TextChoices):
    POSITION_CREATED = "position_created"
    DEPOSITED = "deposited"
    WITHDRAWN = "withdrawn"
    ADJUSTED = "adjusted"
    SETTINGS_CHANGED = "settings_changed"
    LOT_CHANGED = "lot_changed"
    ANCHOR_SET = "anchor_set"
    ANCHOR_RESET = "anchor_reset"
    ANCHOR_CLEARED = "anchor_cleared"
    EVALUATED = "evaluated"
    SKIPPED = "skipped"
    GUARDRAIL_REBALANCE = "guardrail_rebalance"
    ORDER_PROPOSED = "order_proposed"
    ORDER_INTENT = "order_intent"
    ORDER_SUBMITTED = "order_submitted"
    ORDER_ACCEPTED = "order_accepted"
    ORDER_PARTIALLY_FILLED = "order_partially_filled"
    ORDER_FILLED = "order_filled"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_REJECTED = "order_rejected"
    ORDER_EXPIRED = "order_expired"
    ORDER_UNKNOWN = "order_unknown"
    ORDER_CANCELLING = "order_cancelling"
    REEVALUATED = "reevaluated"
    ANCHOR_UPDATED = "anchor_updated"
    LATE_FILL = "late_fill"
    CORRECTION = "correction"
    OVERFILL = "overfill"
    EX_DIVIDEND = "ex_dividend"
    DIVIDEND_PAID = "dividend_paid"
    DIVIDEND_CORRECTED = "dividend_corrected"
    SPLIT = "split"
    PAUSED = "paused"
    RESUMED = "resumed"
    QUARANTINED = "quarantined"
    RELEASED = "released"
    HALTED = "halted"
    REARMED = "rearmed"
    RECONCILED = "reconciled"
    REPAIRED = "repaired"
    FROZEN = "frozen"
    ACCOUNT_CREATED = "account_created"
    ACCOUNT_CHANGED = "account_changed"
    ARMED = "armed"
    DISARMED = "disarmed"
    CLOSED = "closed"
    APPROVAL_CHANGED = "approval_changed"
    PORTFOLIO_RENAMED = "portfolio_renamed"
    PORTFOLIO_CLOSED = "portfolio_closed"
    ACCESS_GRANTED = "access_granted"
    ACCESS_REVOKED = "access_revoked"
    STAFF_VIEWED = "staff_viewed"


class Wording(NamedTuple):
    """How a kind of event reads on pages: a short title and the name of its icon in the sprite."""

    title: str
    icon: str


WORDINGS: dict[str, Wording] = {
    EventType.POSITION_CREATED: Wording("Cell created", "plus"),
    EventType.DEPOSITED: Wording("Cash deposited", "arrow-down"),
    EventType.WITHDRAWN: Wording("Cash withdrawn", "arrow-up"),
    EventType.ADJUSTED: Wording("Put right by hand", "pen"),
    EventType.SETTINGS_CHANGED: Wording("Settings changed", "sliders"),
    EventType.LOT_CHANGED: Wording("Smallest step of an order changed", "sliders"),
    EventType.ANCHOR_SET: Wording("Anchor set by the first good quote", "anchor"),
    EventType.ANCHOR_RESET: Wording("Anchor reset", "anchor"),
    EventType.ANCHOR_CLEARED: Wording("Anchor cleared", "anchor"),
    EventType.EVALUATED: Wording("Evaluated", "scale"),
    EventType.SKIPPED: Wording("Trade skipped", "skip"),
    EventType.GUARDRAIL_REBALANCE: Wording("Back to the guardrail", "scale"),
    EventType.ORDER_PROPOSED: Wording("Order proposed", "question"),
    EventType.ORDER_INTENT: Wording("Order written", "pen"),
    EventType.ORDER_SUBMITTED: Wording("Order sent", "send"),
    EventType.ORDER_ACCEPTED: Wording("Order accepted", "check"),
    EventType.ORDER_PARTIALLY_FILLED: Wording("Order partly filled", "half"),
    EventType.ORDER_FILLED: Wording("Order filled", "check"),
    EventType.ORDER_CANCELLED: Wording("Order cancelled", "cross"),
    EventType.ORDER_REJECTED: Wording("Order rejected", "cross"),
    EventType.ORDER_EXPIRED: Wording("Order expired", "clock"),
    EventType.ORDER_UNKNOWN: Wording("Order's fate unknown", "question"),
    EventType.ORDER_CANCELLING: Wording("Cancelling asked for", "clock"),
    EventType.REEVALUATED: Wording("Decided again", "loop"),
    EventType.ANCHOR_UPDATED: Wording("Anchor moved to the fill", "anchor"),
    EventType.LATE_FILL: Wording("Filled after its end", "clock"),
    EventType.CORRECTION: Wording("Fill corrected by the broker", "pen"),
    EventType.OVERFILL: Wording("Filled beyond the order", "stop"),
    EventType.EX_DIVIDEND: Wording("Ex-dividend", "coin"),
    EventType.DIVIDEND_PAID: Wording("Dividend paid", "coin"),
    EventType.DIVIDEND_CORRECTED: Wording("Dividend corrected", "pen"),
    EventType.SPLIT: Wording("Stock split", "split"),
    EventType.PAUSED: Wording("Paused", "pause"),
    EventType.RESUMED: Wording("Resumed", "play"),
    EventType.QUARANTINED: Wording("Quarantined", "stop"),
    EventType.RELEASED: Wording("Released from quarantine", "play"),
    EventType.HALTED: Wording("Trading halted", "stop"),
    EventType.REARMED: Wording("Trading armed again", "play"),
    EventType.RECONCILED: Wording("Books compared with the broker", "check"),
    EventType.REPAIRED: Wording("Put right from the broker's books", "pen"),
    EventType.FROZEN: Wording("Books differ from the broker's", "stop"),
    EventType.ACCOUNT_CREATED: Wording("Broker account connected", "plus"),
    EventType.ACCOUNT_CHANGED: Wording("Broker account changed", "pen"),
    EventType.ARMED: Wording("Live trading armed", "key"),
    EventType.DISARMED: Wording("Live trading disarmed", "key"),
    EventType.CLOSED: Wording("Cell closed", "stop"),
    EventType.APPROVAL_CHANGED: Wording("Who sends orders changed", "key"),
    EventType.PORTFOLIO_RENAMED: Wording("Portfolio renamed", "pen"),
    EventType.PORTFOLIO_CLOSED: Wording("Portfolio closed", "stop"),
    EventType.ACCESS_GRANTED: Wording("Access granted", "key"),
    EventType.ACCESS_REVOKED: Wording("Access revoked", "key"),
    EventType.STAFF_VIEWED: Wording("Looked at by staff", "key"),
}
