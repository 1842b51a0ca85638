"""Splits and dividends of one symbol as bars meet them: what they let expect of the next price."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from dividends.domain.expected import Paid, SplitUp, expected_after
from dividends.selectors import known_actions
from trading.bars.rows import EPOCH, day_number


class Actions(NamedTuple):
    dividends: Sequence[Paid]
    splits: Sequence[SplitUp]

    def between(self, before: int, day: int) -> "Actions":
        """With an ex-date after one exchange day and not after the other (days of the epoch)."""
        first, last = day_of(before), day_of(day)
        return Actions(
            [row for row in self.dividends if first < row.ex_date <= last],
            [row for row in self.splits if first < row.ex_date <= last],
        )

    def expected(self, close: int) -> int:
        """After all of them, in micros; at least one."""
        return expected_after(close, self.splits, self.dividends)

    @property
    def days(self) -> list[int]:
        """On which anything happens (days of the epoch), in order."""
        days = {row.ex_date for row in self.dividends} | {row.ex_date for row in self.splits}
        return sorted(map(day_number, days))


def known_of(symbol: str) -> Actions:
    """Whoever told them."""
    return Actions(*known_actions(symbol))


def day_of(number: int) -> date:
    return EPOCH + timedelta(days=number)
