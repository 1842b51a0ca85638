"""Asking twice must not buy twice: the first answer to a key is kept and given again to its repeats."""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import OperationalError, transaction
from django.utils import timezone
from psycopg import errors as postgres
from psycopg.types.numeric import Int8

from portfolios.domain.amounts import AMOUNT_PATTERN
from portfolios.errors import Refused
from portfolios.models import IdempotencyKey
from portfolios.prepared import execute

WAIT = "5s"
KEPT = timedelta(days=30)
KEY = re.compile(r"[\x21-\x7e]{1,255}")
CLAIM = """
    INSERT INTO portfolios_idempotencykey (portfolio_id, key, fingerprint, body, created_at)
    SELECT $1::bigint, $2::text, $3::text, $4::jsonb, statement_timestamp()
      FROM set_config('lock_timeout', $5, true)
        ON CONFLICT DO NOTHING
 RETURNING id
"""


class Answer(NamedTuple):
    """A body, and whether this request made it (or found it made by an earlier one)."""

    body: dict[str, Any]
    is_first: bool


def read_key(header: str | None) -> str:
    """The key of an `Idempotency-Key` header, quoted or not. Raises Refused (400)."""
    key = (header or "").strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not key:
        raise Refused("idempotency_key_missing", "this needs the header Idempotency-Key", status=400)
    if not KEY.fullmatch(key):
        raise Refused(
            "idempotency_key_invalid", "Idempotency-Key must be 1 to 255 visible ASCII characters", status=400
        )
    return key


def fingerprint_of(*, method: str, route: str, subject: str, body: Any) -> str:
    """SHA-256 of what was asked: the same for 1.5 and 1.50, whatever the order of keys."""
    asked = [method, route, subject, canonical(body)]
    return hashlib.sha256(json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def canonical(value: Any) -> Any:
    """JSON values with every amount, text or number, in its shortest decimal form."""
    if isinstance(value, dict):
        return {name: canonical(part) for name, part in value.items()}
    if isinstance(value, list):
        return [canonical(part) for part in value]
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return shortest(format(value, "f") if isinstance(value, Decimal) else str(value))
    if isinstance(value, str) and AMOUNT_PATTERN.fullmatch(value):
        return shortest(value)
    return value


def shortest(number: str) -> str:
    whole, _, fraction = number.lstrip("-").partition(".")
    text = f"{whole.lstrip('0') or '0'}.{fraction}".rstrip("0").rstrip(".")
    return f"-{text}" if number.startswith("-") and text != "0" else text


@transaction.atomic
def answer_once(
    *,
    portfolio_id: int,
    key: str,
    fingerprint: str,
    answer: Callable[[], dict[str, Any]],
    foreseen: dict[str, Any] | None = None,
) -> Answer:
    """Call `answer` unless the key was answered before; key and deed are one commit, so an exception uses up nothing.

    A repeat that arrives while the first still runs waits for it. Raises Refused (409) when it waits too long, or
    when the key was used for another request. What `answer` will say, where it is `foreseen`, is stored with the key.
    """
    claimed = claim(portfolio_id, key, fingerprint, foreseen)
    keys = IdempotencyKey.objects
    if claimed is None:
        return repeated(keys.get(portfolio_id=portfolio_id, key=key), fingerprint)
    body = answer()
    if body != foreseen:
        keys.filter(pk=claimed).update(body=as_kept(body))
    return Answer(body, is_first=True)


def as_kept(body: dict[str, Any]) -> str:
    """As text: jsonb would reorder its keys."""
    return json.dumps(body)


def claim(portfolio_id: int, key: str, fingerprint: str, foreseen: dict[str, Any] | None) -> int | None:
    """The number of the key's new row; None when there was one. Waits for a rival that has not committed yet."""
    body = None if foreseen is None else json.dumps(as_kept(foreseen))
    try:
        rows = execute(CLAIM, [Int8(portfolio_id), key, fingerprint, body, WAIT])
        return int(rows[0][0]) if rows else None
    except OperationalError as error:
        if isinstance(error.__cause__, postgres.LockNotAvailable):
            raise Refused(
                "idempotency_in_progress", "the first request with this key is still running", status=409
            ) from error
        raise


def repeated(row: IdempotencyKey, fingerprint: str) -> Answer:
    if row.fingerprint != fingerprint:
        raise Refused("idempotency_signature_mismatch", "this key was used for another request", status=409)
    return Answer(json.loads(str(row.body)), is_first=False)


def forget_old_keys() -> int:
    """Delete keys older than 30 days; how many there were."""
    deleted, _ = IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    return deleted
