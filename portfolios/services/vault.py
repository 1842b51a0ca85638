"""Credentials of brokers: encrypted under the newest key, read by whoever speaks to the broker, shown to nobody."""

import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from portfolios.errors import Refused


class Credentials(dict[str, Any]):
    """What a broker asks for. Printed, logged or in a traceback it names its keys alone."""

    def __repr__(self) -> str:
        return f"Credentials({', '.join(sorted(self))})"

    __str__ = __repr__


def seal(given: Mapping[str, Any]) -> str:
    """Encrypted under the newest key. Raises Refused credentials_key_unusable (503)."""
    return keys().encrypt(json.dumps(dict(given)).encode()).decode()


def unseal(sealed: str) -> Credentials:
    """Raises Refused: credentials_unreadable (409), credentials_key_unusable (503)."""
    if not sealed:
        return Credentials()
    try:
        return Credentials(json.loads(keys().decrypt(sealed.encode())))
    except (InvalidToken, ValueError):
        message = "its credentials were encrypted under a key that VBALANCE_CREDENTIAL_KEYS does not hold"
        raise Refused("credentials_unreadable", message, status=409) from None


def resealed(sealed: str) -> str:
    """The same credentials under the newest key; unchanged where they are so already. Raises Refused as `unseal`."""
    unseal(sealed)
    newest = Fernet(settings.CREDENTIAL_KEYS[0])
    try:
        newest.decrypt(sealed.encode())
    except InvalidToken:
        return keys().rotate(sealed.encode()).decode()
    return sealed


def keys() -> MultiFernet:
    """Raises Refused credentials_key_unusable: none is given, or one is no key. No key is ever in the message."""
    try:
        return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])
    except ValueError:
        message = "VBALANCE_CREDENTIAL_KEYS must hold keys of 32 bytes in url-safe base64, separated by commas"
        raise Refused("credentials_key_unusable", message, status=503) from None
