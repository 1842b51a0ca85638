"""Reads of trading: what is waiting for a bell."""

from collections.abc import Collection
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.models import F, Q
from django.utils import timezone

from portfolios.models import Account, Portfolio, Position
from portfolios.prepared import PlannedAnewCursor, PreparedRead, Slot, array_text, execute
from trading.market.models import Quote
from trading.market.selectors import newest_quote, newest_quotes
from trading.models import InboxMessage, Order

AT_ONCE = 100  # messages a sweep rings for
TRIES = 10  # for a parked message: three at once, the rest five minutes apart; then it is a person's
QUICK_TRIES, QUICKLY, SLOWLY = 3, timedelta(seconds=5), timedelta(minutes=5)
FATE_UNKNOWN = ("sending", "unknown", "cancelling")
# Between last and middle the rule may choose either, so a cell wakes when one of them left its band. One half per edge,
# because each edge has an index of its own: an OR of the two would read every cell of the symbol. Planned each time: a
# plan for any number of quotes would read every cell there is.
WAITING_CELLS = """
      WITH quote AS (
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::timestamptz[]) AS one (symbol, low, high, at)
      )
    SELECT cell.id
      FROM quote JOIN portfolios_position AS cell
        ON cell.symbol = quote.symbol AND cell.source = $5 AND cell.wake_below >= quote.low
     WHERE (cell.quote_at IS NULL OR cell.quote_at < quote.at) AND cell.state NOT IN ('closed', 'quarantined')
     UNION
    SELECT cell.id
      FROM quote JOIN portfolios_position AS cell
        ON cell.symbol = quote.symbol AND cell.source = $5 AND cell.wake_above <= quote.high
     WHERE (cell.quote_at IS NULL OR cell.quote_at < quote.at) AND cell.state NOT IN ('closed', 'quarantined')
     ORDER BY id
"""


LOCKED_CELL = PreparedRead(lambda: Position.objects.locked().filter(pk=Slot("position")))
LOCKED_CELL_OF = PreparedRead(lambda: Position.objects.locked().filter(orders=Slot("order")))
CELL_OF = PreparedRead(lambda: Position.objects.filter(orders=Slot("order")))
ORDER = PreparedRead(lambda: Order.objects.filter(pk=Slot("order")))
OPEN_ORDERS = PreparedRead(
    lambda: (
        Order.objects.open()
        .filter(position__symbol__is_any_of=Slot("symbols"), position__source__is_any_of=Slot("sources"))
        .exclude(position__state=Position.Status.QUARANTINED)
        .only("status", "origin", "quote_at")
        .annotate(symbol=F("position__symbol"))
        .order_by("pk")
    )
)


def locked_cell(position_id: int) -> Position:
    """`Position.objects.locked().get(pk=...)`, planned once."""
    return existing(LOCKED_CELL.first(position=position_id))


def locked_cell_of(order_id: int) -> tuple[Position, Order]:
    """The cell of an order with its lock, and the order as it is from then on."""
    position = existing(LOCKED_CELL_OF.first(order=order_id))
    order = ORDER.first(order=order_id)
    if order is None:
        raise Order.DoesNotExist("Order matching query does not exist.")
    return position, order


def existing(position: Position | None) -> Position:
    if position is None:
        raise Position.DoesNotExist("Position matching query does not exist.")
    return position


def waiting_cells(quotes: Collection[Quote]) -> list[int]:
    """Cells that these quotes of one source woke and that have not looked at them yet: one indexed query."""
    if not quotes:
        return []
    rows = [(quote.symbol, *spread_of(quote), quote.at) for quote in quotes]
    source = next(iter(quotes)).source
    columns = [array_text(column) for column in zip(*rows, strict=True)]
    return [pk for (pk,) in execute(WAITING_CELLS, [*columns, source], PlannedAnewCursor)]


def spread_of(quote: Quote) -> tuple[int, int]:
    mid = (quote.bid + quote.ask) // 2 if quote.bid and quote.ask else quote.last
    return min(quote.last, mid), max(quote.last, mid)


