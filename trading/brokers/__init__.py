"""Orders out: one adapter per file behind the Protocol in base.py."""

from django.conf import settings
from django.utils.module_loading import import_string

from trading.brokers.base import Broker


def broker_for(mode: str) -> Broker:
    """The adapter for a portfolio's mode. Raises LookupError where none is configured."""
    if mode not in settings.BROKERS:
        raise LookupError(f"no broker is configured for {mode} trading")
    broker: Broker = import_string(settings.BROKERS[mode])()
    return broker
