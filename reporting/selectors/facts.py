"""Facts about many cells at once: one query each, whatever the number of cells."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from dividends.models import Dividend, Split
from portfolios.events import EventType
from portfolios.models import Event, Position
from reporting.comparison import Payout, Ratio, Untouched
from trading.market.models import MarketClock, Quote
from trading.market.selectors import newest_quotes

EXCHANGE_TIME = ZoneInfo("America/New_York")
OWNERS_MONEY = (EventType.POSITION_CREATED, EventType.DEPOSITED, EventType.WITHDRAWN, EventType.ADJUSTED)
Listing = tuple[str, str]


class Moment(NamedTuple):
    """Now on one source's clock, and the exchange date it falls on."""

    at: datetime
    day: date

    @property
    def midnight(self) -> datetime:
        return datetime.combine(self.day, time(), EXCHANGE_TIME)


class Moved(NamedTuple):
    """What a cell's events added since midnight (shares; cash with what is owed), and the owner's money among it."""

    shares: int
    cash: int
    own: int


def listing_of(position: Position) -> Listing:
    return position.symbol, position.source


def moments_of(sources: set[str]) -> dict[str, Moment]:
    clocks = {clock.source: clock for clock in MarketClock.objects.filter(source__in=sources)}
    moments = {}
    for source in sources:
        clock = clocks.get(source)
        at = clock.at if clock and clock.at else timezone.now()
        day = clock.day if clock and clock.day else at.astimezone(EXCHANGE_TIME).date()
        moments[source] = Moment(at, day)
    return moments


def quotes_of(positions: Sequence[Position]) -> dict[Listing, Quote]:
    """The newest quote of every listing, one query per source."""
    symbols: dict[str, set[str]] = defaultdict(set)
    for position in positions:
        symbols[position.source].add(position.symbol)
    found: dict[Listing, Quote] = {}
    for source, names in symbols.items():
        found |= {(symbol, source): quote for symbol, quote in newest_quotes(names, source).items()}
    return found


def closes_before_today(positions: Sequence[Position], moments: dict[str, Moment]) -> dict[Listing, int]:
    """The last price of each listing before its market day began."""
    earlier = Q(pk__in=[])
    for source, moment in moments.items():
        symbols = {position.symbol for position in positions if position.source == source}
        earlier |= Q(source=source, symbol__in=symbols, at__lt=moment.midnight)
    rows = Quote.objects.filter(earlier).order_by("symbol", "source", "-at").distinct("symbol", "source")
    return {(quote.symbol, quote.source): quote.last for quote in rows}


def starts_of(positions: Sequence[Position]) -> dict[UUID, Untouched]:
    """Starting shares, and the starting cash with all later deposits and withdrawals."""
    own = Event.objects.filter(stream_id__in=[position.public_id for position in positions], type__in=OWNERS_MONEY)
    rows = own.values_list("stream_id").annotate(Sum("d_shares"), Sum("d_cash"))
    return {stream: Untouched(int(shares), int(cash)) for stream, shares, cash in rows}


def moved_today(positions: Sequence[Position], moments: dict[str, Moment]) -> dict[UUID, Moved]:
    today = Q(pk__in=[])
    for source, moment in moments.items():
        streams = [position.public_id for position in positions if position.source == source]
        today |= Q(stream_id__in=streams, market_at__gte=moment.midnight)
    own = Sum("d_cash", filter=Q(type__in=OWNERS_MONEY))
    sums = Sum("d_shares"), Sum("d_cash"), Sum("d_receivable")
    rows = Event.objects.filter(today).values_list("stream_id").annotate(*sums, own=own)
    return {stream: Moved(int(shares), int(cash + owed), int(own or 0)) for stream, shares, cash, owed, own in rows}


def actions_of(positions: Sequence[Position]) -> dict[Listing, list[Payout | Ratio]]:
    """Dividends and splits announced for these listings, two queries."""
    actions: dict[Listing, list[Payout | Ratio]] = defaultdict(list)
    for row in named(Dividend.objects.all(), positions):
        actions[row.symbol, row.source].append(Payout(row.ex_date, row.dps))
    for row in named(Split.objects.all(), positions):
        actions[row.symbol, row.source].append(Ratio(row.ex_date, row.numerator, row.denominator))
    return actions


def named(rows: QuerySet, positions: Sequence[Position]) -> QuerySet:
    return rows.filter(
        symbol__in={position.symbol for position in positions}, source__in={position.source for position in positions}
    )
