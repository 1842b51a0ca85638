"""A broker with everything that goes wrong at brokers: it does right by its own book, and its line is bad.

Its book lives in memory. Whoever scripts it decides what each question meets (`fault`), what happens while the line
is open (`meanwhile`) and what becomes of an order that arrives (`arrived`).
"""

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from trading.brokers.base import (
    Abilities,
    BrokerSilent,
    Entry,
    Fill,
    Holdings,
    OrderRequest,
    Report,
    Standing,
    Traded,
    refuse_late,
)
from trading.domain.choices import Side
from trading.domain.costs import OURS
from trading.domain.order_life import WORKING

Answer = TypeVar("Answer")


class Fault(StrEnum):
    """What one question can meet."""

    NONE = "none"
    LOST_REQUEST = "lost request"
    LOST_ANSWER = "lost answer"
    REFUSAL = "refusal"
    GARBAGE = "garbage"
    DOUBLED = "doubled fills"
    REVERSED = "fills in reverse"
    WITHHELD = "fills withheld"


@dataclass
class Placed:
    """One order as the venue has it; of fills that were corrected only the last word stands."""

    request: OrderRequest
    status: str = "accepted"
    fills: list[Fill] = field(default_factory=list)

    @property
    def standing(self) -> list[Fill]:
        gone = {fill.replaces for fill in self.fills}
        return [fill for fill in self.fills if fill.quantity and fill.execution_id not in gone]

    @property
    def filled(self) -> int:
        return sum(fill.quantity for fill in self.standing)

    @property
    def left(self) -> int:
        return self.request.quantity - self.filled

    @property
    def working(self) -> bool:
        return self.status in WORKING

    def report(self) -> Report:
        return Report(self.status, tuple(self.fills))


class Venue:
    """The far end: its book of record, its tape of executions, and what it answers."""

    def __init__(self) -> None:
        self.book: dict[str, Placed] = {}
        self.tape: list[Traded] = []
        self.silent = False
        self.met: Counter[str] = Counter()
        self.script: deque[Fault] = deque()
        self.meanwhile: Callable[[str], None] = lambda moment: None
        self.arrived: Callable[[Placed], None] = lambda placed: None

    def fault(self, question: str) -> Fault:
        return self.script.popleft() if self.script else Fault.NONE

    def asked(self, question: str, act: Callable[[Fault], Answer], request: OrderRequest | None = None) -> Answer:
        """One question over the line; `meanwhile` is told of every moment at which the world may go on."""
        self.meanwhile(f"before {question}")
        fault = self.fault(question)
        self.met[fault] += 1
        if request:
            refuse_late(request)
        if self.silent or fault is Fault.LOST_REQUEST:
            raise BrokerSilent("the line is dead")
        answer = act(fault)
        self.meanwhile(f"during {question}")
        if fault is Fault.LOST_ANSWER:
            raise BrokerSilent("the answer was lost")
        self.meanwhile(f"after {question}")
        return answer

    def enter(self, request: OrderRequest, fault: Fault) -> Report:
        """The same id is the same order."""
        placed = self.book.get(request.client_order_id)
        if placed is None:
            placed = self.book[request.client_order_id] = Placed(request)
            if fault is Fault.REFUSAL:
                placed.status = "rejected"
            else:
                self.arrived(placed)
        return garbled(placed.report(), fault)

    def look_up(self, client_order_id: str, fault: Fault) -> Report | None:
        placed = self.book.get(client_order_id)
        return garbled(placed.report(), fault) if placed else None

    def take_back(self, client_order_id: str, fault: Fault) -> Report | None:
        """A refused cancel leaves the order where it is."""
        placed = self.book.get(client_order_id)
        if placed and placed.working and fault is not Fault.REFUSAL:
            placed.status = "cancelled"
        return garbled(placed.report(), fault) if placed else None

    def trade(self, placed: Placed, quantity: int, price: int, at: datetime, commission: int = OURS) -> Fill:
        """Somebody trades with it: in part, whole, late, or more than there is. Names the execution."""
        fill = Fill(self.next_name(placed), quantity, price, commission, at)
        self.note(placed, fill)
        if placed.working:
            placed.status = "filled" if placed.left <= 0 else "partially_filled"
        return fill

    def correct(self, placed: Placed, wrong: Fill, quantity: int, price: int, at: datetime) -> Fill:
        """Say that a fill was another one, or (quantity 0) none at all."""
        fill = Fill(self.next_name(placed), quantity, price, wrong.commission, at, replaces=wrong.execution_id)
        self.note(placed, fill)
        if placed.working:
            placed.status = "filled" if placed.left <= 0 else "partially_filled"
        return fill

    def end(self, placed: Placed, status: str) -> None:
        if placed.working:
            placed.status = status

    def expire(self, at: datetime) -> None:
        for placed in self.book.values():
            if placed.request.expires_at and at >= placed.request.expires_at:
                self.end(placed, "expired")

    def note(self, placed: Placed, fill: Fill) -> None:
        placed.fills.append(fill)
        request = placed.request
        self.tape.append(Traded(request.client_order_id, request.symbol, request.side, fill))

    def next_name(self, placed: Placed) -> str:
        return f"{placed.request.client_order_id}-{len(placed.fills) + 1}"

    def standing(self) -> list[Standing]:
        return [
            Standing(key, one.request.symbol, one.request.side, one.request.quantity, one.filled, one.status)
            for key, one in self.book.items()
            if one.working
        ]

    def shares(self) -> dict[str, int]:
        """What was bought less what was sold, by symbol."""
        held: Counter[str] = Counter()
        for placed in self.book.values():
            held[placed.request.symbol] += placed.filled if placed.request.side == Side.BUY else -placed.filled
        return dict(held)


