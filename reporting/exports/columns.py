"""A column of an export: its name, what kind of value it holds, and where that comes from."""

from enum import Enum, auto
from typing import Any, NamedTuple


class Type(Enum):
    """How the value arrives: amounts, prices and shares of one are integers of millionths."""

    TEXT = auto()
    AMOUNT = auto()
    COUNT = auto()
    DAY = auto()
    TIME = auto()
    INSTANT = auto()


class Column(NamedTuple):
    """source: a field's path or an expression where rows are read from a table, else the name of an attribute."""

    name: str
    type: Type
    source: Any
