"""Periods people ask for, in market days: presets, and a range of their own. Pure."""

from datetime import date, timedelta
from typing import NamedTuple

PRESETS = {"30": "30 days", "90": "90 days", "year": "One year", "all": "Since the beginning"}
DAYS = {"30": 30, "90": 90, "year": 365}
DEFAULT = "90"


class Period(NamedTuple):
    """Market days, both included; first None is since the beginning."""

    first: date | None
    last: date

    @property
    def eve(self) -> date:
        """The day whose totals are taken off."""
        return self.first - timedelta(days=1) if self.first else date.min


def preset(name: str, today: date) -> Period:
    days = DAYS.get(name)
    return Period(today - timedelta(days=days - 1) if days else None, today)
