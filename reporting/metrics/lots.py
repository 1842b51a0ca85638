"""What was bought and is not sold yet, first in, first out. Pure."""

from collections.abc import Sequence
from typing import NamedTuple


class Lot(NamedTuple):
    """Shares with what they cost, fee included (micros)."""

    quantity: int
    cost: int


class Sale(NamedTuple):
    """What a sale closed: how many round trips, how many of them with a profit, and the profit of all (micros)."""

    trips: int
    wins: int
    realised: int


def sell(lots: Sequence[Lot], quantity: int, proceeds: int) -> tuple[list[Lot], Sale]:
    """Take the oldest shares; each lot a sale takes from is one round trip. `proceeds` are after the fee.

    Costs and proceeds are shared out by cumulative floors, so that no micro is made or lost.
    """
    left, trips, wins, realised, taken, paid = list(lots), 0, 0, 0, 0, 0
    while left and taken < quantity:
        oldest = left.pop(0)
        piece = min(oldest.quantity, quantity - taken)
        cost = oldest.cost * piece // oldest.quantity
        if piece < oldest.quantity:
            left.insert(0, Lot(oldest.quantity - piece, oldest.cost - cost))
        taken += piece
        due = proceeds * taken // quantity
        trips, wins, realised = trips + 1, wins + (due - paid > cost), realised + due - paid - cost
        paid = due
    return left, Sale(trips, wins, realised)


def remove(lots: Sequence[Lot], quantity: int) -> list[Lot]:
    """Shares that leave without being sold close no round trip."""
    return sell(lots, quantity, 0)[0]


def split(lots: Sequence[Lot], before: int, after: int) -> list[Lot]:
    """`before` shares in all have become `after`; what they cost stays."""
    scaled, seen, given = [], 0, 0
    for lot in lots:
        seen += lot.quantity
        total = seen * after // before if before else 0
        if total > given:
            scaled.append(Lot(total - given, lot.cost))
            given = total
    return scaled
