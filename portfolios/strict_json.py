"""JSON read strictly: what two programs could read in two ways is refused."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NoReturn

MAX_DEPTH = 64
MAX_DIGITS = 40


def parse_json(raw: bytes) -> Any:
    """Raises ValueError or RecursionError with a reason fit to be shown."""
    parsed = json.loads(
        raw.decode(),
        object_pairs_hook=object_without_duplicates,
        parse_float=plain_decimal,
        parse_int=short_integer,
        parse_constant=refuse_constant,
    )
    refuse_depth_and_text(parsed)
    return parsed


def reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    if isinstance(error, RecursionError):
        return "too deep"
    return str(error)


def object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    parsed: dict[str, Any] = {}
    for name, value in pairs:
        if name in parsed:
            raise ValueError(f"{name[:80]!a} is given twice")
        parsed[name] = value
    return parsed


def plain_decimal(literal: str) -> Decimal:
    if len(literal) > MAX_DIGITS:
        raise ValueError("a number is too long")
    if "e" in literal.lower():
        raise ValueError(f"{literal} has an exponent; numbers are written without")
    return Decimal(literal)


def short_integer(literal: str) -> int:
    if len(literal) > MAX_DIGITS:
        raise ValueError("a number is too long")
    return int(literal)


def refuse_constant(literal: str) -> NoReturn:
    raise ValueError(f"{literal} is not a number")


def refuse_depth_and_text(parsed: Any) -> None:
    """At most 64 levels; no text that PostgreSQL cannot store (NUL, half a surrogate pair)."""
    level: list[Any] = [parsed]
    for _ in range(MAX_DEPTH + 1):
        refuse_unstorable_text(level)
        containers = [value for value in level if isinstance(value, dict | list)]
        if not containers:
            return
        level = [part for container in containers for part in parts_of(container)]
    raise ValueError("too deep")


def parts_of(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return [*value, *value.values()] if isinstance(value, dict) else value


def refuse_unstorable_text(values: Iterable[Any]) -> None:
    for value in values:
        if isinstance(value, str) and ("\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value)):
            raise ValueError("a text holds characters that are none")
