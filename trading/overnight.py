"""No trade on a gap overnight that nobody has explained: it may be a split or a payment that we have not been told of.

The gate opens when the gap is announced as a split or dividend, or when a feed or a person has said that there is none.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from dividends.domain.expected import expected_after
from dividends.models import Dividend, Split
from dividends.selectors import actions_told, answered_listings
from portfolios.domain.amounts import PPM, as_text
from portfolios.domain.exact import muldiv_floor
from trading.market.calendars import Calendar, calendar_for
from trading.market.models import Quote
from trading.market.selectors import exchanges_of

MOST = 50_000  # ppm of the price to be expected; low, because an answer usually takes a minute at most
Listing = tuple[str, str]  # symbol and source
# One step down the key's index for the evening before and one for the morning, listing by listing.
NIGHTS = """
    SELECT wanted.symbol, wanted.source, closed.last, closed.at, opened.last
      FROM unnest(%s::text[], %s::text[], %s::timestamptz[]) AS wanted (symbol, source, midnight)
     CROSS JOIN LATERAL (
           SELECT quote.last, quote.at FROM market_quote AS quote
            WHERE quote.symbol = wanted.symbol AND quote.source = wanted.source AND quote.at < wanted.midnight
            ORDER BY quote.at DESC
            LIMIT 1
           ) AS closed
      LEFT JOIN LATERAL (
           SELECT quote.last FROM market_quote AS quote
            WHERE quote.symbol = wanted.symbol AND quote.source = wanted.source AND quote.at >= wanted.midnight
            ORDER BY quote.at
            LIMIT 1
           ) AS opened ON true
"""


class Gap(NamedTuple):
    """before: the last price of the day it closed on; expected: the same after what is announced. In micros."""

    day: date
    before: int
    expected: int
    price: int

    @property
    def ppm(self) -> int:
        return muldiv_floor(abs(self.price - self.expected), PPM, self.expected)

    @property
    def sentence(self) -> str:
        change = 100 * (self.price - self.expected) / self.expected
        return (
            f"Overnight the price went {change:+.2f} %, from {as_text(self.expected)} to {as_text(self.price)}, "
            f"more than {MOST * 100 // PPM} %: "
            f"nothing is traded on {self.day} until the feed of corporate actions has answered."
        )

    @property
    def named(self) -> dict[str, str]:
        amounts = {"close_before": self.before, "expected": self.expected, "opened": self.price}
        return {name: as_text(value) for name, value in amounts.items()} | {
            "day": self.day.isoformat(),
            "gap": as_text(self.ppm),
            "most": as_text(MOST),
        }


class Night(NamedTuple):
    """What the prices of a day are measured by: where the market closed (micros) and when, its first price of the day
    (None while there is none), and all that was ever announced to go ex since.
    """

    day: date
    closed: int
    closed_on: date
    opened: int | None
    splits: Sequence[Split]
    dividends: Sequence[Dividend]

    def gap(self, price: int, known_at: datetime | None = None) -> Gap | None:
        """Of a price (micros) that stands apart, as did the day's first one, by what stood announced at an instant;
        None: as it stands now.
        """
        splits = [row for row in self.splits if stood(row, known_at)]
        dividends = [row for row in self.dividends if stood(row, known_at)]
        gap = Gap(self.day, self.closed, expected_after(self.closed, splits, dividends), price)
        opened = gap._replace(price=price if self.opened is None else self.opened)
        return gap if min(gap.ppm, opened.ppm) > MOST else None


def stood(row: Split | Dividend, at: datetime | None) -> bool:
    """Whether it was announced by then, and not taken back."""
    if at is None:
        return row.cancelled_at is None
    return row.created_at <= at and (row.cancelled_at is None or row.cancelled_at > at)


def unexplained_gap(quote: Quote) -> Gap | None:
    """Whether the day of this quote began with one, and still stands apart."""
    return unexplained_gaps([quote]).get((quote.symbol, quote.source))


def unexplained_gaps(quotes: Iterable[Quote]) -> dict[Listing, Gap]:
    """The same of one quote of each listing, with as many queries for many as for one."""
    asked = {(quote.symbol, quote.source): quote for quote in quotes if is_guarded(quote.source)}
    nights = nights_of(asked.values())
    gaps = {listing: night.gap(asked[listing].last) for listing, night in nights.items()}
    found = {listing: gap for listing, gap in gaps.items() if gap}
    answered = answered_listings({listing: gap.day for listing, gap in found.items()}) if found else set()
    return {listing: gap for listing, gap in found.items() if listing not in answered}


def is_guarded(source: str) -> bool:
    """A record knows its corporate actions."""
    return source not in settings.RECORDED_SOURCES


def nights_of(quotes: Collection[Quote]) -> dict[Listing, Night]:
    """The night before the market day of each quote, of those that were priced before."""
    if not quotes:
        return {}
    exchanges = exchanges_of({quote.symbol for quote in quotes})
    calendars = {quote.symbol: calendar_for(exchanges[quote.symbol]) for quote in quotes}
    days = {(quote.symbol, quote.source): calendars[quote.symbol].market_day(quote.at) for quote in quotes}
    rows = asked_nights([(*listing, midnight_of(calendars[listing[0]], day)) for listing, day in days.items()])
    closed = {row[:2]: (row[2], calendars[row[0]].market_day(row[3]), row[4]) for row in rows}
    actions = actions_since({listing: (on, days[listing]) for listing, (_, on, _) in closed.items()})
    return {
        listing: Night(days[listing], last, on, opened, *actions[listing])
        for listing, (last, on, opened) in closed.items()
    }


def midnight_of(calendar: Calendar, day: date) -> datetime:
    return datetime.combine(day, time(), calendar.timezone).astimezone(UTC)


def asked_nights(wanted: Sequence[tuple[str, str, datetime]]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(NIGHTS, [list(column) for column in zip(*wanted, strict=True)])
        return list(cursor.fetchall())


def actions_since(spans: dict[Listing, tuple[date, date]]) -> dict[Listing, tuple[list[Split], list[Dividend]]]:
    """What was announced to go ex after the first day and not after the second; two queries."""
    found: dict[Listing, tuple[list[Split], list[Dividend]]] = defaultdict(lambda: ([], []))
    if not spans:
        return found
    after, until = min(first for first, _ in spans.values()), max(last for _, last in spans.values())
    splits, dividends = actions_told(listings=spans, after=after, until=until)
    for split in splits:
        if is_within(spans, split):
            found[split.symbol, split.source][0].append(split)
    for dividend in dividends:
        if is_within(spans, dividend):
            found[dividend.symbol, dividend.source][1].append(dividend)
    return found


def is_within(spans: dict[Listing, tuple[date, date]], row: Split | Dividend) -> bool:
    after, until = spans.get((row.symbol, row.source), (date.max, date.min))
    return after < row.ex_date <= until
