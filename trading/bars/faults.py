"""What is wrong with a file of bars, by line and column."""

from collections.abc import Sequence
from typing import NamedTuple

MOST_TOLD = 20


class Fault(NamedTuple):
    """line: of the file, counted from 1; 0 where it is the file as a whole."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        place = ", ".join(filter(None, (f"line {self.line}" if self.line else "", self.column)))
        return f"{place}: {self.message}" if place else self.message


class Unfit(ValueError):
    """A file none of which is taken in, and the first 20 things that are wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)[:MOST_TOLD]


def unfit(message: str, column: str = "") -> Unfit:
    """Of the file as a whole."""
    return Unfit([Fault(0, column, message)])
