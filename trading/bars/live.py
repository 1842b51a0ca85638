"""Bars that people deliver as a source of prices: the newest closed one of each symbol, at the instant it closed.

A bar is a price of its own time, however late its file comes: whether it still holds is the feed's matter.
"""

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta

import structlog
from django.utils import timezone

from dividends.models import Dividend, Split
from dividends.selectors import actions_told
from trading.bars.catalogue import BarsGone, parts_of, table_of
from trading.bars.engine import engine, first_row
from trading.bars.resolutions import seconds_of
from trading.market.base import Price
from trading.market.calendars import Calendar, Session, calendar_for
from trading.market.models import Bar
from trading.market.selectors import exchanges_of

ORIGIN = "files"
DAY = timedelta(days=1)
BACK = timedelta(days=14)  # no close of before that still holds
log = structlog.get_logger(__name__)


class DailyFiles:
    """The close of the newest session, at its closing instant."""

    name = "files-daily"

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now

    def newest(self, symbols: Collection[str]) -> list[Price]:
        """A symbol with an ex-date since its newest bar is left out: that close is of other shares than those held."""
        now, exchanges = self.now or timezone.now(), exchanges_of(symbols)
        calendars = {symbol: calendar_for(exchange) for symbol, exchange in exchanges.items()}
        over: dict[str, tuple[Session, int]] = {}
        for symbol, day, close in bars_since(symbols, now):
            session = calendars[symbol].session_on(day)
            if session and session.close <= now:
                over[symbol] = session, close
        ex_dates = self.ex_dates_of(over, now)
        return [
            Price(symbol, session.close, close, 0, 0, None, ORIGIN)
            for symbol, (session, close) in sorted(over.items())
            if not any(session.day < day <= calendars[symbol].market_day(now) for day in ex_dates[symbol])
        ]

    def ex_dates_of(self, symbols: Collection[str], now: datetime) -> dict[str, list[date]]:
        """As they stand announced to the feed, by which its cells go."""
        listings = [(symbol, self.name) for symbol in symbols]
        splits, dividends = actions_told(listings=listings, after=(now - BACK).date(), until=(now + DAY).date())
        found: dict[str, list[date]] = {symbol: [] for symbol in symbols}
        rows: list[Split | Dividend] = [*splits, *dividends]
        for row in rows:
            if row.cancelled_at is None:
                found[row.symbol].append(row.ex_date)
        return found


def bars_since(symbols: Collection[str], now: datetime) -> Iterator[tuple[str, date, int]]:
    """Symbol, day and close, oldest first."""
    rows = Bar.objects.filter(symbol__in=symbols, day__gte=(now - BACK).date(), day__lte=now.date())
    yield from rows.order_by("symbol", "day").values_list("symbol", "day", "close")


class IntradayFiles:
    """The close of the newest bar of today's regular session that is over, at its end."""

    name = resolution = ""

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now

    def newest(self, symbols: Collection[str]) -> list[Price]:
        """A symbol of which no bar of today is recorded is left out, and one whose file is gone."""
        now, exchanges = self.now or timezone.now(), exchanges_of(symbols)
        found: list[Price] = []
        for symbol in sorted(symbols):
            try:
                found += self.told(symbol, calendar_for(exchanges[symbol]), now)
            except BarsGone as error:
                log.warning("no prices", source=self.name, symbol=symbol, error=str(error))
        return found

    def told(self, symbol: str, calendar: Calendar, now: datetime) -> Iterator[Price]:
        session = calendar.session_on(calendar.market_day(now))
        if session is None:
            return
        last = last_of(symbol, self.resolution, session, now)
        if last is None:
            return
        begins, close = last
        ends = datetime.fromtimestamp(begins + seconds_of(self.resolution), UTC)
        yield Price(symbol, min(ends, session.close), close, 0, 0, None, ORIGIN)


def last_of(symbol: str, resolution: str, session: Session, now: datetime) -> tuple[int, int] | None:
    """Where the newest bar of the session that is over begins (seconds of the epoch), and its close in micros."""
    step = seconds_of(resolution)
    earliest, latest = int(session.open.timestamp()) - step, int(now.timestamp()) - step
    parts = list(parts_of(symbol, resolution).filter(last__gt=earliest, first__lte=latest))
    if not parts:
        return None
    with engine() as duck:
        within = f"begins > {earliest} AND begins <= {latest} AND market = 0"
        sql = f"SELECT begins, close FROM {table_of(parts)} WHERE {within} ORDER BY begins DESC LIMIT 1"  # noqa: S608
        row = first_row(duck, sql)
    return (int(row[0]), int(row[1])) if row else None


class MinuteFiles(IntradayFiles):
    name, resolution = "files-1min", "1min"


class HourlyFiles(IntradayFiles):
    name, resolution = "files-hourly", "1hour"
