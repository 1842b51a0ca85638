"""Asks the feed of corporate actions once a day for each symbol held; until it has answered, each time."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from functools import partial
from typing import Protocol

import structlog
from django.core.cache import cache

from dividends.models import ActionsAnswer
from dividends.services.announcements import note_answers
from portfolios.errors import Refused
from trading.market.base import PriceUnavailable
from trading.market.sources.corporate import AlpacaActions, DividendTold, SplitTold
from trading.market.sources.yahoo import YahooActions
from trading.services.told_actions import Told, ToldDividend, ToldSplit, summed, take_actions

BACK, AHEAD = timedelta(days=7), timedelta(days=45)
log = structlog.get_logger(__name__)


class ActionsFeed(Protocol):
    name: str

    def between(
        self, symbols: Collection[str], first: date, last: date
    ) -> tuple[list[DividendTold], list[SplitTold]]: ...


def ask_for_actions(
    *, source: str, symbols: Collection[str], day: date, market_at: datetime, feed: ActionsFeed | None = None
) -> bool:
    """Announce what it tells, correct what it tells otherwise, and note that it has answered; whether it did.

    A feed that is silent, or contradicts what cells have been split by, has not answered. What a person has said stays;
    a split of this day that he denies leaves its symbol without an answer. While Alpaca is silent Yahoo is asked once
    an hour: what it tells is taken where nobody told of that day yet, and its silence is no answer.
    """
    answered = ActionsAnswer.objects.filter(source=source, symbol__in=symbols, day=day)
    open_ones = sorted(set(symbols) - set(answered.values_list("symbol", flat=True)))
    if not open_ones:
        return True
    asked = partial(told_by, source=source, symbols=open_ones, day=day, market_at=market_at)
    whole = feed or AlpacaActions()
    told = asked(whole, corrects=True)
    if told is not None:
        note_answers(source=source, symbols=sorted(told), day=day, by=whole.name)
        return told == set(open_ones)
    if feed is None and cache.add(f"actions-asked-elsewhere:{source}:{market_at:%Y-%m-%d-%H}", 1, 3_600):
        asked(YahooActions(), corrects=False)
    return False


def told_by(
    feed: ActionsFeed, *, source: str, symbols: Collection[str], day: date, market_at: datetime, corrects: bool
) -> set[str] | None:
    """The symbols of which all it said was taken, or is of no weight today; None where it was silent."""
    try:
        dividends, splits = feed.between(symbols, day - BACK, day + AHEAD)
        told = Told(
            summed(ToldDividend(*row) for row in dividends if row.symbol in symbols),
            tuple(ToldSplit(*row) for row in sorted(set(splits)) if row.symbol in symbols),
        )
        taken = take_actions(
            source=source, told=told, corrects=corrects, market_at=market_at, actor=feed.name, overrules=False
        )
    except (PriceUnavailable, Refused) as error:
        log.warning("no corporate actions", source=source, by=feed.name, error=str(error))
        return None
    if taken.different:
        log.warning("told otherwise than a person said", source=source, by=feed.name, of=taken.different)
    denied = {row.symbol for row in told.splits if row.ex_date == day and f"{row.symbol} {day}" in taken.different}
    return set(symbols) - denied
