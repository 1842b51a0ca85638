"""What sources answer, read strictly: JSON over HTTP with timeouts, numbers that stay decimal, instants with a zone."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, DecimalException
from typing import Any

from trading.market.base import PriceUnavailable

CONNECT, READ = 2.0, 4.0  # seconds
LARGEST = 4 << 20  # bytes of an answer
INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)
WIDEST = Decimal(10**12)


def ask_json(url: str, params: Mapping[str, str], headers: Mapping[str, str]) -> Any:
    """Asked once. Raises PriceUnavailable for everything but a plain answer; its words hold no header."""
    import requests  # noqa: PLC0415 - 0.1 s

    try:
        with requests.Session() as session:
            session.trust_env = False
            response = session.get(
                url, params=params, headers=headers, timeout=(CONNECT, READ), allow_redirects=False, stream=True
            )
            with response:
                raw = response.raw.read(LARGEST + 1, decode_content=True)
    except (requests.RequestException, OSError, ValueError) as error:
        raise PriceUnavailable(f"no answer: {type(error).__name__}") from None
    except Exception as error:  # urllib3's own, while the answer is read
        raise PriceUnavailable(f"the answer broke off: {type(error).__name__}") from None
    if response.status_code != 200:
        raise PriceUnavailable(f"the source answered {response.status_code}")
    if len(raw) > LARGEST:
        raise PriceUnavailable("the answer is too long")
    try:
        return json.loads(raw, parse_float=Decimal, parse_constant=str)
    except (ValueError, RecursionError):
        raise PriceUnavailable("the answer cannot be read") from None


def micros_in(value: Any) -> int | None:
    """A number or its text in millionths, rounded half to even; None for what is no number. Zero and less are."""
    if isinstance(value, bool) or not isinstance(value, (int, str, float, Decimal)):
        return None
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
        if not number.is_finite() or abs(number) > WIDEST:
            return None
        return int((number * 1_000_000).to_integral_value(ROUND_HALF_EVEN))
    except DecimalException:
        return None


def instant_in(value: Any) -> datetime | None:
    """RFC 3339 with up to nanoseconds, cut to microseconds; None for anything else."""
    found = INSTANT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    seconds, fraction, zone = found.groups()
    try:
        return datetime.fromisoformat(f"{seconds}.{(fraction or '0')[:6]:0<6}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
