"""Deliveries of a broker, signed by the reference implementation."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.test import Client
from standardwebhooks import Webhook

from portfolios.models import Account
from portfolios.services.vault import seal
from trading.models import Order

NEW = "whsec_bmV3IHNlY3JldCBvZiB0aGUgYnJva2VyJ3Mgb3du"
OLD = "whsec_b2xkIHNlY3JldCBvZiB0aGUgYnJva2VyJ3Mgb3du"
URL = "/v1/orders/callback"
JSON = "application/json"
AT = "2007-01-03T17:00:00Z"


def give_secrets(account: Account, *secrets: str) -> Account:
    account.sealed = seal({"webhook_secrets": list(secrets)})
    account.save(update_fields=["sealed"])
    return account


def told(kind: str, order: Order, **data: Any) -> str:
    """A message about an order as the broker writes it; None leaves a field out."""
    of_order = {"client_order_id": order.client_order_id, "symbol": order.position.symbol, "side": order.side, "at": AT}
    fields = {name: value for name, value in (of_order | data).items() if value is not None}
    return json.dumps({"type": kind, "timestamp": AT, "data": fields})


def filled(order: Order, execution_id: str, quantity: str, price: str, **data: Any) -> str:
    return told("execution.filled", order, execution_id=execution_id, quantity=quantity, price=price, **data)


def updated(order: Order, status: str, total: str = "0", average: str | None = None, **data: Any) -> str:
    return told("order.updated", order, status=status, filled_quantity=total, average_price=average, **data)


def signed(body: str, delivery_id: str = "msg_1", secret: str = NEW, seconds: float = 0) -> dict[str, str]:
    """The three headers, at a moment some seconds from now."""
    at = datetime.now(tz=UTC).replace(microsecond=0) + timedelta(seconds=seconds)
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(delivery_id, at, body),
    }


def deliver(account: Account, body: str, delivery_id: str = "msg_1", url: str = URL, **how: Any) -> HttpResponse:
    address = f"{url}?account={account.public_id}"
    return Client(raise_request_exception=False).post(address, body, JSON, headers=signed(body, delivery_id, **how))
