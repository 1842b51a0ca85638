"""Which symbols of a feed are to be asked for now: each once per cadence, whoever asks, while its exchange is open."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform

from portfolios.models import Position
from trading.market.base import Price, Unreadable
from trading.market.calendars import DEFAULT_EXCHANGE, Phase, calendar_for
from trading.market.feeds import STREAMED, feed_of
from trading.market.models import Instrument, Quote
from trading.selectors import held_symbols
from trading.services.intake import Taken, refuse_unreadable, take_price

MUTE = timedelta(seconds=STREAMED)  # a streamed symbol whose newest price is no longer fresh is asked for
# One statement: whoever comes second finds the turn taken. Turns are counted since 1970.
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


def claim_turn(*, source: str, now: datetime) -> list[str]:
    """What this caller has to ask for, and nobody else in this turn. A feed that streams is asked for what is mute."""
    symbols = open_ones(held_symbols(source), now, source=source)
    if not symbols:
        return []
    values: dict[str, Any] = {
        "source": source,
        "symbols": symbols,
        "now": now,
        "cadence": feed_of(source).asked_every,
        "mute": MUTE,
    }
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, values)
        return sorted(symbol for (symbol,) in cursor.fetchall())


def open_ones(symbols: list[str], now: datetime, *, source: str) -> list[str]:
    """Those whose exchange is in its regular session, or before or after it where a cell trades then."""
    known = dict(Instrument.objects.filter(symbol__in=symbols).values_list("symbol", "exchange"))
    phases = {symbol: calendar_for(known.get(symbol, DEFAULT_EXCHANGE)).phase(now) for symbol in symbols}
    edges = [symbol for symbol in symbols if phases[symbol] in (Phase.PRE, Phase.POST)]
    wanted = after_hours_symbols(source, edges) if edges else set()
    return [symbol for symbol in symbols if phases[symbol] is Phase.REGULAR or symbol in wanted]


def after_hours_symbols(source: str, symbols: list[str]) -> set[str]:
    """Of cells whose own settings, or where those are silent their portfolio's, allow trades outside the session."""
    cells = Position.objects.filter(source=source, symbol__in=symbols).exclude(state=Position.Status.CLOSED)
    versions = ("settings_version", "portfolio__settings_version")
    own, upper = (KeyTextTransform("after_hours", f"{version}__given") for version in versions)
    asked = cells.annotate(own=own, upper=upper).filter(Q(own="true") | Q(own__isnull=True, upper="true"))
    return set(asked.order_by().values_list("symbol", flat=True).distinct())


def take_all(told: list[Price | Unreadable], *, source: str, now: datetime | None = None) -> list[Quote]:
    """Those that were believed."""
    fresh = []
    for price in told:
        if isinstance(price, Unreadable):
            refuse_unreadable(price, source=source, received_at=now)
        elif isinstance(outcome := take_price(price, source=source, received_at=now), Taken):
            fresh.append(outcome.quote)
    return fresh
