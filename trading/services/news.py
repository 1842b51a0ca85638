"""What a message of the inbox says of an order, read strictly: what two programs could read in two ways is refused."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE, MIN_PRICE, micros
from portfolios.strict_json import parse_json, reason
from trading.brokers.base import BadMessage, Fill, News, UnknownType
from trading.domain.choices import Side
from trading.domain.costs import OURS

HEARTBEAT = "heartbeat"
STATUSES = ("accepted", "partially_filled", "filled", "cancelled", "rejected", "expired")
EXECUTION = ("execution_id", "quantity", "price")
ALWAYS = ("client_order_id", "symbol", "side", "at")
NEEDED = {
    "order.updated": (*ALWAYS, "status", "filled_quantity"),
    "execution.filled": (*ALWAYS, *EXECUTION),
    "execution.corrected": (*ALWAYS, *EXECUTION, "replaces"),
    "execution.busted": (*ALWAYS, "replaces"),
}
FIELDS = {*ALWAYS, *EXECUTION, "status", "filled_quantity", "average_price", "commission", "replaces"}
NAME = re.compile(r"[!-~]{1,64}")
SYMBOL = re.compile(r"[A-Z0-9.\-]{1,12}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def read_news(body: str) -> News | None:
    """None for a sign of life. Raises BadMessage, UnknownType."""
    message = fields(parsed(body), {"type", "timestamp", "data"}, "message")
    instant(message, "timestamp")
    kind = text(message, "type", NAME)
    if kind == HEARTBEAT:
        return None
    if kind not in NEEDED:
        raise UnknownType(kind)
    data = fields(message.get("data"), FIELDS, "data")
    for name in NEEDED[kind]:
        if name not in data:
            raise BadMessage(f"{name} is missing")
    return news_of(kind, data)


def news_of(kind: str, data: Mapping[str, Any]) -> News:
    side = data["side"]
    if side not in ("BUY", "SELL"):
        raise BadMessage("side is neither BUY nor SELL")
    fill = fill_of(kind, data)
    news = News(text(data, "client_order_id", NAME), text(data, "symbol", SYMBOL), Side[side], instant(data, "at"))
    if fill and fill.replaces:  # it changes what was; where the order stands is not its subject
        return news._replace(fill=fill)
    status, total = data.get("status", ""), amount(data, "filled_quantity", 0, MAX_AMOUNT, absent=-1)
    if status not in ("", *STATUSES):
        raise BadMessage("status is unknown")
    average = amount(data, "average_price", MIN_PRICE, MAX_PRICE, absent=0)
    if total > 0 and not average and fill is None:
        raise BadMessage("average_price is missing")
    return news._replace(status=status, total=total, average=average, fill=fill)


def fill_of(kind: str, data: Mapping[str, Any]) -> Fill | None:
    replaces = text(data, "replaces", NAME) if "replaces" in data else ""
    if kind == "execution.busted":
        name = text(data, "execution_id", NAME) if "execution_id" in data else f"{replaces}-bust"
        return Fill(name, 0, 0, OURS, instant(data, "at"), distinct(replaces, name))
    if "execution_id" not in data:
        if {"quantity", "price", "commission", "replaces"} & set(data):
            raise BadMessage("execution_id is missing")
        return None
    if replaces and kind != "execution.corrected":
        raise BadMessage("replaces belongs to a correction")
    return Fill(
        text(data, "execution_id", NAME),
        amount(data, "quantity", 1, MAX_AMOUNT),
        amount(data, "price", MIN_PRICE, MAX_PRICE),
        amount(data, "commission", 0, MAX_AMOUNT, absent=OURS),
        instant(data, "at"),
        distinct(replaces, data["execution_id"]),
    )


def distinct(replaces: str, name: str) -> str:
    if replaces and replaces == name:
        raise BadMessage("replaces names itself")
    return replaces


def parsed(body: str) -> Any:
    try:
        return parse_json(body.encode())
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"not acceptable JSON: {reason(error)}") from error


def fields(value: Any, known: set[str], what: str) -> dict[str, Any]:
    """Those that are told; null is not."""
    if not isinstance(value, dict):
        raise BadMessage(f"{what} is no object")
    if unknown := sorted(set(value) - known):
        raise BadMessage(f"{unknown[0][:80]!a} is no field of {what}")
    return {name: part for name, part in value.items() if part is not None}


def text(data: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise BadMessage(f"{name} is not acceptable")
    return value


def amount(data: Mapping[str, Any], name: str, low: int, high: int, absent: int | None = None) -> int:
    """A decimal number in a text, in micros: `absent` where it is not told and need not be."""
    if name not in data and absent is not None:
        return absent
    value = data.get(name)
    try:
        found = micros(value) if isinstance(value, str) else -1
    except ValueError:
        found = -1
    if not low <= found <= high:
        raise BadMessage(f"{name} is not acceptable")
    return found


def instant(data: Mapping[str, Any], name: str) -> datetime:
    try:
        return datetime.fromisoformat(text(data, name, INSTANT)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadMessage(f"{name} is no instant") from error
