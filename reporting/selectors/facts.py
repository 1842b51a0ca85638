"""Facts about many cells at once: one query each, whatever the number of cells."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import QuerySet, Value
from django.utils import timezone

from dividends.models import Dividend, Split
from portfolios.domain.amounts import MICROS
from portfolios.events import EventType
from portfolios.models import Position
from reporting.comparison import Flow, Payout, Ratio
from trading.market.models import MarketClock, Quote

EXCHANGE_TIME = ZoneInfo("America/New_York")
OWNERS_MONEY = (EventType.POSITION_CREATED, EventType.DEPOSITED, EventType.WITHDRAWN, EventType.ADJUSTED)
ACTION = ("symbol", "source", "ex_date")
Listing = tuple[str, str]
# Steps down the indexes, listing by listing and cell by cell, however long the market and the log.
PRICES = """
    SELECT newest.*, (
           SELECT earlier.last FROM market_quote AS earlier
            WHERE earlier.symbol = wanted.symbol AND earlier.source = wanted.source AND earlier.at < wanted.midnight
            ORDER BY earlier.at DESC
            LIMIT 1
           ) AS close_before
      FROM unnest(%s::text[], %s::text[], %s::timestamptz[]) AS wanted (symbol, source, midnight)
     CROSS JOIN LATERAL (
           SELECT * FROM market_quote AS quote
            WHERE quote.symbol = wanted.symbol AND quote.source = wanted.source
            ORDER BY quote.at DESC
            LIMIT 1
           ) AS newest
"""
MOVED = """
    SELECT wanted.stream, own.days, own.put, own.shares, own.cash, today.shares, today.cash, today.own
      FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::timestamptz[]) AS wanted (stream, symbol, source, midnight)
     CROSS JOIN LATERAL (
           SELECT coalesce(sum(d_shares) FILTER (WHERE type = %s), 0) AS shares, coalesce(sum(d_cash), 0) AS cash,
                  array_agg(market_at) FILTER (WHERE type <> %s AND d_shares <> 0) AS days,
                  array_agg(d_shares) FILTER (WHERE type <> %s AND d_shares <> 0) AS put
             FROM portfolios_event
            WHERE stream_id = wanted.stream AND type = ANY(%s)
           ) AS own
     CROSS JOIN LATERAL (
           SELECT coalesce(sum(d_shares), 0) AS shares, coalesce(sum(d_cash + d_receivable), 0) AS cash,
                  coalesce(sum(d_cash + CASE WHEN d_shares = 0 THEN 0 ELSE div(d_shares::numeric * coalesce((
                      SELECT quote.last FROM market_quote AS quote
                       WHERE quote.symbol = wanted.symbol AND quote.source = wanted.source
                         AND quote.at <= portfolios_event.market_at
                       ORDER BY quote.at DESC
                       LIMIT 1), 0), %s) END) FILTER (WHERE type = ANY(%s)), 0) AS own
             FROM portfolios_event
            WHERE stream_id = wanted.stream AND market_at >= wanted.midnight
           ) AS today
"""


class Moment(NamedTuple):
    """Now on one source's clock, and the exchange date it falls on."""

    at: datetime
    day: date

    @property
    def midnight(self) -> datetime:
        return datetime.combine(self.day, time(), EXCHANGE_TIME)


class Priced(NamedTuple):
    """The newest quote of a listing, and its last price before the market day (0 without one)."""

    quote: Quote
    close: int


class Moved(NamedTuple):
    """What a cell's events added: the starting shares, those that a person put in or took out later, own cash in all;
    since midnight shares, cash with what is owed, and the owner's money, his shares at the price of that moment.
    """

    flows: Sequence[Flow] = ()
    start_shares: int = 0
    own_cash: int = 0
    shares: int = 0
    cash: int = 0
    own: int = 0


def listing_of(position: Position) -> Listing:
    return position.symbol, position.source


def market_clocks() -> list[MarketClock]:
    """Of all replayed markets, one query."""
    return list(MarketClock.objects.order_by("source"))


def moments_of(sources: set[str], clocks: Iterable[MarketClock] | None = None) -> dict[str, Moment]:
    known = {clock.source: clock for clock in (market_clocks() if clocks is None else clocks)}
    moments = {}
    for source in sources:
        clock = known.get(source)
        at = clock.at if clock and clock.at else timezone.now()
        day = clock.day if clock and clock.day else at.astimezone(EXCHANGE_TIME).date()
        moments[source] = Moment(at, day)
    return moments


def prices_of(positions: Sequence[Position], moments: Mapping[str, Moment]) -> dict[Listing, Priced]:
    listings = sorted({listing_of(position) for position in positions})
    symbols, sources = [symbol for symbol, _ in listings], [source for _, source in listings]
    rows = Quote.objects.raw(PRICES, [symbols, sources, [moments[source].midnight for source in sources]])
    return {(row.symbol, row.source): Priced(row, vars(row)["close_before"] or 0) for row in rows}


def moved_of(positions: Sequence[Position], moments: Mapping[str, Moment]) -> dict[UUID, Moved]:
    opened, own = str(EventType.POSITION_CREATED), [str(kind) for kind in OWNERS_MONEY]
    wanted = [(row.public_id, row.symbol, row.source, moments[row.source].midnight) for row in positions]
    lists = [list(column) for column in zip(*wanted, strict=True)] or [[], [], [], []]
    with connection.cursor() as cursor:
        cursor.execute(MOVED, [*lists, opened, opened, opened, own, MICROS, own])
        return {
            stream: Moved(flows_of(days or (), put or ()), *map(int, sums))
            for stream, days, put, *sums in cursor.fetchall()
        }


def flows_of(instants: Iterable[datetime], shares: Iterable[int]) -> list[Flow]:
    return [Flow(at.astimezone(EXCHANGE_TIME).date(), put, 0) for at, put in zip(instants, shares, strict=True)]


def actions_of(positions: Sequence[Position]) -> dict[Listing, list[Payout | Ratio]]:
    """Dividends and splits announced for these listings."""
    actions: dict[Listing, list[Payout | Ratio]] = defaultdict(list)
    payouts = named(Dividend.objects.annotate(denominator=Value(0)), positions)
    ratios = named(Split.objects.all(), positions).values_list(*ACTION, "numerator", "denominator")
    for symbol, source, day, much, per in payouts.values_list(*ACTION, "dps", "denominator").union(ratios, all=True):
        actions[symbol, source].append(Ratio(day, much, per) if per else Payout(day, much))
    return actions


def named(rows: QuerySet, positions: Sequence[Position]) -> QuerySet:
    return rows.filter(
        symbol__in={position.symbol for position in positions}, source__in={position.source for position in positions}
    )
