"""Two books side by side, ours and the broker's: what is equal, what differs."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from portfolios.domain.amounts import as_text

EQUAL, DIFFERS, REPAIRED, NOTED = "equal", "differs", "repaired", "noted"
SHARES, TRADED, CASH, ORDER, FILL, ENTRY = "shares", "traded", "cash", "order", "fill", "entry"


class Line(NamedTuple):
    """One thing both books know of. Amounts as text; difference is theirs less ours, where it can be said."""

    kind: str
    subject: str
    ours: str
    theirs: str
    verdict: str
    difference: str = ""
    note: str = ""

    @property
    def named(self) -> dict[str, Any]:
        return self._asdict()


def shares_side_by_side(
    kind: str, ours: Mapping[str, int], theirs: Mapping[str, int], outside: Mapping[str, int]
) -> list[Line]:
    """A line per symbol. `outside`: what a person confirmed that the broker has beyond our cells (signed micros)."""
    lines = []
    for symbol in sorted({*ours, *theirs, *outside}):
        mine, beyond, other = ours.get(symbol, 0), outside.get(symbol, 0), theirs.get(symbol, 0)
        if mine or beyond or other:
            note = f"with {as_text(beyond)} outside the cells" if beyond else ""
            lines.append(amounts(kind, symbol, mine + beyond, other, is_right=mine + beyond == other, note=note))
    return lines


def cash_side_by_side(ours: int, theirs: int, explained: int = 0) -> Line:
    """The broker may hold more cash than the cells were given, never less but for what is explained."""
    note = f"{as_text(explained)} less are explained by dividends" if explained else ""
    return amounts(CASH, "cash", ours - explained, theirs, is_right=theirs >= ours - explained, note=note)


def received_side_by_side(ours: int, theirs: int) -> Line:
    """Net dividends paid, to the micro."""
    return amounts(CASH, "dividends", ours, theirs, is_right=theirs == ours)


def amounts(kind: str, subject: str, ours: int, theirs: int, *, is_right: bool, note: str = "") -> Line:
    verdict = EQUAL if is_right else DIFFERS
    return Line(kind, subject, as_text(ours), as_text(theirs), verdict, as_text(theirs - ours), note)
