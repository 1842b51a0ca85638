"""The fake's book of record: orders, executions, positions, cash; what happens to an order is scripted or by habit."""

import json
import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from trading.brokers.fake_alpaca.assets import Assets
from trading.brokers.fake_alpaca.days import Hours
from trading.brokers.fake_alpaca.entries import Action, Fees
from trading.brokers.fake_alpaca.market import Prices
from trading.brokers.fake_alpaca.orders import (
    BAD_REQUEST,
    FORBIDDEN,
    NOT_FOUND,
    STAMPS,
    UNPROCESSABLE,
    ZERO,
    Order,
    Problem,
    amount,
    ordered,
    said,
    stamp,
)

HEADROOM = Decimal("1.03")  # market buys are checked at a few per cent above the market
NAMESPACE = uuid.UUID("9a8f0f0e-35f4-4f6a-bb0e-6d2d2f3a7c11")
FILL = "fill"
AMOUNTS = ("qty", "filled_qty", "paid", "limit_price", "notional")
RATES = ("rate", "new_rate", "old_rate", "withheld", "entitled")


def utc_now() -> datetime:
    return datetime.now(UTC)


class Book:
    """habit: what becomes of an order that arrives, step by step; "rest" leaves it open.

    Steps: a state of an order, `fill` (all that is left), `fill 3`, `fill 3 at 101.5`.
    """

    def __init__(self, cash: Decimal = Decimal(100_000), now: Callable[[], datetime] = utc_now) -> None:
        self.cash = cash
        self.held: dict[str, Decimal] = {}
        self.cost: dict[str, Decimal] = {}
        self.orders: dict[str, Order] = {}
        self.activities: list[dict[str, Any]] = []
        self.actions: list[Action] = []
        self.fees = Fees()
        self.hours = Hours()
        self.executions: dict[str, list[str]] = {}  # that stand, by their ids: order, quantity, price
        self.assets = Assets(self.asset_id)
        self.blocked = False
        self.habit: tuple[str, ...] = ("fill",)
        self.plans: dict[str, list[str]] = {}
        self.listeners: list[Callable[[dict[str, Any]], None]] = []
        self.file: Path | None = None
        self.wall = now
        self.told_now: datetime | None = None  # where another market's clock is followed
        self.last = datetime.fromtimestamp(0, UTC)
        self.account_id = str(uuid.uuid5(NAMESPACE, "account"))
        self.prices = Prices(now)

    def now(self) -> datetime:
        """Never the same millisecond twice: activities are paged by it."""
        self.last = max(self.wall(), self.last + timedelta(milliseconds=1))
        return self.last

    def asset_id(self, symbol: str) -> str:
        return str(uuid.uuid5(NAMESPACE, symbol))

    def wire(self, order: Order) -> dict[str, Any]:
        return order.wire(self.asset_id(order.symbol))

    def submit(self, body: Any) -> Order:
        """Raises Problem. A name is used once, for good."""
        if self.blocked:
            raise Problem(403, FORBIDDEN, "account is not allowed to trade")
        order = ordered(body, stamp(self.now()), self.prices.price)
        if any(known.client_order_id == order.client_order_id for known in self.orders.values()):
            raise Problem(422, BAD_REQUEST, "client_order_id must be unique")
        self.assets.refuse(order.symbol, order.qty)
        self.refuse_uncovered(order)
        self.enter(order)
        return order

    def refuse_uncovered(self, order: Order) -> None:
        if order.side == "buy":
            price = order.limit_price or self.prices.price(order.symbol) * HEADROOM
            if order.qty * price > self.buying_power():
                raise Problem(403, FORBIDDEN, "insufficient buying power")
        elif order.qty > self.available(order.symbol):
            words = f"insufficient qty available for order (requested: {said(order.qty)}"
            raise Problem(403, FORBIDDEN, f"{words}, available: {said(self.available(order.symbol))})")

    def enter(self, order: Order) -> None:
        self.orders[order.id] = order
        self.plans[order.id] = list(self.habit)
        self.tell(order, "new")

    def buying_power(self) -> Decimal:
        open_buys = (one for one in self.orders.values() if one.works and one.side == "buy")
        return self.cash - sum(
            (one.left * (one.limit_price or self.prices.price(one.symbol)) for one in open_buys), ZERO
        )

    def available(self, symbol: str) -> Decimal:
        sales = (one for one in self.orders.values() if one.works and one.side == "sell" and one.symbol == symbol)
        return self.held.get(symbol, ZERO) - sum((one.left for one in sales), ZERO)

    def live(self, order: Order) -> None:
        """The next step of its plan, if it may be taken now; where a limit is not met, or nothing trades, it waits."""
        if not self.hours.is_open(self.wall()):
            return
        plan = self.plans.get(order.id, [])
        while plan and order.works and plan[0] != "rest":
            if not self.step(order, plan[0]):
                return
            plan.pop(0)

    def live_all(self) -> None:
        for order in list(self.orders.values()):
            if order.works:
                self.live(order)
            if order.works and order.time_in_force == "day" and self.is_over(order):
                self.become(order, "expired")

    def is_over(self, order: Order) -> bool:
        ends = self.hours.ends(datetime.fromisoformat(order.submitted_at))
        return ends is not None and self.wall() > ends

    def step(self, order: Order, words: str) -> bool:
        """Whether it could be taken."""
        deed, *rest = words.split()
        if deed != FILL:
            self.become(order, deed)
            return True
        price = Decimal(rest[2]) if len(rest) == 3 else self.price_for(order)
        if price is None:
            return False
        self.fill(order, min(Decimal(rest[0]), order.left) if rest else order.left, price)
        return True

    def price_for(self, order: Order) -> Decimal | None:
        price, limit = self.prices.price(order.symbol), order.limit_price
        if limit is None:
            return price
        met = price <= limit if order.side == "buy" else price >= limit
        return price if met else None

    def fill(self, order: Order, qty: Decimal, price: Decimal) -> None:
        """An execution, in the book and on the list of activities, and told."""
        order.filled_qty += qty
        order.paid += qty * price
        sign = 1 if order.side == "buy" else -1
        self.held[order.symbol] = self.held.get(order.symbol, ZERO) + sign * qty
        self.cost[order.symbol] = price
        self.cash -= sign * qty * price
        done = order.left <= 0
        order.status = "filled" if done else "partially_filled"
        at, execution = self.now(), str(uuid.uuid4())
        if done:
            order.stamps["filled_at"] = stamp(at)
        self.activities.append(order.filled_line(self.account_id, at, qty, price))
        self.executions[execution] = [order.id, str(qty), str(price)]
        position = said(self.held[order.symbol])
        told = {"price": said(price), "qty": said(qty), "position_qty": position, "execution_id": execution}
        self.tell(order, "fill" if done else "partial_fill", at, **told)
        if not self.held[order.symbol]:
            del self.held[order.symbol]

    def become(self, order: Order, state: str, **more: Any) -> None:
        """Into a state, with its stamp. `replaced` puts another order in its place."""
        at = self.now()
        if state == "replaced":
            self.put_in_place(order, Order(**{**asdict(order), "id": str(uuid.uuid4()), "replaces": order.id}))
        order.status = state
        if state in STAMPS:
            order.stamps[STAMPS[state]] = stamp(at)
        self.tell(order, state, at, **more)

    def cancel(self, order: Order) -> None:
        if not order.works:
            raise Problem(422, UNPROCESSABLE, f'order is already in "{order.status}" state')
        self.become(order, "canceled")

    def replace(self, order: Order, body: Any) -> Order:
        """Raises Problem. The old order keeps what was filled of it."""
        if not order.works:
            raise Problem(422, UNPROCESSABLE, f'order is already in "{order.status}" state')
        changed = Order(**{**asdict(order), "id": str(uuid.uuid4()), "replaces": order.id})
        changed.qty = amount(body, "qty") if body.get("qty") is not None else order.left
        changed.limit_price = amount(body, "limit_price") if body.get("limit_price") is not None else order.limit_price
        name = body.get("client_order_id")
        changed.client_order_id = name if isinstance(name, str) and name else str(uuid.uuid4())
        self.put_in_place(order, changed)
        self.become_replaced(order)
        return changed

    def become_replaced(self, order: Order) -> None:
        order.status, at = "replaced", self.now()
        order.stamps["replaced_at"] = stamp(at)
        self.tell(order, "replaced", at)

    def put_in_place(self, order: Order, other: Order) -> None:
        if other.client_order_id == order.client_order_id:
            other.client_order_id, other.qty = str(uuid.uuid4()), order.left
        other.filled_qty = other.paid = ZERO
        other.status, other.stamps, other.submitted_at = "new", {}, stamp(self.now())
        order.replaced_by = other.id
        self.orders[other.id] = other
        self.plans[other.id] = ["rest"]
        self.tell(other, "new")

    def named(self, client_order_id: str) -> Order:
        for order in self.orders.values():
            if order.client_order_id == client_order_id:
                return order
        raise Problem(404, NOT_FOUND, "order not found")

    def with_id(self, order_id: str) -> Order:
        if order_id not in self.orders:
            raise Problem(404, NOT_FOUND, f"order not found for {order_id}")
        return self.orders[order_id]

    def tell(self, order: Order, event: str, at: datetime | None = None, **more: Any) -> None:
        """To whoever listens to the stream; and the book is written down."""
        moment = stamp(at or self.now())
        order.updated_at = moment
        data = {"event": event, "timestamp": moment, "at": moment, **more, "order": self.wire(order)}
        data.setdefault("event_id", str(uuid.uuid4()))
        data.setdefault("execution_id", str(uuid.uuid4()))
        self.save()
        for listener in self.listeners:
            listener({"stream": "trade_updates", "data": data})

    def announce(self, action: Action) -> None:
        """In the place of what was announced before for the same day."""
        self.actions = [*(one for one in self.actions if one.id != action.id), action]

    def save(self) -> None:
        """So that a restart keeps everything: in one move, or not at all."""
        if self.file is None:
            return
        state = {
            "cash": str(self.cash),
            "held": {symbol: str(qty) for symbol, qty in self.held.items()},
            "cost": {symbol: str(price) for symbol, price in self.cost.items()},
            "orders": [asdict(order) for order in self.orders.values()],
            "plans": self.plans,
            "activities": self.activities,
            "actions": [asdict(action) for action in self.actions],
            "charged": self.fees.charged,
            "executions": self.executions,
        }
        draft = self.file.with_suffix(".draft")
        draft.write_text(json.dumps(state, default=str))
        draft.replace(self.file)

    def load(self, path: Path) -> None:
        self.file = path
        if not path.exists():
            return
        state = json.loads(path.read_text())
        self.cash = Decimal(state["cash"])
        self.held = {symbol: Decimal(qty) for symbol, qty in state["held"].items()}
        self.cost = {symbol: Decimal(price) for symbol, price in state["cost"].items()}
        self.plans, self.activities = state["plans"], state["activities"]
        self.fees.charged, self.executions = state.get("charged", []), state.get("executions", {})
        fills = [row["transaction_time"] for row in self.activities if row["activity_type"] == "FILL"]
        self.last = max([self.last, *map(datetime.fromisoformat, fills)])
        for row in state.get("actions", ()):
            self.announce(Action(**exactly(row, RATES)))
        for row in state["orders"]:
            self.orders[row["id"]] = Order(**exactly(row, AMOUNTS))


def exactly(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """As it was before it was written down: these of it are decimals."""
    return row | {name: None if row[name] is None else Decimal(row[name]) for name in names}