def waiting_orders(quotes: Collection[Quote]) -> list[int]:
    """Orders to be carried on at these quotes: those not decided yet, and those that have not seen the quote."""
    seen = {quote.symbol: quote.at for quote in quotes}
    sources = {quote.source for quote in quotes}
    rows: list[Any] = OPEN_ORDERS.all(symbols=array_text(seen), sources=array_text(sources))
    return [
        order.pk
        for order in rows
        if order.status in FATE_UNKNOWN
        or (order.status == "new" and order.origin == Order.Origin.ROBOT)
        or order.quote_at is None
        or order.quote_at < seen[order.symbol]
    ]


def cell_held_up_by(order_id: int) -> int | None:
    """The order's cell, if it still has to look at the newest quote: it let the order go first."""
    position = existing(CELL_OF.first(order=order_id))
    quote = newest_quote(position.symbol, position.source)
    if quote is None or (position.quote_at and position.quote_at >= quote.at):
        return None
    low, high = spread_of(quote)
    return position.pk if position.wake_below >= low or position.wake_above <= high else None


def position_of(order_id: int) -> int:
    return Order.objects.values_list("position_id", flat=True).get(pk=order_id)


def accounts_in_use() -> list[int]:
    """Accounts whose books can move: not closed, and some portfolio trades there."""
    used = Account.objects.exclude(state=Account.Status.CLOSED).filter(portfolios__state=Portfolio.Status.ACTIVE)
    return list(used.order_by("pk").values_list("pk", flat=True).distinct())


def messages_waiting() -> list[int]:
    """What the inbox still has to work on: left lying when its worker died, or parked and not tried too often."""
    now = timezone.now()
    left = Q(status=InboxMessage.Status.RECEIVED, received_at__lt=now - QUICKLY)
    quick = Q(attempts__lt=QUICK_TRIES, processed_at__lt=now - QUICKLY)
    slow = Q(attempts__lt=TRIES, processed_at__lt=now - SLOWLY)
    waiting = left | Q(Q(status=InboxMessage.Status.PARKED) & (quick | slow))
    return list(InboxMessage.objects.filter(waiting).order_by("pk").values_list("pk", flat=True)[:AT_ONCE])


def messages_parked_for(order_id: int) -> list[int]:
    """They may have waited for what was just booked."""
    parked = InboxMessage.objects.filter(order=order_id, status=InboxMessage.Status.PARKED)
    return list(parked.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])


class Listing(NamedTuple):
    """A symbol by the prices of a source, of which there is a cell; held: of which one is not closed."""

    symbol: str
    source: str
    held: bool


# From one listing to the next down the index: DISTINCT reads every cell there is, each second, for every feed.
LISTINGS = """
    WITH RECURSIVE listing AS (
        (SELECT symbol, source FROM portfolios_position ORDER BY symbol, source LIMIT 1)
        UNION ALL
        SELECT beyond.symbol, beyond.source
          FROM listing
         CROSS JOIN LATERAL (
               SELECT cell.symbol, cell.source FROM portfolios_position AS cell
                WHERE (cell.symbol, cell.source) > (listing.symbol, listing.source)
                ORDER BY cell.symbol, cell.source
                LIMIT 1
               ) AS beyond
    )
    SELECT symbol, source,
           EXISTS (SELECT FROM portfolios_position AS cell
                    WHERE (cell.symbol, cell.source) = (listing.symbol, listing.source) AND cell.state <> 'closed')
      FROM listing
"""


def listings() -> list[Listing]:
    return [Listing(*row) for row in execute(LISTINGS, [])]


def traded_symbols(source: str) -> list[str]:
    return sorted(listing.symbol for listing in listings() if listing.source == source)


def held_symbols(source: str) -> list[str]:
    """Of cells that are not closed."""
    return sorted(listing.symbol for listing in listings() if listing.source == source and listing.held)


def newest_traded_quotes(source: str) -> list[Quote]:
    return list(newest_quotes(traded_symbols(source), source).values())


def newest_of_all() -> list[list[Quote]]:
    """The newest quotes of every source that some cell follows, source by source."""
    known = sorted(listings(), key=attrgetter("source"))
    several = groupby(known, key=attrgetter("source"))
    return [list(newest_quotes([row.symbol for row in rows], source).values()) for source, rows in several]
