"""Orders out: one adapter per file behind the Protocol in base.py."""

from django.conf import settings
from django.utils.module_loading import import_string

from trading.brokers.base import Broker


def broker_for(adapter: str, account: str) -> Broker:
    """The adapter for an account, by its code. Raises LookupError where none of that name is configured."""
    if adapter not in settings.BROKERS:
        raise LookupError(f"no broker is configured as {adapter}")
    broker: Broker = import_string(settings.BROKERS[adapter])(account)
    return broker
