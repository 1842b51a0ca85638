"""The rows that a cell's totals are made of: its events, its prices, its settings, what its company paid."""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.db import connection

from portfolios.domain.amounts import PPM, micros
from portfolios.domain.exact import muldiv_ceil, muldiv_floor
from portfolios.domain.settings import merge_settings, parse_settings, rules_from
from portfolios.events import EventType
from portfolios.models import Position, SettingsVersion
from reporting.metrics.rows import FILLS, QUOTE, Fact, Facts, Fill, Rails, Skip, Versions, instant
from reporting.metrics.running import Running
from reporting.selectors.facts import Listing, actions_of, listing_of
from trading.quotes.reading import stored_since

TOLD = (*FILLS, EventType.SKIPPED, EventType.ORDER_INTENT, EventType.SETTINGS_CHANGED, EventType.POSITION_CREATED)
Quotes = list[tuple[int, int, int]]

# One step into the key's index per stream, however long the log: OFFSET 0 keeps the planner, who takes every stream
# for a third new, from reading all of it.
EVENTS_AFTER = """
    SELECT event.stream_id, event.seq, event.type, event.market_at, event.d_shares, event.d_cash, event.d_receivable,
           event.state_after, event.actor, CASE WHEN event.type = ANY(%s) THEN event.text END, event.decision_price
      FROM unnest(%s::uuid[], %s::bigint[]) AS wanted (stream_id, seq)
     CROSS JOIN LATERAL (
           SELECT event.*, placed.decision_price
             FROM portfolios_event AS event
             LEFT JOIN trading_order AS placed ON placed.public_id = event.subject AND event.type = ANY(%s)
            WHERE event.stream_id = wanted.stream_id AND event.seq > wanted.seq AND event.market_at <= %s
              AND (event.stream = 'position' OR event.type = 'settings_changed')
           OFFSET 0
           ) AS event
     ORDER BY event.stream_id, event.seq
"""
# From the price that was known at the instant wanted, to the end. A row without a time: files have prices of then.
QUOTES_SINCE = """
      WITH wanted AS (
           SELECT symbol, source, since,
                  (SELECT max(earlier.at) FROM market_quote AS earlier
                    WHERE earlier.symbol = asked.symbol AND earlier.source = asked.source
                      AND earlier.at <= asked.since) AS known
             FROM unnest(%s::text[], %s::text[], %s::timestamptz[]) AS asked (symbol, source, since)
           )
    SELECT quote.symbol, quote.source, quote.at, quote.last
      FROM wanted
      JOIN market_quote AS quote ON quote.symbol = wanted.symbol AND quote.source = wanted.source
       AND quote.at >= COALESCE(wanted.known, wanted.since)
     WHERE quote.at <= %s
     UNION ALL
    SELECT symbol, source, NULL, NULL
      FROM wanted
     WHERE EXISTS (SELECT FROM market_storedquotes AS stored
                    WHERE stored.source = wanted.source AND (stored.last >= wanted.since OR wanted.known IS NULL))
     ORDER BY at
"""


def facts_after(positions: Sequence[Position], starts: Mapping[int, Running], until: datetime) -> dict[int, Facts]:
    """By primary key, for the cells to which something may have happened. Needs `portfolio` selected. Six queries."""
    events = events_after(positions, starts, until)
    known = [position for position in positions if starts[position.pk].seq or events[position.public_id]]
    quotes = quotes_since(known, starts, events, until)
    actions, rails = actions_of(known), rails_of(known)
    return {
        position.pk: Facts(
            events[position.public_id],
            [fact for fact in events[position.portfolio.public_id] if fact.seq > starts[position.pk].portfolio_seq],
            quotes_for(starts[position.pk], events[position.public_id], quotes[listing_of(position)]),
            actions[listing_of(position)],
            rails(position),
        )
        for position in known
    }


