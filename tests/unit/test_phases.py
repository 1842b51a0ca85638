"""Days and phases of many instants at once are those the calendar tells of each."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import numpy as np
import pytest

from trading.market.calendars import calendar_for
from trading.market.phases import EPOCH, IN_ORDER, MICROSECOND, edges_of, instant, number, phases


def assert_equal(instants: list[datetime]) -> None:
    calendar = calendar_for()
    hours = phases(calendar, np.array([number(at) for at in instants]))
    told = [(EPOCH.date() + timedelta(days=int(day)), IN_ORDER[kind]) for day, kind in zip(*hours, strict=True)]
    assert told == [(calendar.market_day(at), calendar.phase(at)) for at in instants]


def test_around_every_edge_of_two_decades() -> None:
    """Openings, closes, half days, nights, weekends and both changes of the clock, a microsecond to either side."""
    calendar = calendar_for()
    every = [instant(int(edge)) for year in range(2005, 2027) for edge in edges_of(calendar, year)[0]]
    assert len(every) > 22 * 252 * 5
    edges = Random(5).sample(every, 1_500)
    half_days = [day for day in calendar.sessions_between(date(2005, 1, 1), date(2026, 12, 31)) if is_short(day)]
    assert len(half_days) > 40
    edges += [at for day in half_days for at in (day.open, day.close, day.close + timedelta(hours=4))]
    assert_equal(sorted(edge + step * MICROSECOND for edge in edges for step in (-1, 0, 1)))


def is_short(session) -> bool:  # type: ignore[no-untyped-def]
    return session.close - session.open < timedelta(hours=6)


def test_every_quarter_of_an_hour_where_the_clock_changes() -> None:
    for year in (2006, 2007, 2019, 2026):
        for begins in (date(year, 3, 7), date(year, 10, 25)):
            first = datetime(begins.year, begins.month, begins.day, tzinfo=UTC)
            assert_equal([first + timedelta(minutes=15 * step) for step in range(14 * 96)])


def test_any_instants_in_any_order() -> None:
    chance = Random(6)
    first, last = number(datetime(2005, 1, 1, tzinfo=UTC)), number(datetime(2026, 12, 31, tzinfo=UTC))
    assert_equal([instant(chance.randint(first, last)) for _ in range(5_000)])


def test_none_and_what_no_calendar_knows() -> None:
    assert [len(column) for column in phases(calendar_for(), np.empty(0, np.int64))] == [0, 0]
    for at in (datetime(1989, 12, 31, tzinfo=UTC), datetime(2041, 1, 2, tzinfo=UTC)):
        with pytest.raises(ValueError, match="sessions are known from"):
            phases(calendar_for(), np.array([number(at)]))
