"""What keeps a cell from deciding anything at all, however the gates stand: asked in this one place, in this order.

No price is known; a split is due that the cell has not been through; a gap overnight that nobody has explained.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from dividends.selectors import awaited_splits
from portfolios.models import Position
from trading.market.calendars import calendar_for
from trading.market.models import Quote
from trading.market.selectors import exchanges_of
from trading.overnight import Gap, unexplained_gaps

NO_PRICE, SPLIT_DUE, UNEXPLAINED = "no_price", "split_due", "unexplained_gap"
Listing = tuple[str, str]  # symbol and source


class Wait(NamedTuple):
    """Why nothing can be decided, in a sentence; gap: where it is one."""

    reason: str
    sentence: str
    gap: Gap | None = None


def no_price(symbol: str) -> Wait:
    return Wait(NO_PRICE, f"No price is known for {symbol}: nothing can be decided.")


def waits_of(
    positions: Sequence[Position], quotes: Mapping[Listing, Quote], *, may_split: Collection[Position] | None = None
) -> dict[int, Wait]:
    """Of those that wait, by primary key, with as many queries for many as for one; left out: those without a quote,
    and closed ones, for which there is nothing to wait. may_split: only these can await a split (None: nobody knows).
    """
    closed = Position.Status.CLOSED
    priced = [position for position in positions if listing_of(position) in quotes and position.state != closed]
    if not priced:
        return {}
    asked = priced if may_split is None else [position for position in priced if position in may_split]
    due, gaps = splits_due(asked, quotes), unexplained_gaps(quotes.values())
    found = {}
    for position in priced:
        if position.pk in due:
            found[position.pk] = Wait(SPLIT_DUE, "A split is due and waits for the open order: nothing can be decided.")
        elif gap := gaps.get(listing_of(position)):
            found[position.pk] = Wait(UNEXPLAINED, gap.sentence, gap)
    return found


def splits_due(positions: Sequence[Position], quotes: Mapping[Listing, Quote]) -> set[int]:
    """Those whose price is of other shares than they still hold: of a day on or after the ex-date."""
    awaited = awaited_splits(positions) if positions else {}
    waiting = [position for position in positions if position.pk in awaited]
    exchanges = exchanges_of({position.symbol for position in waiting}) if waiting else {}
    return {
        position.pk
        for position in waiting
        if awaited[position.pk] <= calendar_for(exchanges[position.symbol]).market_day(quotes[listing_of(position)].at)
    }


def listing_of(position: Position) -> Listing:
    return position.symbol, position.source
