"""A broker that lives elsewhere: it keeps its own book by client_order_id, and its answers may get lost on the way."""

import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

from trading.brokers.base import Abilities, BrokerSilent, Entry, Fill, Holdings, OrderRequest, Report, Standing, Traded
from trading.domain.costs import OURS
from trading.domain.order_life import WORKING

FAKE = {"paper": "tests.fake_broker.FakeBroker"}


@dataclass
class Placed:
    """One order as the venue has it."""

    request: OrderRequest
    status: str
    fills: list[Fill] = field(default_factory=list)

    def report(self) -> Report:
        return Report(self.status, tuple(self.fills))


class Venue:
    """`habit` is what it does with an order that arrives: fills, rests or refuses."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.open_again()

    def open_again(self, habit: str = "fills") -> None:
        self.habit = habit
        self.book: dict[str, Placed] = {}
        self.submissions: list[str] = []
        self.lookups = 0
        self.lost_requests = 0
        self.lost_answers = 0
        self.delay = 0.0
        self.silent = False
        self.held: Holdings | None = None
        self.traded: list[Traded] = []

    def submit(self, request: OrderRequest) -> Report:
        time.sleep(self.delay)
        with self.lock:
            self.submissions.append(request.client_order_id)
            self.lose_request()
            if request.client_order_id not in self.book:
                self.book[request.client_order_id] = self.take(request)
            self.lose_answer()
            return self.book[request.client_order_id].report()

    def find(self, request: OrderRequest) -> Report | None:
        with self.lock:
            self.lookups += 1
            self.lose_request()
            standing = self.book.get(request.client_order_id)
            self.lose_answer()
            return standing.report() if standing else None

    def take(self, request: OrderRequest) -> Placed:
        if self.habit == "refuses":
            return Placed(request, "rejected")
        if self.habit == "rests":
            return Placed(request, "accepted")
        fill = self.execution(request, request.quantity, request.price, 1)
        return Placed(request, "filled", [self.note(request, fill)])

    def fill(self, client_order_id: str, quantity: int, price: int) -> Fill:
        """Somebody at the venue trades with the resting order."""
        with self.lock:
            standing = self.book[client_order_id]
            fill = self.execution(standing.request, quantity, price, len(standing.fills) + 1)
            standing.fills.append(self.note(standing.request, fill))
            done = sum(part.quantity for part in standing.fills)
            standing.status = "filled" if done >= standing.request.quantity else "partially_filled"
            return fill

    def end(self, client_order_id: str, status: str) -> None:
        with self.lock:
            self.book[client_order_id].status = status

    def keep_silent(self) -> None:
        if self.silent:
            raise BrokerSilent("the line is dead")

    def standing(self) -> list[Standing]:
        self.keep_silent()
        return [
            Standing(name, order.request.symbol, order.request.side, order.request.quantity, done(order), order.status)
            for name, order in self.book.items()
            if order.status in WORKING
        ]

    def traded_since(self, number: int) -> tuple[list[Traded], str]:
        """Two to a page, so that every test of a reader turns pages."""
        self.keep_silent()
        page = self.traded[number : number + 2]
        return page, str(number + len(page))

    def note(self, request: OrderRequest, fill: Fill) -> Fill:
        self.traded.append(Traded(request.client_order_id, request.symbol, request.side, fill))
        return fill

    def bought(self) -> int:
        """Shares it has traded in all, in micros."""
        return sum(fill.quantity for standing in self.book.values() for fill in standing.fills)

    def lose_request(self) -> None:
        if self.lost_requests > 0:
            self.lost_requests -= 1
            raise BrokerSilent("the line is dead")

    def lose_answer(self) -> None:
        if self.lost_answers > 0:
            self.lost_answers -= 1
            raise BrokerSilent("the answer was lost")

    @staticmethod
    def execution(request: OrderRequest, quantity: int, price: int, number: int) -> Fill:
        return Fill(f"venue-{request.client_order_id}-{number}", quantity, price, OURS, request.market_at)


def done(order: Placed) -> int:
    return sum(fill.quantity for fill in order.fills)


VENUE = Venue()


class FakeBroker:
    """The adapter: one line to the venue per question."""

    grace = 0.0

    def __init__(self, account: str) -> None:
        self.account = account

    def submit(self, request: OrderRequest) -> Report:
        return VENUE.submit(request)

    def find(self, request: OrderRequest) -> Report | None:
        return VENUE.find(request)

    def cancel(self, request: OrderRequest) -> Report | None:
        if request.client_order_id not in VENUE.book:
            return None
        VENUE.end(request.client_order_id, "cancelled")
        return VENUE.book[request.client_order_id].report()

    def open_orders(self) -> list[Standing]:
        return VENUE.standing()

    def fills_since(self, cursor: str) -> tuple[list[Traded], str]:
        return VENUE.traded_since(int(cursor or 0))

    def holdings(self) -> Holdings | None:
        VENUE.keep_silent()
        return VENUE.held

    def entries_since(self, first: date) -> list[Entry] | None:
        return None

    def abilities(self, symbols: Collection[str]) -> Abilities | None:
        return None
