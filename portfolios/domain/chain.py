"""The hash chain of a stream: each event's hash covers the hash before it and its own canonical text."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

GENESIS = "0" * 64


def canonical_text(content: Mapping[str, Any]) -> str:
    """JSON with sorted keys and strings only (no number to be rewritten on the way): what is stored and hashed."""
    return json.dumps(strings_only(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def strings_only(value: Any) -> Any:
    """Nearly everything is one already, and then is not asked any further."""
    if type(value) is str:
        return value
    if isinstance(value, Mapping):
        return {str(key): item if type(item) is str else strings_only(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [strings_only(item) for item in value]
    if value is None:
        return ""
    return str(value)


def chained_hash(previous: str, text: str) -> str:
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()
