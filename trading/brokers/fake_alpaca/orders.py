"""Orders as the fake has them, what it lets nobody order, and how it words them."""

import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

ZERO = Decimal(0)
WORKING = ("new", "accepted", "pending_new", "partially_filled", "done_for_day", "suspended", "stopped", "calculated",
           "held", "pending_cancel", "pending_replace", "accepted_for_bidding")  # fmt: skip
STAMPS = {"filled": "filled_at", "canceled": "canceled_at", "expired": "expired_at", "rejected": "failed_at",
          "replaced": "replaced_at"}  # fmt: skip
SYMBOL = re.compile(r"[A-Z]{1,5}(\.[A-Z])?")
BAD_REQUEST, UNPROCESSABLE, FORBIDDEN, NOT_FOUND = 40_010_001, 42_210_000, 40_310_000, 40_410_000


class Problem(Exception):
    """A refusal as the vendor words it."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass
class Order:
    symbol: str
    side: str
    qty: Decimal
    type: str
    time_in_force: str
    client_order_id: str
    submitted_at: str
    limit_price: Decimal | None = None
    notional: Decimal | None = None
    extended_hours: bool = False
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "new"
    filled_qty: Decimal = ZERO
    paid: Decimal = ZERO  # quantity times price of what was filled
    updated_at: str = ""
    stamps: dict[str, str] = field(default_factory=dict)
    replaced_by: str | None = None
    replaces: str | None = None

    @property
    def works(self) -> bool:
        return self.status in WORKING

    @property
    def left(self) -> Decimal:
        return self.qty - self.filled_qty

    def wire(self, asset_id: str) -> dict[str, Any]:
        """As every answer and every message of the stream has it; amounts are texts."""
        average = (self.paid / self.filled_qty).quantize(Decimal("0.000001")) if self.filled_qty else None
        return {
            "id": self.id,
            "client_order_id": self.client_order_id,
            "created_at": self.submitted_at,
            "updated_at": self.updated_at or self.submitted_at,
            "submitted_at": self.submitted_at,
            **{name: self.stamps.get(name) for name in STAMPS.values()},
            "replaced_by": self.replaced_by,
            "replaces": self.replaces,
            "asset_id": asset_id,
            "symbol": self.symbol,
            "asset_class": "us_equity",
            "notional": said(self.notional),
            "qty": None if self.notional else said(self.qty),
            "filled_qty": said(self.filled_qty),
            "filled_avg_price": said(average),
            "order_class": "",
            "order_type": self.type,
            "type": self.type,
            "side": self.side,
            "position_intent": f"{self.side}_to_{'open' if self.side == 'buy' else 'close'}",
            "time_in_force": self.time_in_force,
            "limit_price": said(self.limit_price),
            "stop_price": None,
            "status": self.status,
            "extended_hours": self.extended_hours,
            "legs": None,
            "trail_percent": None,
            "trail_price": None,
            "hwm": None,
            "subtag": None,
            "source": None,
        }

    def filled_line(self, account_id: str, at: datetime, qty: Decimal, price: Decimal) -> dict[str, Any]:
        """The line of a fill on the list of activities, once it is counted."""
        return {
            "id": f"{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03d}::{uuid.uuid4()}",
            "account_id": account_id,
            "activity_type": "FILL",
            "transaction_time": stamp(at),
            "type": "fill" if self.left <= 0 else "partial_fill",
            "price": said(price),
            "qty": said(qty),
            "side": self.side,
            "symbol": self.symbol,
            "leaves_qty": said(self.left),
            "order_id": self.id,
            "cum_qty": said(self.filled_qty),
            "order_status": self.status,
        }


def said(amount: Decimal | None) -> str | None:
    """Plain notation without needless zeros."""
    if amount is None:
        return None
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def ordered(body: Any, at: str, price_of: Any) -> Order:
    """What a POST asks for. Raises Problem."""
    if not isinstance(body, dict):
        raise Problem(400, 40_010_000, "request body format is invalid")
    symbol, side = body.get("symbol"), body.get("side")
    if not isinstance(symbol, str) or not SYMBOL.fullmatch(symbol):
        raise Problem(422, UNPROCESSABLE, f'could not find asset "{symbol}"')
    if side not in ("buy", "sell"):
        raise Problem(422, BAD_REQUEST, "side must be buy or sell")
    if (body.get("qty") is None) == (body.get("notional") is None):
        raise Problem(422, BAD_REQUEST, "qty or notional is required, and not both")
    notional = amount(body, "notional") if body.get("notional") is not None else None
    qty = (notional / price_of(symbol)).quantize(Decimal("1e-9")) if notional else amount(body, "qty")
    kind, lasts = body.get("type", "market"), body.get("time_in_force", "day")
    if kind not in ("market", "limit"):
        raise Problem(422, BAD_REQUEST, f"invalid type {kind}")
    limit = amount(body, "limit_price") if body.get("limit_price") is not None else None
    refuse_terms(qty, kind, lasts, limit, bool(body.get("extended_hours")))
    name = body.get("client_order_id") or str(uuid.uuid4())
    if not isinstance(name, str) or len(name) > 128:
        raise Problem(422, BAD_REQUEST, "client_order_id must be no more than 128 characters")
    return Order(symbol, side, qty, kind, lasts, name, at, limit, notional, bool(body.get("extended_hours")))


def refuse_terms(qty: Decimal, kind: str, lasts: Any, limit: Decimal | None, extended: bool) -> None:
    if lasts not in ("day", "gtc", "opg", "cls", "ioc", "fok"):
        raise Problem(422, BAD_REQUEST, f"invalid time_in_force {lasts}")
    if qty % 1 and lasts != "day":
        raise Problem(422, UNPROCESSABLE, "fractional orders must be DAY orders")
    if (kind == "limit") != (limit is not None):
        raise Problem(422, BAD_REQUEST, f"limit_price does not go with a {kind} order")
    if extended and (kind != "limit" or lasts != "day"):
        raise Problem(422, UNPROCESSABLE, "extended hours order must be DAY limit orders")
    if limit is not None and limit % (Decimal("0.01") if limit >= 1 else Decimal("0.0001")):
        words = f"invalid limit_price {said(limit)}. sub-penny increment does not fulfill minimum pricing criteria"
        raise Problem(422, UNPROCESSABLE, words)


def amount(body: dict[str, Any], name: str) -> Decimal:
    value = body.get(name)
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = ZERO
    exponent = found.as_tuple().exponent
    if isinstance(value, bool) or not found.is_finite() or found <= 0:
        raise Problem(422, BAD_REQUEST, f"{name} must be > 0")
    if not isinstance(exponent, int) or exponent < -9:
        raise Problem(422, BAD_REQUEST, f"{name} has more than 9 decimals")
    return found
