"""Orders out: one adapter per file behind the Protocol in base.py."""

from collections.abc import Callable

from django.conf import settings
from django.utils.module_loading import import_string

from trading.brokers.base import Broker, News, UnknownType


def broker_for(adapter: str, account: str) -> Broker:
    """The adapter for an account, by its code. Raises LookupError where none of that name is configured."""
    if adapter not in settings.BROKERS:
        raise LookupError(f"no broker is configured as {adapter}")
    broker: Broker = import_string(settings.BROKERS[adapter])(account)
    return broker


def reader_for(adapter: str) -> Callable[[str], News | None]:
    """What reads the messages of a broker's own stream. Raises UnknownType where it has none."""
    told = getattr(import_string(settings.BROKERS[adapter]), "told", None) if adapter in settings.BROKERS else None
    if told is None:
        raise UnknownType(f"of a stream of {adapter}")
    reader: Callable[[str], News | None] = told
    return reader
