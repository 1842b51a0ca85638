"""The price to be expected after splits and dividends, from the last one before them."""

from collections.abc import Collection
from datetime import date
from typing import Protocol

from portfolios.domain.exact import muldiv_floor


class Paid(Protocol):
    """dps: micros a share."""

    @property
    def ex_date(self) -> date: ...
    @property
    def dps(self) -> int: ...


class SplitUp(Protocol):
    @property
    def ex_date(self) -> date: ...
    @property
    def numerator(self) -> int: ...
    @property
    def denominator(self) -> int: ...


def expected_after(price: int, splits: Collection[SplitUp], dividends: Collection[Paid]) -> int:
    """By ex-date; on one day the split first, the dividend is per new share. At least a micro."""
    days = sorted({split.ex_date for split in splits} | {dividend.ex_date for dividend in dividends})
    for day in days:
        for split in (row for row in splits if row.ex_date == day):
            price = muldiv_floor(price, split.denominator, split.numerator)
        price -= sum(row.dps for row in dividends if row.ex_date == day)
    return max(price, 1)
