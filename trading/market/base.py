"""What a source of prices must do."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol


class PriceUnavailable(Exception):
    """The source did not answer; nothing is known, nothing is invented."""


class Price(NamedTuple):
    """One price as a source gives it, in micros, at market time `at`; bid and ask 0 when the source has none.

    last_at: when `last` was traded, where that is older than `at`. origin: who told it, where not the source itself.
    """

    symbol: str
    at: datetime
    last: int
    bid: int
    ask: int
    last_at: datetime | None = None
    origin: str = ""


class Unreadable(NamedTuple):
    """What a source gave for a price and is none; `text` as it came, `at` where at least that could be read."""

    symbol: str
    at: datetime
    text: str
    origin: str = ""


class PriceSource(Protocol):
    name: str

    def newest(self, symbols: Collection[str]) -> Sequence[Price | Unreadable]:
        """The newest price of each symbol it knows. Raises PriceUnavailable."""
