"""Every price a cell was shown, as columns: no object and no row is made of a quote on its way here."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from django.db import connection

from portfolios.models import Position
from trading.market.phases import number
from trading.quotes.reading import columns_between
from trading.simulation.runs import CannotRun

MOST_QUOTES = 2_000_000
# One row of five arrays: a row a quote would cost more than all the rest of a preview.
QUOTES = """
    COPY (
        SELECT array_send(array_agg(at)), array_send(array_agg(received)), array_send(array_agg(last)),
               array_send(array_agg(bid)), array_send(array_agg(ask))
          FROM (SELECT at, received_at AS received, last, coalesce(bid, 0) AS bid, coalesce(ask, 0) AS ask
                  FROM market_quote
                 WHERE symbol = %s AND source = %s AND at >= %s
                 ORDER BY market_quote.at
                 LIMIT %s) AS seen
    ) TO STDOUT (FORMAT BINARY)
"""
COPY_HEAD, FIELD_HEAD, ARRAY_HEAD = 11 + 4 + 4 + 2, 4, 20
ELEMENT = np.dtype([("bytes", ">i4"), ("value", ">i8")])
ITS_EPOCH = number(datetime(2000, 1, 1, tzinfo=UTC))  # from which PostgreSQL counts microseconds


class Quotes(NamedTuple):
    """at, received: microseconds of the epoch, by `at`. Prices in micros; bid and ask 0 where unknown."""

    at: np.ndarray
    received: np.ndarray
    last: np.ndarray
    bid: np.ndarray
    ask: np.ndarray


def nothing_seen() -> CannotRun:
    return CannotRun("This cell has not been shown a price yet: there is no history to preview on.")


def quotes_since(position: Position, begins: datetime) -> Quotes:
    with connection.cursor() as cursor:
        asked = position.symbol, position.source, begins, MOST_QUOTES + 1
        with cursor.copy(cursor.mogrify(QUOTES, asked)) as copy:
            found = b"".join(bytes(block) for block in copy)
    columns = list(columns_of(found))
    older = columns_between(position.symbol, position.source, begins)
    if columns:
        at, received, *prices = columns
        newer = Quotes(at + ITS_EPOCH, received + ITS_EPOCH, *prices)
    else:
        newer = Quotes(*(np.empty(0, np.int64) for _ in Quotes._fields))
    quotes = joined(older, newer) if older else newer
    if not len(quotes.at):
        raise nothing_seen()
    if len(quotes.at) > MOST_QUOTES:
        raise CannotRun(f"This cell was shown more than {MOST_QUOTES:,} prices: too many to preview on.")
    return quotes


def joined(older: dict[str, np.ndarray], newer: Quotes) -> Quotes:
    """What lies in files and what in the table; a quote that is on both sides counts once."""
    both = Quotes(*(np.concatenate((older[name].astype(np.int64), getattr(newer, name))) for name in Quotes._fields))
    _, places = np.unique(both.at, return_index=True)
    return Quotes(*(column[places] for column in both))


def columns_of(found: bytes) -> Iterator[np.ndarray]:
    """The arrays of the one row, in the binary form of COPY; none where there is no quote."""
    place = COPY_HEAD
    for _ in Quotes._fields:
        length = int.from_bytes(found[place : place + FIELD_HEAD], "big", signed=True)
        if length < 0:
            return
        place += FIELD_HEAD
        count = (length - ARRAY_HEAD) // ELEMENT.itemsize
        yield np.frombuffer(found, ELEMENT, count, place + ARRAY_HEAD)["value"].astype(np.int64)
        place += length
