"""What an account can do at its broker: asked when connecting and every hour, and stored.

Where it says that nothing is traded, nothing is sent: `trading.risk.selectors.why_blocked`.
"""

from datetime import timedelta

from django.utils import timezone

from portfolios.models import Account, Position
from trading.brokers.base import Broker, BrokerSilent
from trading.brokers.models import Ability
from trading.risk.selectors import HERE

ASKED_EVERY = timedelta(hours=1)


def probe(account: Account, broker: Broker, *, anew: bool) -> None:
    """Where the broker does not answer, what was known stays."""
    now = timezone.now()
    known = Ability.objects.filter(account=account.code).first()
    if account.adapter in HERE or (known and not anew and now - known.probed_at < ASKED_EVERY):
        return
    cells = Position.objects.filter(portfolio__account=account).exclude(state=Position.Status.CLOSED)
    try:
        told = broker.abilities(sorted(set(cells.values_list("symbol", flat=True))))
    except BrokerSilent:
        return
    if told is None:
        return
    found = {
        "blocked": told.blocked[:200],
        "fractional": told.fractional,
        "extended_hours": told.extended_hours,
        "whole_only": list(told.whole_only),
        "untradable": list(told.untradable),
        "probed_at": now,
    }
    Ability.objects.update_or_create(account=account.code, defaults=found)
