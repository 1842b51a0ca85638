"""Sessions, half days, holidays and daylight saving of the New York exchange, down to the second."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from trading.market.calendars import LAST_DAY, Phase, calendar_for

NEW_YORK = ZoneInfo("America/New_York")
SECOND = timedelta(seconds=1)


def new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


@pytest.fixture(scope="module")
def exchange():
    return calendar_for("XNYS")


def test_the_closing_instant_is_open_and_a_second_later_is_closed(exchange):
    close = new_york("2007-01-03 16:00:00")
    assert exchange.is_open(close)
    assert not exchange.is_open(close + SECOND)


def test_the_opening_instant_is_open_and_a_second_before_is_closed(exchange):
    opening = new_york("2007-01-03 09:30:00")
    assert exchange.is_open(opening)
    assert not exchange.is_open(opening - SECOND)


def test_the_day_before_independence_day_closes_at_one(exchange):
    session = exchange.session_on(date(2012, 7, 3))
    assert session.close == new_york("2012-07-03 13:00")
    assert exchange.is_open(session.close)
    assert not exchange.is_open(session.close + SECOND)


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (date(2007, 1, 1), "New Year"),
        (date(2007, 1, 2), "mourning for President Ford"),
        (date(2007, 1, 6), "Saturday"),
        (date(2001, 9, 11), "the attack, closed for four sessions"),
        (date(2001, 9, 14), "the attack, closed for four sessions"),
        (date(2012, 10, 29), "hurricane Sandy"),
        (date(2012, 12, 25), "Christmas"),
    ],
)
def test_the_exchange_rests(exchange, day, reason):
    assert exchange.session_on(day) is None, reason
    assert exchange.phase(datetime(day.year, day.month, day.day, 17, tzinfo=UTC)) == Phase.CLOSED


def test_trading_resumes_on_the_monday_after_the_attack(exchange):
    assert exchange.next_open(new_york("2001-09-10 16:00:01")) == new_york("2001-09-17 09:30")


@pytest.mark.parametrize(
    ("before", "after", "utc_before", "utc_after"),
    [
        (date(2007, 3, 9), date(2007, 3, 12), 14, 13),
        (date(2007, 11, 2), date(2007, 11, 5), 13, 14),
        (date(2006, 3, 31), date(2006, 4, 3), 14, 13),
    ],
)
def test_half_past_nine_in_new_york_moves_with_daylight_saving(exchange, before, after, utc_before, utc_after):
    sessions = exchange.sessions_between(before, after)
    assert [session.day for session in sessions] == [before, after]
    assert [(session.open.hour, session.open.minute) for session in sessions] == [(utc_before, 30), (utc_after, 30)]


def test_a_week_has_the_sessions_of_both_its_ends(exchange):
    week = exchange.sessions_between(date(2007, 1, 1), date(2007, 1, 8))
    assert [session.day.day for session in week] == [3, 4, 5, 8]
    assert exchange.sessions_between(date(2007, 1, 6), date(2007, 1, 7)) == []


def test_instants_come_back_in_utc(exchange):
    session = exchange.session_on(date(2007, 1, 3))
    assert session == (date(2007, 1, 3), datetime(2007, 1, 3, 14, 30, tzinfo=UTC), datetime(2007, 1, 3, 21, tzinfo=UTC))
    assert session.open.tzinfo is UTC


@pytest.mark.parametrize(
    ("instant", "phase"),
    [
        ("2007-01-03 03:59:59", Phase.CLOSED),
        ("2007-01-03 04:00:00", Phase.PRE),
        ("2007-01-03 09:29:59", Phase.PRE),
        ("2007-01-03 09:30:00", Phase.REGULAR),
        ("2007-01-03 16:00:00", Phase.REGULAR),
        ("2007-01-03 16:00:01", Phase.POST),
        ("2007-01-03 20:00:00", Phase.POST),
        ("2007-01-03 20:00:01", Phase.CLOSED),
        ("2012-07-03 13:00:01", Phase.POST),
        ("2012-07-03 17:00:01", Phase.CLOSED),
    ],
)
def test_a_day_has_a_pre_market_a_session_and_a_post_market(exchange, instant, phase):
    assert exchange.phase(new_york(instant)) == phase


def test_late_evening_in_utc_still_belongs_to_the_new_york_day(exchange):
    assert exchange.market_day(datetime(2007, 1, 4, 4, 59, tzinfo=UTC)) == date(2007, 1, 3)
    assert exchange.market_day(datetime(2007, 1, 4, 5, 0, tzinfo=UTC)) == date(2007, 1, 4)


def test_the_next_opening_is_always_a_later_one(exchange):
    opening = new_york("2007-01-03 09:30")
    assert exchange.next_open(opening - SECOND) == opening
    assert exchange.next_open(opening) == new_york("2007-01-04 09:30")
    assert exchange.next_open(new_york("2007-01-05 16:00")) == new_york("2007-01-08 09:30")


def test_an_open_market_names_its_session_and_a_closed_one_none(exchange):
    assert exchange.session_of(new_york("2007-01-03 12:00")).day == date(2007, 1, 3)
    assert exchange.session_of(new_york("2007-01-03 20:00")) is None


def test_nasdaq_shares_keep_the_same_hours(exchange):
    first, last = date(2000, 3, 1), date(2013, 3, 1)
    assert calendar_for("XNAS").sessions_between(first, last) == exchange.sessions_between(first, last)


def test_it_agrees_with_the_library_on_both_sides_of_every_bell(exchange):
    import exchange_calendars

    library = exchange_calendars.get_calendar("XNYS", start="2001-08-01", end="2002-01-31", side="both")
    for session in exchange.sessions_between(date(2001, 9, 4), date(2001, 12, 28)):
        bells = (session.open, session.close)
        for at in [
            bell + step for bell in bells for step in (-timedelta(minutes=1), timedelta(0), timedelta(minutes=1))
        ]:
            assert exchange.is_open(at) == library.is_open_on_minute(at)


def test_a_day_beyond_the_known_calendar_is_an_error_not_a_holiday(exchange):
    with pytest.raises(ValueError, match="sessions are known"):
        exchange.session_on(LAST_DAY + timedelta(days=1))
    with pytest.raises(ValueError, match="sessions are known"):
        exchange.is_open(datetime(1989, 12, 29, 17, tzinfo=UTC))


def test_an_instant_without_a_time_zone_is_refused(exchange):
    with pytest.raises(ValueError, match="no time zone"):
        exchange.is_open(datetime(2007, 1, 3, 12))


def test_the_calendar_is_built_once(exchange):
    assert calendar_for("XNYS") is exchange
