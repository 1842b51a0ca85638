"""Reasons, gates and trims in the words of a person who has not read the rule."""

import re
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from portfolios.domain.amounts import as_dollars, as_text, micros
from reporting.reading import MINUS, market_time, shares
from trading.domain.choices import Reason

REASONS: dict[str, str] = {
    "trigger_down": "the price fell through the buy trigger",
    "trigger_up": "the price rose through the sell trigger",
    "guardrail_rebalance": "the stock share had drifted over a guardrail",
    "inside_band": "the price is between the triggers",
    "no_anchor": "there is no anchor to measure from yet",
    "no_price": "no price is known",
    "split_due": "a split is due and waits for the open order",
    "unexplained_gap": "nobody has explained yet what the price did overnight",
    "no_capital": "the cell is worth nothing",
    "over_limit": "the cell is worth more than the rule can count",
    "zero_size": "the size comes to nothing",
    "max_trade": "the largest allowed trade leaves nothing",
    "guardrail": "its guardrail leaves no room for a trade",
    "insufficient_cash": "there is not enough settled cash",
    "insufficient_shares": "there are not enough free shares",
    "lot": "it is less than one lot",
    "below_min_notional": "it is worth less than the smallest allowed trade",
    "paused": "the cell is paused",
    "quarantined": "the cell waits for a person to look",
    "halted": "trading is halted",
    "unreconciled": "books and broker have not been compared",
    "stale_price": "the price is too old",
    "market_closed": "the market is closed",
    "order_open": "another order is still open",
    "dup": "this quote has made its order already",
    "daily_limit": "the day's number of orders is reached",
}
ADAPTERS: dict[str, str] = {"paper": "the paper venue", "none": "by hand, no broker"}
MODES: dict[str, str] = {"paper": "for practice", "live": "for real"}
OUTCOMES: dict[str, str] = {
    "matched": "equal",
    "repaired": "put right, with evidence",
    "frozen": "different, frozen",
    "unanswered": "the broker did not answer",
}
OCCASIONS: dict[str, str] = {
    "beat": "every minute",
    "start": "at the start",
    "reconnect": "the broker came back",
    "person": "a person asked",
}
WHYS: dict[str, str] = {
    "trigger_down": "fell to the trigger",
    "trigger_up": "rose to the trigger",
    "guardrail_rebalance": "drifted over a guardrail",
}


class GateWords(NamedTuple):
    """How a gate reads open and shut, and whether its value says more than that."""

    open: str
    shut: str
    telling: bool = False


GATES: dict[str, GateWords] = {
    "paused": GateWords("Not paused", "Paused"),
    "quarantined": GateWords("Not quarantined", "Quarantined"),
    "halted": GateWords("No halt", "Trading halted"),
    "unreconciled": GateWords("Books agree", "Books not compared"),
    "stale_price": GateWords("Price fresh", "Price too old", telling=True),
    "market_closed": GateWords("Market open", "Market closed"),
    "order_open": GateWords("No open order", "An order is open"),
    "dup": GateWords("New quote", "Quote used already"),
    "daily_limit": GateWords("Day's limit", "Day's limit reached", telling=True),
}
TRIMS: dict[str, str] = {
    "max_trade": "Largest trade",
    "guardrail": "Guardrail",
    "insufficient_cash": "Cash at hand",
    "insufficient_shares": "Shares at hand",
    "lot": "Lot",
}
NAMES: dict[str, str] = {
    "price": "price",
    "quote_at": "quote time",
    "age_ms": "price age",
    "price_kind": "kind of price",
    "anchor": "anchor",
    "shares": "shares",
    "cash": "cash",
    "receivable": "dividends to come",
    "value": "value",
    "stock_share": "stock share",
    "dps": "dividend a share",
    "ex_date": "ex-date",
    "pay_date": "pay date",
    "pay_date_assumed": "pay date assumed",
    "quantity": "shares traded",
    "filled_quantity": "shares filled so far",
    "notional": "amount",
    "commission": "fee",
    "raw": "size by the rule",
    "stock_share_after": "stock share after it",
    "limit_price": "limit",
    "sha256": "fingerprint",
}
MONEY = (
    *("price", "last", "mid", "bid", "ask", "anchor", "limit_price", "dps", "value", "cash", "reserved_cash"),
    *("receivable", "notional", "commission", "net", "gross", "tax"),
)
RATES = ("stock_share", "stock_share_after", "trigger_up", "trigger_down", "guardrail_low", "guardrail_high")
AMOUNT = re.compile(r"-?\d+(\.\d+)?")


def place_of(name: str) -> int:
    return list(NAMES).index(name) if name in NAMES else len(NAMES)


def value_in_words(name: str, value: str) -> str:
    """Exact, as it was written, in the form people read."""
    if name == "age_ms":
        return f"{Decimal(value) / 1000:f} s"
    if name in RATES:
        return f"{as_text(micros(value) * 100)}\u00a0%"
    if name.endswith("_at"):
        return market_time(datetime.fromisoformat(value))
    if name in MONEY and AMOUNT.fullmatch(value):
        return as_dollars(micros(value)).replace("-", MINUS)
    return shares(micros(value)) if AMOUNT.fullmatch(value) else value


def reason_in_words(reason: Reason | str) -> str:
    name = reason.name.lower() if isinstance(reason, Reason) else reason
    return REASONS.get(name, name.replace("_", " "))


def name_in_words(name: str) -> str:
    return NAMES.get(name, name.replace("_", " "))