def garbled(report: Report, fault: Fault) -> Report:
    """The same truth as a bad line tells it."""
    if fault is Fault.GARBAGE:
        return Report("?!", note="no status that anybody knows")
    if fault is Fault.DOUBLED:
        return report._replace(fills=report.fills + report.fills)
    if fault is Fault.REVERSED:
        return report._replace(fills=report.fills[::-1])
    if fault is Fault.WITHHELD and report.status in WORKING:
        return report._replace(fills=report.fills[:-1])
    return report


VENUES: dict[str, Venue] = {}


@contextmanager
def opened(account: str) -> Iterator[Venue]:
    """A venue for one account, as long as it is needed."""
    VENUES[account] = Venue()
    try:
        yield VENUES[account]
    finally:
        del VENUES[account]


class FaultyBroker:
    """The adapter: one line to the venue per question."""

    grace = 5.0

    def __init__(self, account: str) -> None:
        self.venue = VENUES[account]

    def submit(self, request: OrderRequest) -> Report:
        return self.venue.asked("submit", lambda fault: self.venue.enter(request, fault), request)

    def find(self, request: OrderRequest) -> Report | None:
        return self.venue.asked("find", lambda fault: self.venue.look_up(request.client_order_id, fault))

    def cancel(self, request: OrderRequest) -> Report | None:
        return self.venue.asked("cancel", lambda fault: self.venue.take_back(request.client_order_id, fault))

    def open_orders(self) -> list[Standing]:
        return self.venue.asked("open orders", lambda _: self.venue.standing())

    def fills_since(self, cursor: str) -> tuple[list[Traded], str]:
        seen = int(cursor or 0)
        return self.venue.asked("fills", lambda _: (self.venue.tape[seen:], str(len(self.venue.tape))))

    def holdings(self) -> Holdings | None:
        return self.venue.asked("holdings", lambda _: Holdings(self.venue.shares(), None, since_opening=True))

    def entries_since(self, first: date) -> list[Entry] | None:
        return None

    def abilities(self, symbols: Collection[str]) -> Abilities | None:
        return None
