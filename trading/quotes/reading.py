"""The one reader of prices that were: whichever side of the border between table and files they lie on.

The table is asked first and the list of files after it, so a month on its way is seen twice rather than not at all; a
quote that is on both sides counts once, by its market time. Where the same statement asks both, one snapshot tells
whether there are files, and mostly there are none: then the list costs no query of its own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import merge
from itertools import groupby
from typing import Any

from django.db.models import Exists, QuerySet

from trading.bars.engine import engine
from trading.market.models import Quote, StoredQuotes
from trading.market.phases import MICROSECOND as INSTANT
from trading.market.phases import instant
from trading.quotes.files import names, quote_of, table_of, within

CHUNK = 2_000
Listing = tuple[str, str]  # symbol and source


def quotes_between(
    symbol: str, source: str, since: datetime | None = None, until: datetime | None = None
) -> Iterator[Quote]:
    """By market time, since <= at < until; in constant memory."""
    held = in_table(symbol, source, since, until).annotate(is_stored=Exists(parts_in(source, since, until)))
    rows = held.order_by("at").iterator(chunk_size=CHUNK)
    head = next(rows, None)
    newer = prepended(head, rows)
    parts = parts_between(source, since, until) if head is None or head.is_stored else []
    if not parts:
        yield from newer
        return
    both = merge(stored(symbol, source, parts, since, until), newer, key=moment)
    for _, same in groupby(both, key=moment):
        yield next(same)


def quote_at(symbol: str, source: str, at: datetime) -> Quote | None:
    """The one of that very instant."""
    found = Quote.objects.filter(symbol=symbol, source=source, at=at).first()
    return found or newest_of(symbol, source, parts_between(source, at, None)[:1], at, at)


def newest_until(symbol: str, source: str, at: datetime) -> Quote | None:
    """The newest that was known at an instant."""
    found = Quote.objects.filter(symbol=symbol, source=source, at__lte=at).order_by("-at").first()
    parts = list(reversed(parts_between(source, found.at if found else None, None, until_last=at)))
    for part in parts:
        older = newest_of(symbol, source, [part], None, at)
        if older and (found is None or older.at > found.at):
            return older
    return found


def moment_before(symbol: str, source: str, at: datetime, reach: int) -> datetime | None:
    """When the `reach`-th quote before an instant was; None where there are not so many."""
    held = in_table(symbol, source, None, at).annotate(is_stored=Exists(parts_in(source, None, at)))
    rows = list(held.order_by("-at").values_list("at", "is_stored")[:reach])
    known = {moment for moment, _ in rows}
    begins = min(known) if len(known) >= reach else None
    parts = parts_between(source, begins, at) if not rows or rows[0][1] else []
    for part in reversed(parts):
        known.update(moments_in(symbol, part, at, reach))
        if len([moment for moment in known if moment >= part.first]) >= reach:
            break
    moments = sorted(known, reverse=True)
    return moments[reach - 1] if len(moments) >= reach else None


def parts_between(
    source: str, since: datetime | None, until: datetime | None, *, until_last: datetime | None = None
) -> list[StoredQuotes]:
    """Files in which quotes of this time can be, oldest first. `until_last`: that instant included."""
    parts = parts_in(source, since, until)
    parts = parts.filter(first__lte=until_last) if until_last else parts
    return list(parts.order_by("first"))


def parts_in(source: str, since: datetime | None, until: datetime | None) -> QuerySet[StoredQuotes]:
    parts = StoredQuotes.objects.filter(source=source)
    parts = parts.filter(last__gte=since) if since else parts
    return parts.filter(first__lt=until) if until else parts


def in_table(symbol: str, source: str, since: datetime | None, until: datetime | None) -> QuerySet[Quote]:
    quotes = Quote.objects.filter(symbol=symbol, source=source)
    quotes = quotes.filter(at__gte=since) if since else quotes
    return quotes.filter(at__lt=until) if until else quotes


def stored_since(wanted: Mapping[Listing, datetime], until: datetime) -> dict[Listing, list[tuple[datetime, int]]]:
    """By symbol and source, market times and last prices of what lies in files: from the newest known at the instant
    wanted on, that included. One query for all of them; ask the table before, not after.
    """
    sources = {source for _, source in wanted}
    files = list(StoredQuotes.objects.filter(source__in=sources, first__lte=until).order_by("first")) if wanted else []
    found = {}
    for (symbol, source), since in wanted.items():
        parts = [part for part in files if part.source == source]
        older = (newest_of(symbol, source, [part], None, since) for part in reversed(parts) if part.first <= since)
        begin = next((quote.at for quote in older if quote), since)
        newer = [part for part in parts if part.last >= begin]
        rows = stored(symbol, source, newer, begin, until + INSTANT) if newer else ()
        found[symbol, source] = [(quote.at, quote.last) for quote in rows]
    return found


def columns_between(symbol: str, source: str, since: datetime) -> dict[str, Any] | None:
    """What lies in files, as arrays: at and received in microseconds of the epoch, prices in micros, 0 where unknown.

    None where no file is of that time. Ask the table before, not after.
    """
    parts = parts_between(source, since, None)
    if not parts:
        return None
    with engine() as duck:
        return duck.execute(
            "SELECT moment AS at, received_at AS received, last, coalesce(bid, 0) AS bid, coalesce(ask, 0) AS ask "  # noqa: S608 - ours
            f"FROM {table_of(parts)} WHERE {within(symbol, since, None)} ORDER BY moment"
        ).fetchnumpy()


def stored(
    symbol: str, source: str, parts: Sequence[StoredQuotes], since: datetime | None, until: datetime | None
) -> Iterator[Quote]:
    with engine() as duck:
        found = duck.execute(
            f"SELECT {names()} FROM {table_of(parts)} "  # noqa: S608 - ours
            f"WHERE {within(symbol, since, until)} ORDER BY moment"
        )
        while rows := found.fetchmany(CHUNK):
            yield from (quote_of(source, row) for row in rows)


def newest_of(
    symbol: str, source: str, parts: Sequence[StoredQuotes], since: datetime | None, last: datetime
) -> Quote | None:
    """The newest up to an instant, that included."""
    if not parts:
        return None
    with engine() as duck:
        row = duck.execute(
            f"SELECT {names()} FROM {table_of(parts)} "  # noqa: S608 - ours
            f"WHERE {within(symbol, since, last + INSTANT)} ORDER BY moment DESC LIMIT 1"
        ).fetchone()
    return quote_of(source, row) if row else None


def moments_in(symbol: str, part: StoredQuotes, until: datetime, most: int) -> Iterable[datetime]:
    with engine() as duck:
        rows = duck.execute(
            f"SELECT moment FROM {table_of([part])} WHERE {within(symbol, None, until)} "  # noqa: S608 - ours
            f"ORDER BY moment DESC LIMIT {most:d}"
        ).fetchall()
    return [instant(at) for (at,) in rows]


def moment(quote: Quote) -> datetime:
    return quote.at


def prepended(head: Quote | None, rows: Iterator[Quote]) -> Iterator[Quote]:
    if head is not None:
        yield head
        yield from rows
