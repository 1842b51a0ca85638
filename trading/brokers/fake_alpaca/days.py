"""When the fake trades: around the clock, so that people can try it at night, or by an exchange's sessions."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")


class Session(NamedTuple):
    day: date
    open: datetime
    close: datetime


class Calendar(Protocol):
    """Sessions have a day, and both instants in UTC."""

    def sessions_between(self, first: date, last: date) -> Sequence[Any]: ...

    def session_of(self, at: datetime) -> Any | None: ...

    def next_open(self, at: datetime) -> datetime: ...


class Weekdays:
    """For whoever brings no calendar: from 9:30 to 16:00, Monday to Friday, no holidays."""

    def sessions_between(self, first: date, last: date) -> list[Session]:
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [session_on(day) for day in days if day.weekday() < 5]

    def session_of(self, at: datetime) -> Session | None:
        session = session_on(market_day(at))
        return session if session.day.weekday() < 5 and session.open <= at <= session.close else None

    def next_open(self, at: datetime) -> datetime:
        day = market_day(at)
        return next(one.open for one in self.sessions_between(day, day + timedelta(days=7)) if one.open > at)


def session_on(day: date) -> Session:
    opens, closes = (datetime.combine(day, at, NEW_YORK).astimezone(UTC) for at in (time(9, 30), time(16)))
    return Session(day, opens, closes)


def market_day(at: datetime) -> date:
    """The date in New York: corporate actions, fees and sessions go by it."""
    return at.astimezone(NEW_YORK).date()


class Hours:
    """`calendar` makes it, the first time that it is asked for; real: orders are filled while it is open only."""

    def __init__(self, calendar: Callable[[], Calendar] = Weekdays, *, real: bool = False) -> None:
        self.calendar, self.real = calendar, real

    def is_open(self, at: datetime) -> bool:
        return not self.real or self.calendar().session_of(at) is not None

    def ends(self, at: datetime) -> datetime | None:
        """When an order for the day that came at this instant ends; None where it never does."""
        if not self.real:
            return None
        session = self.calendar().session_of(at) or self.session_after(at)
        close: datetime = session.close
        return close

    def session_after(self, at: datetime) -> Any:
        calendar = self.calendar()
        return calendar.session_of(calendar.next_open(at))

    def clock(self, at: datetime) -> dict[str, Any]:
        if not self.real:
            midnight = (at + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            return wire_clock(at, True, midnight, midnight - timedelta(seconds=1))
        now, after = self.calendar().session_of(at), self.session_after(at)
        return wire_clock(at, now is not None, after.open, (now or after).close)


def wire_clock(at: datetime, is_open: bool, opens: datetime, closes: datetime) -> dict[str, Any]:
    told = {"timestamp": at, "next_open": opens, "next_close": closes}
    return {"is_open": is_open} | {name: when.astimezone(NEW_YORK).isoformat() for name, when in told.items()}
