"""What the fake takes back or puts right of what it had filled, told on the stream as the vendor words it.

The list of fills stays as it was: the vendor documents no line of a correction there.
"""

import uuid
from decimal import Decimal
from typing import Any

from trading.brokers.fake_alpaca.book import Book
from trading.brokers.fake_alpaca.orders import ZERO, Order, said


def bust(book: Book, order: Order, number: int) -> None:
    """The number-th execution that stands never was. Raises IndexError."""
    execution, qty, price = standing(book, order)[number - 1]
    del book.executions[execution]
    change(book, order, -qty, -qty * price)
    tell(book, order, "trade_bust", execution, qty=said(-qty), price=said(price), reason="TRADE_BUST")


def correct(book: Book, order: Order, number: int, qty: Decimal, price: Decimal) -> None:
    """The number-th execution that stands was another. Raises IndexError."""
    execution, was, before = standing(book, order)[number - 1]
    del book.executions[execution]
    change(book, order, qty - was, qty * price - was * before)
    name = tell(book, order, "trade_correct", execution, qty=said(qty), price=said(price))
    book.executions[name] = [order.id, str(qty), str(price)]
    book.save()


def standing(book: Book, order: Order) -> list[tuple[str, Decimal, Decimal]]:
    rows = book.executions.items()
    return [(name, Decimal(qty), Decimal(price)) for name, (one, qty, price) in rows if one == order.id]


def change(book: Book, order: Order, qty: Decimal, worth: Decimal) -> None:
    order.filled_qty += qty
    order.paid += worth
    sign = 1 if order.side == "buy" else -1
    book.cash -= sign * worth
    book.held[order.symbol] = book.held.get(order.symbol, ZERO) + sign * qty
    if not book.held[order.symbol]:
        del book.held[order.symbol]


def tell(book: Book, order: Order, event: str, before: str, **more: Any) -> str:
    """The name of what is told now."""
    name, position = str(uuid.uuid4()), said(book.held.get(order.symbol, ZERO))
    named: dict[str, Any] = {"execution_id": name, "previous_execution_id": before}
    book.tell(order, event, position_qty=position, **named, **more)
    return name


def read_corrections(book: Book, lines: Any) -> None:
    """What a script has taken back or put right. Raises ValueError, TypeError, KeyError, ArithmeticError."""
    for line in lines:
        if set(line) - {"client_order_id", "execution", "qty", "price"}:
            raise ValueError("a correction has client_order_id, execution (1 is the first), qty and price or neither")
        orders = [one for one in book.orders.values() if one.client_order_id == line["client_order_id"]]
        number = int(line.get("execution", 1))
        if not orders or not 1 <= number <= len(standing(book, orders[0])):
            raise ValueError("no such execution stands")
        if "qty" not in line:
            bust(book, orders[0], number)
            continue
        qty, price = Decimal(line["qty"]), Decimal(line["price"])
        if not (qty.is_finite() and price.is_finite() and qty > 0 and price > 0):
            raise ValueError("qty and price are above zero")
        correct(book, orders[0], number, qty, price)
