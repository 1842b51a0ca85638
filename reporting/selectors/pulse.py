"""The pulse of what somebody looks at: as long as it is the same, the page would be too."""

import hashlib
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings

from portfolios.models import Event, Portfolio, Position
from trading.market.models import MarketClock


def pulse_of_user(user: Any, address: str) -> str:
    """Changes with any step of a market and any event he may see."""
    portfolios = list(Portfolio.objects.visible_to(user).order_by("pk").values_list("pk", flat=True))
    newest = Event.objects.filter(portfolio__in=portfolios).order_by("-pk").values_list("pk", flat=True).first()
    return pulse((address, user.pk, portfolios, newest, steps()))


def pulse_of_cell(user: Any, public_id: UUID, address: str) -> str:
    """Changes with any step of a market and any event of the cell; the same for every cell he may not see."""
    seen = Position.objects.visible_to(user).filter(public_id=public_id)
    return pulse((address, user.pk, seen.values_list("event_seq", "state", "skip_mark").first(), steps()))


def steps() -> list[tuple[Any, ...]]:
    return list(MarketClock.objects.order_by("pk").values_list("source", "at", "running", "ended"))


def pulse(parts: Iterable[Any]) -> str:
    digest = hashlib.sha256(repr((settings.BUILD, *parts)).encode()).hexdigest()
    return f'"{digest[:24]}"'
