"""What the venue tells unasked: messages of its book as the inbox takes them, late, twice and in any order."""

import json
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from portfolios.domain.amounts import as_text
from trading.brokers.base import Fill
from trading.brokers.faulty import Placed
from trading.domain.costs import OURS


class Letter(NamedTuple):
    delivery_id: str
    body: str


class Post:
    """Its dialect: it names executions, or tells how much is filled at what average, or now this and now that."""

    def __init__(self, chance: Random, now: Callable[[], Any]) -> None:
        self.chance = chance
        self.dialect = chance.choice(("executions", "totals", "both"))
        self.now = now
        self.letters: list[Letter] = []
        self.written = 0
        self.met: Counter[str] = Counter()

    def tell_of(self, placed: Placed, fill: Fill) -> None:
        if self.dialect == "totals":
            self.tell_state(placed)
        elif fill.replaces:
            kind = "execution.corrected" if fill.quantity else "execution.busted"
            amounts = priced(fill) if fill.quantity else {}
            self.write(kind, placed, amounts | {"execution_id": fill.execution_id, "replaces": fill.replaces})
        else:
            self.write("execution.filled", placed, priced(fill) | {"execution_id": fill.execution_id})

    def tell_state(self, placed: Placed) -> None:
        if self.dialect == "executions" and placed.filled:
            return
        state = {"status": placed.status, "filled_quantity": as_text(placed.filled)}
        if placed.filled:
            value = sum(fill.quantity * fill.price for fill in placed.standing)
            state["average_price"] = as_text((2 * value + placed.filled) // (2 * placed.filled))
        self.write("order.updated", placed, state)

    def tell_nonsense(self, placed: Placed) -> None:
        """Of another symbol, of an order nobody knows, of a kind nobody knows, or no message at all."""
        choice = self.chance.randrange(4)
        if choice == 0:
            wrong = {"status": placed.status, "filled_quantity": "0", "symbol": "WRONG"}
            self.write("order.updated", placed, wrong)
        elif choice == 1:
            unknown = {"client_order_id": "nobody", "status": "filled", "filled_quantity": "0"}
            self.write("order.updated", placed, unknown)
        elif choice == 2:
            self.write("order.teleported", placed, {})
        else:
            self.add('{"type":')

    def write(self, kind: str, placed: Placed, more: dict[str, str]) -> None:
        request = placed.request
        data = {
            "client_order_id": request.client_order_id,
            "symbol": request.symbol,
            "side": request.side.name,
            "at": request.market_at.isoformat(),
        }
        self.add(json.dumps({"type": kind, "timestamp": self.now().isoformat(), "data": data | more}))

    def add(self, body: str) -> None:
        self.written += 1
        self.letters.append(Letter(f"letter-{self.written}", body))

    def draw(self) -> Letter | None:
        """Any of them; some come again later."""
        if not self.letters:
            return None
        place = self.chance.randrange(len(self.letters))
        self.met["delivery out of order"] += place > 0
        return self.letters[place] if self.chance.random() < 0.2 else self.letters.pop(place)


def priced(fill: Fill) -> dict[str, str]:
    figures = {"quantity": as_text(fill.quantity), "price": as_text(fill.price)}
    return figures if fill.commission == OURS else figures | {"commission": as_text(fill.commission)}
