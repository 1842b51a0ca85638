"""Which symbols of a feed are to be asked for now: each once per cadence, whoever asks, while its exchange is open."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from portfolios.models import Position
from trading.market.base import Price, Unreadable
from trading.market.calendars import DEFAULT_EXCHANGE, calendar_for
from trading.market.feeds import feed_of
from trading.market.models import Instrument, Quote
from trading.services.intake import Taken, refuse_unreadable, take_price

MUTE = timedelta(seconds=10)  # a streamed symbol that heard nothing for so long is asked for
# One statement: whoever comes second finds the turn taken. Turns are of the feed's cadence since 1970.
CLAIM = """
    INSERT INTO market_pace AS pace (symbol, source, price, returns, variance, doubted, asked_at)
    SELECT symbol, %(source)s, 0, 0, 0, 0, %(now)s FROM unnest(%(symbols)s::text[]) AS wanted (symbol) ORDER BY symbol
        ON CONFLICT (symbol, source) DO UPDATE SET asked_at = excluded.asked_at
     WHERE (pace.asked_at IS NULL
            OR floor(extract(epoch FROM pace.asked_at) / %(cadence)s)
             < floor(extract(epoch FROM excluded.asked_at) / %(cadence)s))
       AND (%(cadence)s > 1 OR pace.at IS NULL OR pace.at < excluded.asked_at - %(mute)s)
    RETURNING symbol
"""


def held_symbols(source: str) -> list[str]:
    """Of cells that are not closed."""
    cells = Position.objects.filter(source=source).exclude(state=Position.Status.CLOSED)
    return list(cells.order_by("symbol").values_list("symbol", flat=True).distinct())


def claim_turn(*, source: str, now: datetime) -> list[str]:
    """What this caller has to ask for, and nobody else in this turn. A feed that streams is asked for what is mute."""
    symbols = open_ones(held_symbols(source), now)
    if not symbols:
        return []
    values: dict[str, Any] = {
        "source": source,
        "symbols": symbols,
        "now": now,
        "cadence": feed_of(source).cadence,
        "mute": MUTE,
    }
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, values)
        return sorted(symbol for (symbol,) in cursor.fetchall())


def open_ones(symbols: list[str], now: datetime) -> list[str]:
    """Those whose exchange is in its regular session."""
    known = dict(Instrument.objects.filter(symbol__in=symbols).values_list("symbol", "exchange"))
    return [symbol for symbol in symbols if calendar_for(known.get(symbol, DEFAULT_EXCHANGE)).is_open(now)]


def take_all(told: list[Price | Unreadable], *, source: str, now: datetime | None = None) -> list[Quote]:
    """Those that were believed."""
    fresh = []
    for price in told:
        if isinstance(price, Unreadable):
            refuse_unreadable(price, source=source, received_at=now)
        elif isinstance(outcome := take_price(price, source=source, received_at=now), Taken):
            fresh.append(outcome.quote)
    return fresh
