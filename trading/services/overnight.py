"""No trade on a gap overnight that nobody has explained: it may be a split or a payment that we have not been told of.

The gate opens when the gap is announced as a split or dividend, or when a feed or a person has said that there is none.
"""

from datetime import UTC, date, datetime, time
from typing import NamedTuple

from django.conf import settings

from dividends.models import Dividend, Split
from dividends.selectors import actions_between, is_answered
from portfolios.domain.amounts import PPM, as_text
from portfolios.domain.exact import muldiv_floor
from trading.market.calendars import calendar_for
from trading.market.models import Quote
from trading.market.selectors import exchange_of

MOST = 50_000  # ppm of the price to be expected; low, because an answer usually takes a minute at most


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


def unexplained_gap(quote: Quote) -> Gap | None:
    """Whether the day of this quote began with one, and still stands apart. A record knows its corporate actions."""
    if quote.source in settings.RECORDED_SOURCES:
        return None
    calendar = calendar_for(exchange_of(quote.symbol))
    day = calendar.market_day(quote.at)
    midnight = datetime.combine(day, time(), calendar.timezone).astimezone(UTC)
    quotes = Quote.objects.filter(symbol=quote.symbol, source=quote.source)
    closed = quotes.filter(at__lt=midnight).order_by("-at").first()
    if closed is None:
        return None
    gap = gap_from(closed, calendar.market_day(closed.at), quote, day)
    if gap.ppm <= MOST:
        return None
    opened = quotes.filter(at__gte=midnight).order_by("at").first() or quote
    if gap._replace(price=opened.last).ppm <= MOST:
        return None
    return None if is_answered(source=quote.source, symbol=quote.symbol, day=day) else gap


def gap_from(closed: Quote, closed_on: date, quote: Quote, day: date) -> Gap:
    splits, dividends = actions_between(source=quote.source, symbol=quote.symbol, after=closed_on, until=day)
    return Gap(day, closed.last, expected_after(closed.last, splits, dividends), quote.last)


def expected_after(price: int, splits: list[Split], dividends: list[Dividend]) -> int:
    """By ex-date; on one day the split first, the dividend is per new share. At least a micro."""
    days = sorted({split.ex_date for split in splits} | {dividend.ex_date for dividend in dividends})
    for day in days:
        for split in (row for row in splits if row.ex_date == day):
            price = muldiv_floor(price, split.denominator, split.numerator)
        price -= sum(row.dps for row in dividends if row.ex_date == day)
    return max(price, 1)
