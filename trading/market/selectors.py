"""Reads of the market: newest quotes and market time."""

from collections import Counter
from collections.abc import Collection
from datetime import UTC, date, datetime, time
from typing import NamedTuple, Protocol

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from portfolios.prepared import PreparedRead, Slot, array_text, execute
from trading.market import cache
from trading.market.calendars import DEFAULT_EXCHANGE, calendar_for
from trading.market.models import Bar, ForgottenRefusals, Instrument, MarketClock, PriceRefusal, Quote

BEFORE_OPENING = time(12)  # UTC: the morning of the same day in America

# One step down the key's index per symbol: DISTINCT ON reads every quote there is, 23 s at ten million.
NEWEST_QUOTES = """
    SELECT {}
      FROM unnest($1::text[]) AS wanted (symbol)
     CROSS JOIN LATERAL (
           SELECT * FROM market_quote AS quote
            WHERE quote.symbol = wanted.symbol AND quote.source = $2
            ORDER BY quote.at DESC
            LIMIT 1
           ) AS newest
"""


NEWEST_QUOTE = PreparedRead(
    lambda: Quote.objects.filter(symbol=Slot("symbol"), source=Slot("source")).order_by("-at")[:1]
)
INSTRUMENT = PreparedRead(lambda: Instrument.objects.filter(symbol=Slot("symbol")))
CLOCK = PreparedRead(lambda: MarketClock.objects.filter(source=Slot("source")))


def newest_quote(symbol: str, source: str) -> Quote | None:
    return NEWEST_QUOTE.first(symbol=symbol, source=source)


def latest_quote(symbol: str, source: str) -> Quote | None:
    """For who only looks: out of the fast store where that knows it, else out of the table. No primary key."""
    return cache.newest(source, symbol) or newest_quote(symbol, source)


def newest_quotes(symbols: Collection[str], source: str) -> dict[str, Quote]:
    """The newest quote of each symbol that has one."""
    columns = [field.attname for field in Quote._meta.concrete_fields]
    named = ", ".join(f"newest.{column}" for column in columns)
    rows = execute(NEWEST_QUOTES.format(named), [array_text(symbols), source])
    found = [Quote.from_db(DEFAULT_DB_ALIAS, columns, row) for row in rows]
    return {quote.symbol: quote for quote in found}


def clock_of(source: str) -> MarketClock | None:
    return CLOCK.first(source=source)


def market_now(source: str) -> datetime:
    """Market time: the instant a replayed market stands at; for any other source the wall clock."""
    clock = clock_of(source)
    return instant_of(clock.at, clock.begins_on) if clock else timezone.now()


def instant_of(at: datetime | None, begins_on: date | None) -> datetime:
    """What a clock shows, from its two columns; both None where the source has no clock."""
    if begins_on is None:
        return timezone.now()
    return at or datetime.combine(begins_on, BEFORE_OPENING, UTC)


def market_day(source: str) -> date:
    """The exchange date of market time; where a replay that has not begun will begin."""
    clock = clock_of(source)
    if clock is None:
        return calendar_for(DEFAULT_EXCHANGE).market_day(timezone.now())
    return clock.day or clock.begins_on


class Listing(NamedTuple):
    """Where a symbol is traded, and whether it is at present."""

    exchange: str = DEFAULT_EXCHANGE
    tradable: bool = True


def listing_of(symbol: str) -> Listing:
    found = INSTRUMENT.first(symbol=symbol)
    return Listing(found.exchange, found.tradable) if found else Listing()


def exchange_of(symbol: str) -> str:
    return listing_of(symbol).exchange


def exchanges_of(symbols: Collection[str]) -> dict[str, str]:
    """Of each of these symbols, in one query."""
    known = dict(Instrument.objects.filter(symbol__in=symbols).values_list("symbol", "exchange"))
    return {symbol: known.get(symbol, DEFAULT_EXCHANGE) for symbol in symbols}


def last_close_before(symbol: str, source: str, at: datetime) -> int:
    """The newest price before an instant in micros; 0 when there is none."""
    quote = Quote.objects.filter(symbol=symbol, source=source, at__lt=at).order_by("-at").first()
    return quote.last if quote else 0


class Follows(Protocol):
    """A cell, as far as the market knows one: a symbol by the prices of a source."""

    symbol: str
    source: str


def count_refusals() -> dict[tuple[str, str], int]:
    """All there ever were, by source and reason; both come from short lists."""
    found: Counter[tuple[str, str]] = Counter()
    for rows, count in ((PriceRefusal.objects, Count("pk")), (ForgottenRefusals.objects, Sum("count"))):
        for source, reason, number in rows.values_list("source", "reason").annotate(count).order_by("source", "reason"):
            found[source, reason] += int(number)
    return dict(sorted(found.items()))


def refusals_of(cell: Follows) -> QuerySet[PriceRefusal]:
    return PriceRefusal.objects.filter(symbol=cell.symbol, source=cell.source)


def bars_of_day(day: date) -> list[Bar]:
    return list(Bar.objects.filter(day=day).order_by("symbol"))
