"""Prices coming in, and the walk of a replayed market's clock."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from typing import NamedTuple

import structlog
from django.db import transaction
from django.utils import timezone

from portfolios.bulk import insert_missing
from portfolios.prepared import execute
from trading.domain.prices import Refusal, refusal_of
from trading.market.base import Price
from trading.market.cache import remember_newest
from trading.market.models import Bar, Instrument, MarketClock, Quote
from trading.market.selectors import newest_quotes

MOVE = "UPDATE market_marketclock SET at = $1, day = $2, phase = $3 WHERE source = $4 RETURNING 1"
log = structlog.get_logger(__name__)


class Refused(NamedTuple):
    price: Price
    reason: Refusal


def take_prices(*, source: str, prices: Sequence[Price]) -> tuple[list[Quote], list[Refused]]:
    """Store the prices that are new and decent; the others come back with the reason and leave a line in the log.

    A price already taken is neither. Another price for the same instant is a correction: it is logged and makes no
    quote, so it can make no order.
    """
    newest = newest_quotes([price.symbol for price in prices], source)
    fresh: list[Quote] = []
    refused: list[Refused] = []
    for price in prices:
        known = newest.get(price.symbol)
        if known and (known.at == price.at or (price.at < known.at and is_taken(source, price))):
            continue
        reason = refusal_of(price.last, price.bid, price.ask, int(known is not None and price.at < known.at))
        if reason is Refusal.NONE:
            fresh.append(quote_from(source, price))
        else:
            refused.append(Refused(price, reason))
            log.warning("price refused", symbol=price.symbol, source=source, reason=reason.name.lower())
    insert_missing(Quote, fresh)
    for quote in fresh:
        transaction.on_commit(partial(remember_newest, quote))
    return fresh, refused


def is_taken(source: str, price: Price) -> bool:
    return Quote.objects.filter(symbol=price.symbol, source=source, at=price.at).exists()


def quote_from(source: str, price: Price, received_at: datetime | None = None) -> Quote:
    return Quote(
        symbol=price.symbol,
        source=source,
        at=price.at,
        last=price.last,
        bid=price.bid or None,
        ask=price.ask or None,
        received_at=received_at or timezone.now(),
        last_at=price.last_at,
        origin=price.origin,
    )


def move_clock(*, source: str, at: datetime, day: date, phase: str) -> None:
    execute(MOVE, [at, day, phase, source])


def set_running(*, source: str, running: bool) -> None:
    """Let a replayed market walk on, or hold it."""
    MarketClock.objects.filter(source=source).update(running=running)


def begin_clock(*, source: str, begins_on: date) -> MarketClock:
    clock, _ = MarketClock.objects.get_or_create(source=source, defaults={"begins_on": begins_on})
    return clock


@transaction.atomic
def load_bars(*, symbol: str, name: str, exchange: str, bars: Sequence[Bar]) -> int:
    """Record an instrument and its bars; the same bars again add nothing."""
    Instrument.objects.get_or_create(symbol=symbol, defaults={"name": name, "exchange": exchange})
    before = Bar.objects.filter(symbol=symbol).count()
    Bar.objects.bulk_create(bars, batch_size=2_000, ignore_conflicts=True)
    return Bar.objects.filter(symbol=symbol).count() - before
