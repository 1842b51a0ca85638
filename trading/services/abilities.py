"""What an account can do at its broker: asked when connecting and every hour, and stored; and its instruments with it.

Where it says that nothing is traded, nothing is sent: `trading.risk.selectors.why_blocked` and `why_untraded`. Of its
symbols it is asked one by one, never of more than MOST at a time: a broker counts questions.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from portfolios.models import Account, Position
from trading.brokers.base import Broker, BrokerSilent
from trading.brokers.models import Ability
from trading.market.instruments import take_told
from trading.risk.selectors import HERE
from trading.services.lots import heed_lots

ASKED_EVERY = timedelta(hours=1)
MOST = 60


def probe(account: Account, broker: Broker, *, anew: bool) -> None:
    """Where the broker does not answer, what was known stays. Not in a transaction."""
    if account.adapter in HERE:
        return
    now = timezone.now()
    known = Ability.objects.filter(account=account.code).first() or Ability()
    symbols = symbols_of(account)
    due = symbols_due(symbols, known.asked, now, anew=anew)
    if known.pk and not (anew or due) and now - known.probed_at < ASKED_EVERY:
        return
    try:
        told = broker.abilities(due)
    except BrokerSilent:
        return
    if told is None:
        return
    asked = known.asked | dict.fromkeys(due, now.isoformat())
    found = {
        "blocked": told.blocked[:200],
        "fractional": told.fractional,
        "extended_hours": told.extended_hours,
        "whole_only": with_news(known.whole_only, told.whole_only, due, symbols),
        "untradable": with_news(known.untradable, told.untradable, due, symbols),
        "asked": {symbol: asked[symbol] for symbol in symbols if symbol in asked},
        "probed_at": now,
    }
    Ability.objects.update_or_create(account=account.code, defaults=found)
    take_told(told.listed, by=account.adapter, at=now)
    heed_lots()


def symbols_of(account: Account) -> list[str]:
    cells = Position.objects.filter(portfolio__account=account).exclude(state=Position.Status.CLOSED)
    return sorted(set(cells.values_list("symbol", flat=True)))


def symbols_due(symbols: Collection[str], asked: Mapping[str, str], now: datetime, *, anew: bool) -> list[str]:
    """At most MOST, those first that were never asked about, then those for longest; anew: whenever it was."""
    fresh = "" if anew else (now - ASKED_EVERY).isoformat()
    due = [symbol for symbol in symbols if anew or asked.get(symbol, "") <= fresh]
    return sorted(due, key=lambda symbol: (asked.get(symbol, ""), symbol))[:MOST]


def with_news(known: list[str], told: Collection[str], asked: Collection[str], symbols: Collection[str]) -> list[str]:
    """Of the account's symbols: as told where asked, else as known."""
    return [symbol for symbol in symbols if symbol in (told if symbol in asked else known)]
