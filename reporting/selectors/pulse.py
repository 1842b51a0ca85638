"""The pulse of what somebody looks at: as long as it is the same, the page would be too."""

import hashlib
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import OuterRef, Subquery

from portfolios.models import Event, Portfolio, Position
from trading.market.models import MarketClock
from trading.risk.models import Halt


def pulse_of_user(user: Any, clocks: Iterable[MarketClock], address: str, halts: Iterable[Halt] = ()) -> str:
    """Changes with any step of a market, any event he may see and any halt."""
    newest = Event.objects.filter(portfolio=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    portfolios = Portfolio.objects.visible_to(user).order_by("pk").values_list("pk", Subquery(newest))
    return pulse((address, user.pk, list(portfolios), steps(clocks), [halt.pk for halt in halts]))


def pulse_of_cell(
    user: Any, public_id: UUID, clocks: Iterable[MarketClock], address: str, halts: Iterable[Halt] = ()
) -> str:
    """Changes with any step of a market, any event of the cell and any halt; the same for every cell he may not see."""
    seen = Position.objects.visible_to(user).filter(public_id=public_id)
    return pulse(
        (
            address,
            user.pk,
            seen.values_list("event_seq", "state", "skip_mark").first(),
            steps(clocks),
            [halt.pk for halt in halts],
        )
    )


def steps(clocks: Iterable[MarketClock]) -> list[tuple[Any, ...]]:
    return [(clock.source, clock.at, clock.running, clock.ended) for clock in clocks]


def pulse(parts: Iterable[Any]) -> str:
    digest = hashlib.sha256(repr((settings.BUILD, *parts)).encode()).hexdigest()
    return f'"{digest[:24]}"'
