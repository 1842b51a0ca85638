"""When an exchange trades: sessions, half days, holidays and daylight saving, answered from plain datetimes.

Intervals are closed: the closing instant counts as open. Instants are aware; what comes back is UTC.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

DEFAULT_EXCHANGE = "XNYS"
# Fixed, so that two processes started on different days agree; far enough for any history and any open order.
FIRST_DAY = date(1990, 1, 1)
LAST_DAY = date(2040, 12, 31)
PRE_OPENS = time(4, 0)
# To 20:00 on a full day and to 17:00 on a half day, as American exchanges trade.
POST_LASTS = timedelta(hours=4)


class Phase(StrEnum):
    PRE = "pre"
    REGULAR = "regular"
    POST = "post"
    CLOSED = "closed"


class Session(NamedTuple):
    """One trading day of an exchange; `open` and `close` are aware UTC and both belong to it."""

    day: date
    open: datetime
    close: datetime


class Calendar:
    """The sessions of one exchange from FIRST_DAY to LAST_DAY; outside, every question raises ValueError."""

    def __init__(self, exchange: str, timezone: ZoneInfo, sessions: Sequence[Session]) -> None:
        self.exchange = exchange
        self.timezone = timezone
        self._sessions = tuple(sessions)
        self._days = [session.day for session in sessions]
        self._opens = [session.open for session in sessions]
        self._closes = [session.close for session in sessions]
        self._by_day = dict(zip(self._days, self._sessions, strict=True))

    def market_day(self, at: datetime) -> date:
        """The date on the exchange's own clock, whether it trades on that day or not."""
        if at.tzinfo is None:
            raise ValueError(f"{at} has no time zone")
        return self._within(at.astimezone(self.timezone).date())

    def session_on(self, day: date) -> Session | None:
        """The session of an exchange date; None on weekends and holidays."""
        return self._by_day.get(self._within(day))

    def session_of(self, at: datetime) -> Session | None:
        """The session that is open at this instant, both ends included."""
        session = self.session_on(self.market_day(at))
        return session if session and session.open <= at <= session.close else None

    def sessions_between(self, first: date, last: date) -> list[Session]:
        """Both days included, oldest first."""
        start = bisect_left(self._days, self._within(first))
        return list(self._sessions[start : bisect_right(self._days, self._within(last))])

    def is_open(self, at: datetime) -> bool:
        return self.session_of(at) is not None

    def phase(self, at: datetime) -> Phase:
        """Pre-market from 04:00 on the exchange's clock, post-market for four hours after the close."""
        session = self.session_on(self.market_day(at))
        if session is None:
            return Phase.CLOSED
        if session.open <= at <= session.close:
            return Phase.REGULAR
        if at > session.close:
            return Phase.POST if at <= session.close + POST_LASTS else Phase.CLOSED
        return Phase.PRE if at.astimezone(self.timezone).time() >= PRE_OPENS else Phase.CLOSED

    def trading_ends(self, at: datetime) -> datetime | None:
        """When an order for the day given at this instant ends: the session's close, or the post-market's after it.

        None on a day without a session.
        """
        session = self.session_on(self.market_day(at))
        if session is None:
            return None
        return session.close if at <= session.close else session.close + POST_LASTS

    def next_open(self, at: datetime) -> datetime:
        """The first opening after this instant."""
        self.market_day(at)
        following = bisect_right(self._opens, at)
        if following == len(self._opens):
            raise ValueError(f"{self.exchange} sessions are known to {LAST_DAY} only")
        return self._opens[following]

    def next_close(self, at: datetime) -> datetime:
        """The first close after this instant."""
        self.market_day(at)
        following = bisect_right(self._closes, at)
        if following == len(self._closes):
            raise ValueError(f"{self.exchange} sessions are known to {LAST_DAY} only")
        return self._closes[following]

    def _within(self, day: date) -> date:
        if not FIRST_DAY <= day <= LAST_DAY:
            raise ValueError(f"{self.exchange} sessions are known from {FIRST_DAY} to {LAST_DAY}, not on {day}")
        return day


@cache
def calendar_for(exchange: str = DEFAULT_EXCHANGE) -> Calendar:
    """The exchange's calendar, built once per process: about 2 s the first time (pandas), then free.

    Raises `exchange_calendars.errors.InvalidCalendarName` for an exchange nobody knows.
    """
    import exchange_calendars  # noqa: PLC0415 - pulls pandas, which a process without quotes never needs

    source = exchange_calendars.get_calendar(exchange, start=FIRST_DAY, end=LAST_DAY, side="both")
    days = [day.date() for day in source.sessions]
    opens = [at.to_pydatetime() for at in source.opens.dt.tz_convert(UTC)]
    closes = [at.to_pydatetime() for at in source.closes.dt.tz_convert(UTC)]
    return Calendar(exchange, ZoneInfo(str(source.tz)), list(map(Session, days, opens, closes)))
