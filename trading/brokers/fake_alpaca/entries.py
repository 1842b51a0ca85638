"""What the fake's book knows besides orders: corporate actions that were announced, and the rates of fees."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from trading.brokers.fake_alpaca.orders import SYMBOL, ZERO

NAMESPACE = uuid.UUID("5b7e34cb-2f3c-4a55-9a04-0c1f4f2f6d3a")
PLURALS = {"cash_dividend": "cash_dividends", "forward_split": "forward_splits", "reverse_split": "reverse_splits"}
DIVIDEND = "cash_dividend"


@dataclass
class Action:
    """Days as texts, as on the wire. withheld: which part of a dividend the broker keeps as tax.

    entitled: the shares held when the ex-date began; None before. done: a split carried out, a dividend paid.
    """

    kind: str
    symbol: str
    ex_date: str
    payable_date: str
    rate: Decimal = ZERO
    new_rate: Decimal = ZERO
    old_rate: Decimal = ZERO
    withheld: Decimal = ZERO
    entitled: Decimal | None = None
    done: bool = False

    @property
    def id(self) -> str:
        """The same for what is announced again: once done it stays done."""
        return str(uuid.uuid5(NAMESPACE, f"{self.kind} {self.symbol} {self.ex_date}"))

    @property
    def process_date(self) -> str:
        """The day it is booked. Questions are by this one."""
        return self.payable_date if self.kind == DIVIDEND else self.ex_date

    def wire(self) -> dict[str, Any]:
        days = {"process_date": self.process_date, "ex_date": self.ex_date, "record_date": self.ex_date}
        told = {"id": self.id, "symbol": self.symbol, **days, "payable_date": self.payable_date}
        if self.kind == DIVIDEND:
            return {**told, "cusip": "000000000", "rate": float(self.rate), "special": False, "foreign": False}
        rates = {"new_rate": float(self.new_rate), "old_rate": float(self.old_rate)}
        if self.kind == "reverse_split":
            return {**told, **rates, "old_cusip": "000000000", "new_cusip": "000000001"}
        return {**told, **rates, "cusip": "000000000"}


def read_action(line: Any) -> Action:
    """One line of a script. Raises ValueError, TypeError, KeyError, ArithmeticError."""
    known = {"kind", "symbol", "ex_date", "payable_date", "rate", "new_rate", "old_rate", "withheld"}
    if not isinstance(line, Mapping) or set(line) - known or line.get("kind") not in PLURALS:
        raise ValueError(f"an action has {', '.join(sorted(known))}, and a kind of {', '.join(PLURALS)}")
    ex_date = date.fromisoformat(line["ex_date"]).isoformat()
    paid = date.fromisoformat(line.get("payable_date") or ex_date).isoformat()
    rates: dict[str, Any] = {
        name: Decimal(str(line.get(name, 0))) for name in ("rate", "new_rate", "old_rate", "withheld")
    }
    needed = ("rate",) if line["kind"] == DIVIDEND else ("new_rate", "old_rate")
    is_told = all(rates[name].is_finite() and rates[name] > 0 for name in needed) and 0 <= rates["withheld"] <= 1
    if not is_told or paid < ex_date or not SYMBOL.fullmatch(line["symbol"]):
        raise ValueError(f"an action of no sense: {line['kind']}")
    return Action(line["kind"], line["symbol"], ex_date, paid, **rates)


@dataclass
class Fees:
    """Of sales, as regulators charge them through the broker: once a day, rounded up to the cent. Off unless set."""

    reg: Decimal = ZERO  # of a dollar sold
    taf: Decimal = ZERO  # of a share sold
    charged: list[str] = field(default_factory=list)  # days