def events_after(
    positions: Sequence[Position], starts: Mapping[int, Running], until: datetime
) -> dict[Any, list[Fact]]:
    """By stream, the cells' own and their portfolios'."""
    after: dict[Any, int] = {position.public_id: starts[position.pk].seq for position in positions}
    for position in positions:
        seq, stream = starts[position.pk].portfolio_seq, position.portfolio.public_id
        after[stream] = min(seq, after.get(stream, seq))
    told, fills = [str(kind) for kind in TOLD], [str(kind) for kind in FILLS]
    found: dict[Any, list[Fact]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(EVENTS_AFTER, [told, list(after), list(after.values()), fills, until])
        for stream, seq, kind, market_at, shares, cash, owed, state, actor, text, decision in cursor.fetchall():
            at = max(instant(market_at), found[stream][-1].at if found[stream] else 0)
            about = about_of(kind, json.loads(text), decision or 0) if text else None
            found[stream].append(Fact(at, seq, kind, shares, cash, owed, state, actor == "robot", about))
    return found


def about_of(kind: str, content: Mapping[str, Any], decision: int) -> Any:
    """What the totals need of an event's text."""
    inputs, outputs = content["inputs"], content["outputs"]
    if kind in FILLS:
        notional, fee, price = (micros(outputs[name]) for name in ("notional", "commission", "price"))
        return Fill(outputs["side"], notional, fee, price, decision)
    if kind == EventType.SKIPPED:
        return skip_of(inputs, outputs)
    if kind == EventType.ORDER_INTENT:
        return inputs["reason"] if inputs["origin"] == "robot" else None
    if kind == EventType.SETTINGS_CHANGED:
        number = int(inputs["version"])
        return Versions(None, number) if content["stream"] == "position" else Versions(number, None)
    return Versions(*(int(content["settings"].get(name, 0)) for name in ("portfolio_version", "cell_version")))


def skip_of(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> Skip | None:
    """None where no trigger had fired: drift that was held up."""
    anchor, price, side = micros(inputs["anchor"]), micros(inputs["price"]), outputs["side"]
    if side == "BUY":
        edge = muldiv_floor(anchor, PPM - micros(outputs["trigger_down"]), PPM)
        return Skip(side, edge, outputs["reason"]) if price <= edge else None
    edge = muldiv_ceil(anchor, PPM + micros(outputs["trigger_up"]), PPM)
    return Skip(side, edge, outputs["reason"]) if side == "SELL" and price >= edge else None


def quotes_since(
    positions: Sequence[Position], starts: Mapping[int, Running], events: Mapping[Any, Sequence[Fact]], until: datetime
) -> dict[Listing, Quotes]:
    since: dict[Listing, int] = {}
    for position in positions:
        start, listing = starts[position.pk], listing_of(position)
        at = seen_from(start, events[position.public_id])
        since[listing] = min(at, since.get(listing, at))
    symbols, sources = [symbol for symbol, _ in since], [source for _, source in since]
    moments = [datetime.fromtimestamp(at / 1000, UTC) for at in since.values()]
    found: dict[Listing, Quotes] = defaultdict(list)
    in_files: dict[Listing, datetime] = {}
    with connection.cursor() as cursor:
        cursor.execute(QUOTES_SINCE, [symbols, sources, moments, until])
        for symbol, source, at, last in cursor.fetchall():
            if at is None:
                in_files[symbol, source] = datetime.fromtimestamp(since[symbol, source] / 1000, UTC)
            else:
                found[symbol, source].append((instant(at), QUOTE, last))
    for listing, older in stored_since(in_files, until).items():
        found[listing] = sorted({(instant(at), QUOTE, last) for at, last in older} | set(found[listing]))
    return found


def quotes_for(start: Running, events: Sequence[Fact], quotes: Quotes) -> Quotes:
    """What the cell has not seen; for a new one from the price that was known when it opened."""
    if start.quote_at:
        return quotes[bisect_right(quotes, start.quote_at, key=first) :]
    return quotes[max(bisect_right(quotes, seen_from(start, events), key=first) - 1, 0) :]


def seen_from(start: Running, events: Sequence[Fact]) -> int:
    """The instant after which quotes are new to a cell. One without any price may have no new event either."""
    return start.quote_at or (events[0].at if events else start.at)


def first(quote: tuple[int, int, int]) -> int:
    return quote[0]


def rails_of(positions: Sequence[Position]) -> Callable[[Position], Callable[[int, int], Rails]]:
    """For each cell, what versions of its portfolio's and its own settings said. One query."""
    portfolios = {position.portfolio_id for position in positions}
    rows = SettingsVersion.objects.filter(portfolio__in=portfolios)
    given = {(row.portfolio_id, row.position_id, row.number): parse_settings(row.given) for row in rows}

    @cache
    def rails(portfolio: int, cell: int | None, portfolio_version: int, cell_version: int) -> Rails:
        upper = given.get((portfolio, None, portfolio_version), {})
        rules = rules_from(merge_settings(upper, given.get((portfolio, cell, cell_version), {})), default_buffer=0)
        return Rails(rules.guardrail_low, rules.guardrail_high, rules.withholding)

    def of(position: Position) -> Callable[[int, int], Rails]:
        def said(portfolio_version: int, cell_version: int) -> Rails:
            cell = position.pk if cell_version else None
            return rails(position.portfolio_id, cell, portfolio_version, cell_version)

        return said

    return of
