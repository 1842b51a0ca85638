"""The lot that instrument and account prescribe to a cell: noted in its log, so that the past can be decided again."""

from typing import NamedTuple

from portfolios.domain.amounts import as_text
from portfolios.events import EventType
from portfolios.models import Position
from portfolios.services.journal import Journal


class Lot(NamedTuple):
    """The smallest step of an order in micros, and why it is that, in words."""

    micros: int
    why: str


ANY = Lot(1, "parts of a share are traded")


def heed_lot(journal: Journal, position: Position, lot: Lot) -> bool:
    """Note it in the journal of the locked cell where it is another one than before; whether it is.

    To be written with `also=("lot",)`.
    """
    if position.lot == lot.micros:
        return False
    before, position.lot = position.lot, lot.micros
    journal.add(
        EventType.LOT_CHANGED,
        f"Orders in steps of {shares(lot.micros)} from now on: {lot.why}.",
        inputs={"lot": as_text(before), "why": lot.why},
        outputs={"lot": as_text(lot.micros)},
    )
    return True


def shares(lot: int) -> str:
    """0.000001 is said as what people call it."""
    named = {1: "a millionth of a share", 1_000_000: "a whole share"}
    return named.get(lot, f"{as_text(lot)} shares")
