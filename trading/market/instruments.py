"""Which of two says what an instrument is: a person, where he has said so, else whatever a broker last told."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

import structlog
from django.db import transaction

from trading.market.models import Instrument, Quote

log = structlog.get_logger(__name__)
COLUMNS = ("name", "exchange", "currency", "tick", "lot", "tradable", "fractional")


class Telling(Protocol):
    """An instrument as somebody tells it; "" or 0 where he does not."""

    @property
    def symbol(self) -> str: ...

    def _asdict(self) -> dict[str, Any]: ...


def take_told(told: Iterable[Telling], *, by: str, at: datetime) -> int:
    """Of symbols asked about: how many instruments are another than before."""
    return sum(take_one(one, by, at) for one in told)


@transaction.atomic
def take_one(told: Telling, by: str, at: datetime) -> bool:
    """One nobody knew yet is made. A name that is known stays: it may be nicer than the vendor's."""
    Instrument.objects.get_or_create(symbol=told.symbol)
    instrument = Instrument.objects.select_for_update().get(symbol=told.symbol)
    instrument.told = {name: told._asdict()[name] for name in COLUMNS}
    instrument.told_by, instrument.told_at = by, at
    before = {name: getattr(instrument, name) for name in COLUMNS}
    changed = heed_told(instrument)
    instrument.save()
    if changed:
        after = {name: getattr(instrument, name) for name in changed}
        log.info("instrument", symbol=told.symbol, by=by, was={name: before[name] for name in changed}, now=after)
    return bool(changed)


def heed_told(instrument: Instrument) -> list[str]:
    """Set what was told and no person has set, not saved yet; the names of what changes.

    An exchange stays once a price has come for it: its sessions have been used.
    """
    changed = []
    for name, value in instrument.told.items():
        known = getattr(instrument, name)
        settled = (name == "name" and known) or (name == "exchange" and known != value and is_priced(instrument.symbol))
        untold = value in ("", 0) and not isinstance(value, bool)
        if name in instrument.by_hand or settled or untold or value == known:
            continue
        setattr(instrument, name, value)
        changed.append(name)
    return changed


def is_priced(symbol: str) -> bool:
    return Quote.objects.filter(symbol=symbol).exists()
