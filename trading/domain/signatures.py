"""Whether who shares our secret signed a delivery, as Standard Webhooks says: HMAC-SHA256 over id, time and body."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import NamedTuple

TOLERANCE = 300  # seconds either way
MOST_SECRETS = 2  # the new one and, while the sender changes over, the old one
MOST_SIGNATURES = 16
LEAST_KEY = 24  # bytes; a shorter key, or none, would let others sign
PREFIX = "whsec_"
ID = re.compile(r"[!-\-/-~]{1,160}")  # no full stop: it parts what is signed
INSTANT = re.compile(r"[0-9]{1,12}")


class Delivery(NamedTuple):
    """The body byte for byte, and the three headers as they came, empty where one did not."""

    body: bytes
    id: str
    timestamp: str
    signature: str


def is_signed(delivery: Delivery, secrets: Sequence[str], now: float) -> bool:
    """Signed with one of the secrets, at most five minutes from `now` (seconds since 1970). Never raises."""
    if not ID.fullmatch(delivery.id) or not INSTANT.fullmatch(delivery.timestamp):
        return False
    given = [part.encode(errors="replace") for part in delivery.signature.split(" ")[:MOST_SIGNATURES]]
    wanted = [signature(key, delivery) for key in keys_of(secrets)]
    matching = [hmac.compare_digest(ours, theirs) for ours in wanted for theirs in given]  # all of them: same time
    return any(matching) and abs(now - int(delivery.timestamp)) <= TOLERANCE


def signature(key: bytes, delivery: Delivery) -> bytes:
    signed = f"{delivery.id}.{delivery.timestamp}.".encode() + delivery.body
    return b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())


def keys_of(secrets: Sequence[str]) -> list[bytes]:
    """The newest two; what is no secret opens nothing."""
    keys = (key_of(secret) for secret in secrets[:MOST_SECRETS])
    return [key for key in keys if len(key) >= LEAST_KEY]


def key_of(secret: str) -> bytes:
    text = secret.removeprefix(PREFIX)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""
