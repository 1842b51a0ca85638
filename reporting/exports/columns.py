"""A column of an export: its name, what kind of value it holds, and where that comes from."""

from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import Any, NamedTuple, Protocol


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


class Placed(Protocol):
    """What rows belong to: the words that each of them ends with."""

    @property
    def place(self) -> tuple[str, ...]: ...


class Named(Protocol):
    """own: the columns that rows bring along; columns: with those of their place."""

    @property
    def own(self) -> tuple[Column, ...]: ...

    @property
    def columns(self) -> tuple[Column, ...]: ...


class Table(Protocol):
    """What a file is written from: some thousand rows at a time."""

    @property
    def kind(self) -> Named: ...

    @property
    def file_name(self) -> str: ...

    def chunks(self) -> Iterator[tuple[Placed, list[Sequence[Any]]]]: ...
