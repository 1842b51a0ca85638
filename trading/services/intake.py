"""The one door where a live price enters: it is believed and stored, or refused and the reason written down."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from dividends.domain.expected import expected_after
from dividends.selectors import actions_between
from portfolios.bulk import insert_missing
from portfolios.domain.amounts import as_text
from portfolios.prepared import PreparedRead, Slot, store
from trading.domain import outliers
from trading.domain.outliers import Going
from trading.domain.prices import Refusal, refusal_of
from trading.market.base import Price, Unreadable
from trading.market.cache import remember_newest
from trading.market.calendars import DEFAULT_EXCHANGE, calendar_for
from trading.market.feeds import Feed, feed_of
from trading.market.models import ForgottenRefusals, Pace, PriceRefusal, Quote
from trading.market.phases import instant, number
from trading.market.selectors import INSTRUMENT, newest_quote
from trading.market.services import is_taken, quote_from
from trading.waits import UNEXPLAINED

AHEAD = timedelta(seconds=5)  # a source's clock may be so much before ours
MICROSECONDS = 1_000_000
PENNY = 10_000
FOLDED = 2_000  # quotes of which a pace is made anew
KEPT_DAYS = 90
FOLD = ("price", "at", "returns", "variance", "doubted", "doubted_at")  # whose turn it is to ask is another's matter
PACE = PreparedRead(
    lambda: Pace.objects.select_for_update(no_key=True).filter(symbol=Slot("symbol"), source=Slot("source"))
)
log = structlog.get_logger(__name__)


class Taken(NamedTuple):
    quote: Quote


class Refused(NamedTuple):
    """known: the very same price was taken before, nothing was written."""

    reason: Refusal
    sentence: str
    known: bool = False


class Measure(NamedTuple):
    """What a price is measured by: its feed's cadence, its instrument's tick and exchange."""

    feed: Feed
    tick: int
    exchange: str

    @property
    def cadence(self) -> int:
        return self.feed.cadence * MICROSECONDS


@transaction.atomic
def take_price(price: Price, *, source: str, received_at: datetime | None = None) -> Taken | Refused:
    """One at a time per symbol and source, whoever brings it. Who gets it Taken rings for whoever it woke."""
    now = received_at or timezone.now()
    pace = locked_pace(price.symbol, source)
    if pace.at == price.at:
        return corrected(price, source, now)
    measure = measure_of(price.symbol, source)
    reason, sentence = judged(pace, price, measure, now)
    if reason is Refusal.NONE:
        return taken(pace, price, measure, source, now)
    if reason is Refusal.OUT_OF_ORDER and is_taken(source, price):
        return Refused(reason, "It was taken before.", known=True)
    if reason in (Refusal.OUTLIER, Refusal.UNCONFIRMED):
        keep(pace, outliers.doubting(going_of(pace), values_of(price, measure)[0], number(price.at)))
    return refused(price, source, reason, sentence, now)


def taken(pace: Pace, price: Price, measure: Measure, source: str, now: datetime) -> Taken:
    quote = quote_from(source, price, now)
    value, at = values_of(price, measure)[0], number(price.at)
    base = expected_base(pace, price, measure.exchange)
    fill(pace, outliers.after(outliers.rebased(going_of(pace), base), value, at, measure.cadence, measure.tick))
    store([[quote]], pace, FOLD)
    transaction.on_commit(partial(remember_newest, quote))
    return Taken(quote)


def judged(pace: Pace, price: Price, measure: Measure, now: datetime) -> tuple[Refusal, str]:
    """Why it may not be used, and that in words."""
    reason = refusal_of(price.last, price.bid, price.ask, int(pace.at is not None and price.at < pace.at))
    if reason is not Refusal.NONE:
        return reason, WORDS[reason]
    age = now - price.at
    if age < -AHEAD:
        return Refusal.FROM_THE_FUTURE, f"Its time is {-age.total_seconds():.1f} s ahead of ours."
    fresh_for = measure.feed.fresh_for(price.at, measure.exchange)
    if age > fresh_for:
        if measure.feed.closes:
            return Refusal.STALE, f"It is the close of {price.at.date()}; a session has closed since."
        limit = fresh_for.total_seconds()
        return Refusal.STALE, f"It was {age.total_seconds():.1f} s old when it came, more than {limit:g} s."
    return believed(pace, price, measure)


def believed(pace: Pace, price: Price, measure: Measure) -> tuple[Refusal, str]:
    """Measured at every value that might decide: last, and the middle of bid and ask."""
    going, at, values = going_of(pace), number(price.at), values_of(price, measure)
    cadence, tick = measure.cadence, measure.tick
    if all(outliers.confirms(going, value, at, cadence, tick) for value in values):
        return Refusal.NONE, ""
    if not going.price:
        return Refusal.UNCONFIRMED, "It is the first price; a second one must confirm it."
    if not any(outliers.is_outlier(going, value, at, cadence, tick) for value in values):
        return Refusal.NONE, ""
    rebased = outliers.rebased(going, expected_base(pace, price, measure.exchange))
    strays = [value for value in values if outliers.is_outlier(rebased, value, at, cadence, tick)]
    if not strays:
        return Refusal.NONE, ""
    most = outliers.allowed(rebased, rebased.price, at - going.at, cadence, tick)
    change = 100 * (strays[0] - rebased.price) / rebased.price
    measured = f"{outliers.DEVIATIONS} standard deviations" if going.returns >= outliers.FEW else "few returns known"
    return Refusal.OUTLIER, (
        f"{as_text(strays[0])} is {change:+.2f} % from the last good price {as_text(rebased.price)}, "
        f"more than {most / 10_000:.2f} % ({measured}); a second price must confirm it."
    )


def values_of(price: Price, measure: Measure) -> list[int]:
    """The values a cell might decide at, the likeliest first. A last traded long ago is none of them."""
    middle = [(price.bid + price.ask) // 2] if price.bid > 0 and price.ask > 0 else []
    traded_at = price.last_at or price.at
    is_old = price.at - traded_at > measure.feed.fresh_for(traded_at, measure.exchange)
    return middle if middle and is_old else [price.last, *middle]


def expected_base(pace: Pace, price: Price, exchange: str) -> int:
    """The last good price after what is announced since: a jump across a known split is expected."""
    if not pace.price or pace.at is None or price.at.date() == pace.at.date():
        return pace.price
    calendar = calendar_for(exchange)
    before, day = calendar.market_day(pace.at), calendar.market_day(price.at)
    if before == day:
        return pace.price
    splits, dividends = actions_between(source=pace.source, symbol=pace.symbol, after=before, until=day)
    return expected_after(pace.price, splits, dividends)


def corrected(price: Price, source: str, now: datetime) -> Refused:
    """Another price for the same instant is a correction: it makes no quote, so it can make no order."""
    newest = newest_quote(price.symbol, source)
    if newest and (newest.last, newest.bid or 0, newest.ask or 0) == (price.last, price.bid, price.ask):
        return Refused(Refusal.CORRECTION, "It was taken before.", known=True)
    return refused(price, source, Refusal.CORRECTION, WORDS[Refusal.CORRECTION], now)


def refused(price: Price, source: str, reason: Refusal, sentence: str, now: datetime) -> Refused:
    texts = [as_text(value) if value else "" for value in (price.bid, price.ask)]
    row = PriceRefusal(symbol=price.symbol, source=source, origin=price.origin, at=price.at, last=as_text(price.last))
    row.bid, row.ask = texts
    return write_down(row, reason, sentence, now)


def refuse_unreadable(price: Unreadable, *, source: str, received_at: datetime | None = None) -> Refused:
    """What is no price at all, as it came."""
    sentence = f"{price.text!a} is no price."
    row = PriceRefusal(symbol=price.symbol, source=source, origin=price.origin, at=price.at, last=price.text[:40])
    return write_down(row, Refusal.NOT_A_NUMBER, sentence, received_at or timezone.now())


def refuse_gap(quote: Quote, sentence: str) -> None:
    """A price that cells wait at, though it was taken: nobody has explained the gap overnight before it."""
    texts = {name: as_text(getattr(quote, name)) if getattr(quote, name) else "" for name in ("last", "bid", "ask")}
    row = PriceRefusal(symbol=quote.symbol, source=quote.source, origin=quote.origin, at=quote.at, **texts)
    put_down(row, UNEXPLAINED, sentence, timezone.now())


def write_down(row: PriceRefusal, reason: Refusal, sentence: str, now: datetime) -> Refused:
    """The same refusal again is written once."""
    put_down(row, reason.name.lower(), sentence, now)
    return Refused(reason, sentence)


def put_down(row: PriceRefusal, reason: str, sentence: str, now: datetime) -> None:
    row.reason, row.sentence, row.received_at = reason, sentence, now
    PriceRefusal.objects.bulk_create([row], ignore_conflicts=True)
    log.warning("price refused", symbol=row.symbol, source=row.source, reason=row.reason)


def locked_pace(symbol: str, source: str) -> Pace:
    """Made of the quotes there are where it is not there yet."""
    found = PACE.first(symbol=symbol, source=source)
    if found is None:
        insert_missing(Pace, [Pace(symbol=symbol, source=source)])
        found = PACE.first(symbol=symbol, source=source)
    assert found
    if found.at is None:
        rebuild_pace(found)
    return found


def rebuild_pace(pace: Pace) -> None:
    """As if the stored quotes had come one by one: their good prices are all there is to know."""
    measure = measure_of(pace.symbol, pace.source)
    rows = list(Quote.objects.filter(symbol=pace.symbol, source=pace.source).order_by("-at")[:FOLDED])
    doubted, doubted_at = pace.doubted, pace.doubted_at
    pace.price = pace.returns = pace.variance = 0
    pace.at = None
    for quote in reversed(rows):
        price = Price(quote.symbol, quote.at, quote.last, quote.bid or 0, quote.ask or 0, quote.last_at)
        going = outliers.rebased(going_of(pace), expected_base(pace, price, measure.exchange))
        value = values_of(price, measure)[0]
        fill(pace, outliers.after(going, value, number(quote.at), measure.cadence, measure.tick))
    pace.doubted, pace.doubted_at = doubted, doubted_at
    pace.save(update_fields=FOLD)


def measure_of(symbol: str, source: str) -> Measure:
    found = INSTRUMENT.first(symbol=symbol)
    if found is None:
        return Measure(feed_of(source), PENNY, DEFAULT_EXCHANGE)
    return Measure(feed_of(source), found.tick or PENNY, found.exchange)


def going_of(pace: Pace) -> Going:
    at, doubted_at = (number(value) if value else 0 for value in (pace.at, pace.doubted_at))
    return Going(pace.price, at, pace.returns, pace.variance, pace.doubted, doubted_at)


def fill(pace: Pace, going: Going) -> None:
    pace.price, pace.returns, pace.variance, pace.doubted = going.price, going.returns, going.variance, going.doubted
    pace.at = instant(going.at) if going.price else None
    pace.doubted_at = instant(going.doubted_at) if going.doubted else None


def keep(pace: Pace, going: Going) -> None:
    fill(pace, going)
    pace.save(update_fields=FOLD)


@transaction.atomic
def forget_old_refusals() -> int:
    """Nightly; how many there were is kept."""
    old = PriceRefusal.objects.filter(received_at__lt=datetime.now(UTC) - timedelta(days=KEPT_DAYS))
    gone = Counter(old.select_for_update().order_by("pk").values_list("source", "reason"))
    for (source, reason), count in sorted(gone.items()):
        row, _ = ForgottenRefusals.objects.get_or_create(source=source, reason=reason)
        ForgottenRefusals.objects.filter(pk=row.pk).update(count=F("count") + count)
    return old.delete()[0]


WORDS = {
    Refusal.OUT_OF_RANGE: "A price is from 0.0001 to 1000000.",
    Refusal.CROSSED: "Its bid is above its ask, or below zero.",
    Refusal.OUT_OF_ORDER: "It is older than the newest price already used.",
    Refusal.CORRECTION: "Another price for the same instant corrects it and makes no order.",
}
