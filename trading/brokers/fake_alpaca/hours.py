"""The fake's clock and calendar over HTTP."""

from datetime import date, timedelta
from typing import Any

from aiohttp import web

from trading.brokers.fake_alpaca.days import NEW_YORK
from trading.brokers.fake_alpaca.orders import BAD_REQUEST, Problem
from trading.brokers.fake_alpaca.rest import BOOK, answer, day_in

FIRST, LAST = date(2016, 1, 1), date(2029, 12, 31)  # what is answered where nobody says from when to when


async def clock(request: web.Request) -> web.Response:
    book = request.app[BOOK]
    return answer(book.hours.clock(book.wall()))


async def list_sessions(request: web.Request) -> web.Response:
    """Wherever it is always open too: the exchange's sessions are what they are."""
    first, last = day_in(request, "start", FIRST), day_in(request, "end", LAST)
    try:
        sessions = request.app[BOOK].hours.calendar().sessions_between(first, last)
    except ValueError as unknown:
        raise Problem(422, BAD_REQUEST, str(unknown)) from None
    return answer([wire_session(session) for session in sessions])


def wire_session(session: Any) -> dict[str, str]:
    """Hours on the exchange's clock; trading before and after them from 4:00 to 20:00, four hours after a half day."""
    opens, closes = session.open.astimezone(NEW_YORK), session.close.astimezone(NEW_YORK)
    return {
        "date": session.day.isoformat(),
        "open": f"{opens:%H:%M}",
        "close": f"{closes:%H:%M}",
        "session_open": "0400",
        "session_close": f"{closes + timedelta(hours=4):%H%M}",
    }


ROUTES = (web.get("/v2/clock", clock), web.get("/v2/calendar", list_sessions))
