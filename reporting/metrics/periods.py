"""Periods people ask for, in market days: so many up to today, or days of their own. Pure."""

from datetime import date, timedelta
from typing import NamedTuple

PRESETS = {"30": "Last 30 days", "90": "Last 90 days", "year": "Last 365 days", "all": "All days"}
DAYS = {"30": 30, "90": 90, "year": 365}


class Period(NamedTuple):
    """Market days, both included; first None is since the beginning."""

    first: date | None
    last: date

    @property
    def eve(self) -> date:
        """The day whose totals are taken off."""
        return self.first - timedelta(days=1) if self.first and self.first > date.min else date.min


def period_of(preset: str, first: date | None, last: date | None, today: date) -> Period:
    """A preset counts back from the newest market day; without one the days given, open ends being all there is."""
    days = DAYS.get(preset)
    if days:
        return Period(today - timedelta(days=days - 1), today)
    return Period(first, min(last or today, today))
