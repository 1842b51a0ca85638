"""Exchange day and phase of many instants at once, as the calendar tells them of one."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from trading.market.calendars import FIRST_DAY, LAST_DAY, POST_LASTS, PRE_OPENS, Calendar, Phase

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND, DAY = timedelta(microseconds=1), timedelta(days=1)
IN_ORDER = tuple(Phase)


class Hours(NamedTuple):
    """days: exchange dates as days of the epoch. phases: of each instant its place in IN_ORDER."""

    days: np.ndarray
    phases: np.ndarray


def phases(calendar: Calendar, at: np.ndarray) -> Hours:
    """at: microseconds of the epoch. Raises ValueError for instants that the calendar does not know."""
    if not len(at):
        return Hours(np.empty(0, np.int32), np.empty(0, np.uint8))
    first, last = (calendar.market_day(instant(int(end))) for end in (at.min(), at.max()))
    years = [edges_of(calendar, year) for year in range(first.year, last.year + 1)]
    edges, days, kinds = (np.concatenate(column) for column in zip(*years, strict=True))
    place = np.searchsorted(edges, at, side="right") - 1
    return Hours(days[place], kinds[place])


@lru_cache(maxsize=400)
def edges_of(calendar: Calendar, year: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every instant of a year at which day or phase may change, with what the calendar itself says there."""
    day, last = max(date(year, 1, 1), FIRST_DAY), min(date(year, 12, 31), LAST_DAY)
    edges: list[datetime] = []
    while day <= last:
        edges += edges_on(calendar, day)
        day += DAY
    days = [(calendar.market_day(edge) - EPOCH.date()).days for edge in edges]
    kinds = [IN_ORDER.index(calendar.phase(edge)) for edge in edges]
    return np.array([number(edge) for edge in edges]), np.array(days, np.int32), np.array(kinds, np.uint8)


def edges_on(calendar: Calendar, day: date) -> list[datetime]:
    """In order: midnight, and on a day with a session where each of its phases begins."""
    found = {local(calendar, day, time(0))}
    session = calendar.session_on(day)
    if session:
        ends = session.close + MICROSECOND, session.close + POST_LASTS + MICROSECOND
        found |= {local(calendar, day, PRE_OPENS), session.open, *ends}
    return sorted(edge for edge in found if calendar.market_day(edge) == day)


def local(calendar: Calendar, day: date, at: time) -> datetime:
    return datetime.combine(day, at, calendar.timezone).astimezone(UTC)


def number(at: datetime) -> int:
    """Microseconds of the epoch."""
    return (at - EPOCH) // MICROSECOND


def instant(at: int) -> datetime:
    return EPOCH + at * MICROSECOND
