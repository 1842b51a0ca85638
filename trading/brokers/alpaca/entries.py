"""Lines of Alpaca's list of activities that are no fills: fees, dividends, deposits, what else it may be."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from trading.brokers.alpaca.words import quantity, text
from trading.brokers.base import BrokerSilent, Entry

KINDS = {
    "FEE": "fee",
    "DIV": "dividend",
    "DIVCGL": "dividend",
    "DIVCGS": "dividend",
    "DIVROC": "dividend",
    "DIVTXEX": "dividend",
    "DIVFEE": "tax",
    "DIVFT": "tax",
    "DIVNRA": "tax",
    "DIVTW": "tax",
    "DIVWH": "tax",
    "CSD": "transfer",
    "CSW": "transfer",
    "JNLC": "transfer",
}


def entry(line: Any) -> Entry:
    """What is unknown, taken back, or moves shares is `other`: it is named, and nothing is made of it."""
    if not isinstance(line, dict):
        raise BrokerSilent("an activity cannot be read")
    name, sub = text(line, "activity_type"), line.get("activity_sub_type")
    amount = quantity(line, "net_amount") if told(line, "net_amount") else 0
    shares = quantity(line, "qty") if told(line, "qty") else 0
    kind = KINDS.get(name, "other") if amount and line.get("status") in (None, "executed", "correct") else "other"
    return Entry(
        id=text(line, "id"),
        kind=kind,
        name=f"{name} {sub}"[:20] if isinstance(sub, str) and sub and sub != name else name[:20],
        day=day_of(line),
        symbol=text(line, "symbol")[:12] if told(line, "symbol") else "",
        amount=amount,
        shares=shares,
        words=words_of(line),
    )


def told(line: Mapping[str, Any], name: str) -> bool:
    return line.get(name) not in (None, "")


def day_of(line: Mapping[str, Any]) -> date:
    found = line.get("date", line.get("transaction_time"))
    try:
        return datetime.fromisoformat(found).date() if isinstance(found, str) else date.fromisoformat("")
    except ValueError:
        raise BrokerSilent("an activity's day cannot be read") from None


def words_of(line: Mapping[str, Any]) -> str:
    """Its own description, and whether it was taken back; whatever else a text may hold is left out."""
    given, status = line.get("description"), line.get("status")
    words = "".join(sign for sign in given if sign.isprintable())[:160] if isinstance(given, str) else ""
    taken_back = status not in (None, "executed", "correct")
    return f"{str(status)[:20]}: {words}" if taken_back else words
