"""Asks the feed of corporate actions once a day for each symbol held; until it has answered, each time."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Protocol

import structlog

from dividends.models import ActionsAnswer
from dividends.services.announcements import note_answers
from portfolios.errors import Refused
from trading.market.base import PriceUnavailable
from trading.market.sources.corporate import AlpacaActions, DividendTold, SplitTold
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

    A feed that is silent, or contradicts what cells have been split by, has not answered.
    """
    answered = ActionsAnswer.objects.filter(source=source, symbol__in=symbols, day=day)
    open_ones = sorted(set(symbols) - set(answered.values_list("symbol", flat=True)))
    if not open_ones:
        return True
    feed = feed or AlpacaActions()
    try:
        dividends, splits = feed.between(open_ones, day - BACK, day + AHEAD)
        told = Told(
            summed(ToldDividend(*row) for row in dividends if row.symbol in open_ones),
            tuple(ToldSplit(*row) for row in sorted(set(splits)) if row.symbol in open_ones),
        )
        take_actions(source=source, told=told, corrects=True, market_at=market_at, actor=feed.name)
    except (PriceUnavailable, Refused) as error:
        log.warning("no corporate actions", source=source, error=str(error))
        return False
    note_answers(source=source, symbols=open_ones, day=day, by=feed.name)
    return True
