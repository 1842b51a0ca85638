"""A column of an export: its name, what kind of value it holds, and where that comes from."""

from enum import Enum, auto
from typing import Any, NamedTuple


class Type(Enum):
    """How the value arrives: amounts, prices and shares of one are integers of millionths.

    TEXT is what people wrote; a WORD is one of ours or an id, and as harmless as a number.
    """

    TEXT = auto()
    WORD = auto()
    AMOUNT = auto()
    COUNT = auto()
    DAY = auto()
    TIME = auto()
    INSTANT = auto()  # as ISO text


class Column(NamedTuple):
    """source: a field's path or an expression where rows are read from a table, else what gets it from a row."""

    name: str
    type: Type
    source: Any
