"""Every session edge of twenty-two years, as the library has it, on two exchanges."""

from datetime import UTC, date, timedelta

import exchange_calendars
import pytest

from trading.market.calendars import Phase, calendar_for

FIRST, LAST = date(2005, 1, 1), date(2026, 12, 31)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(("exchange", "half_days"), [("XNYS", 45), ("XLON", 40)])
def test_each_edge_is_the_librarys_to_the_second(exchange, half_days):
    ours = calendar_for(exchange)
    theirs = exchange_calendars.get_calendar(exchange, start=FIRST, end=LAST, side="both")
    wanted = [
        (day.date(), opens.to_pydatetime().astimezone(UTC), closes.to_pydatetime().astimezone(UTC))
        for day, opens, closes in zip(theirs.sessions, theirs.opens, theirs.closes, strict=True)
    ]
    found = ours.sessions_between(FIRST, LAST)
    assert [tuple(session) for session in found] == wanted
    assert len(found) > 5_500
    for session in found:
        edges = (session.open - SECOND, session.open, session.close, session.close + SECOND)
        assert [ours.is_open(at) for at in edges] == [False, True, True, False], session
        assert [ours.phase(at) for at in edges] == [Phase.PRE, Phase.REGULAR, Phase.REGULAR, Phase.POST], session
    lengths = [session.close - session.open for session in found]
    assert sum(length < max(lengths) for length in lengths) >= half_days


@pytest.mark.parametrize("exchange", ["XNYS", "XLON"])
def test_no_day_but_a_session_is_ever_open_and_summer_moves_the_hours(exchange):
    ours = calendar_for(exchange)
    sessions = {session.day: session for session in ours.sessions_between(FIRST, LAST)}
    day = FIRST
    while day <= LAST:
        assert ours.session_on(day) == sessions.get(day)
        day += timedelta(days=1)
    hours = {(session.open.hour, session.open.minute) for session in sessions.values()}
    assert hours == ({(13, 30), (14, 30)} if exchange == "XNYS" else {(7, 0), (8, 0)})
