"""Rows that are in memory already, paged as a table's are: by a number that ascends."""

from collections.abc import Callable, Sequence
from typing import Any


class Numbered:
    """What the pagination asks of a query. `show` makes the row of a number, for the numbers of one page only."""

    def __init__(self, numbers: Sequence[int], show: Callable[[int], Any]) -> None:
        self.numbers, self.show = numbers, show

    def filter(self, *, number__gt: str | None = None, number__lt: str | None = None) -> "Numbered":
        low = int(number__gt) if number__gt else None
        high = int(number__lt) if number__lt else None
        kept = [n for n in self.numbers if (low is None or n > low) and (high is None or n < high)]
        return Numbered(kept, self.show)

    def order_by(self, key: str) -> "Numbered":
        return Numbered(self.numbers[::-1], self.show) if key.startswith("-") else self

    def __getitem__(self, page: slice) -> list[Any]:
        return [self.show(number) for number in self.numbers[page]]
