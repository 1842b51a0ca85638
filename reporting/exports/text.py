"""Values as text: exact decimals, ISO dates, and words that no spreadsheet takes for a formula."""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any

from portfolios.domain.amounts import as_text
from reporting.exports.columns import Type

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
E_MAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+")
as_known_text = lru_cache(maxsize=4_096)(as_text)


def amount(value: int | None) -> str:
    return "" if value is None else as_known_text(value)


def count(value: int | None) -> str:
    return "" if value is None else str(value)


def moment(value: date | time | datetime | None) -> str:
    return "" if value is None else value.isoformat()


def words(value: str | None) -> str:
    """Text as it is, but for e-mail addresses somebody wrote into it."""
    if not value:
        return ""
    return E_MAIL.sub("(e-mail)", value) if "@" in value else value


def harmless(value: str | None) -> str:
    """The same, with an apostrophe before what a spreadsheet would run."""
    text = words(value)
    return f"'{text}" if text.startswith(FORMULA) else text


RENDERERS: dict[Type, Callable[[Any], str]] = {
    Type.TEXT: harmless,
    Type.AMOUNT: amount,
    Type.COUNT: count,
    Type.DAY: moment,
    Type.TIME: moment,
    Type.INSTANT: moment,
}
