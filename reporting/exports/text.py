"""Values as text: exact decimals, and words that no spreadsheet takes for a formula."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from portfolios.domain.amounts import as_text
from reporting.exports.columns import Type

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
E_MAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+")


@lru_cache(maxsize=8_192)
def amount(value: int | None) -> str:
    return "" if value is None else as_text(value)


def words(value: str | None) -> str:
    """Text as it is, but for e-mail addresses somebody wrote into it."""
    if not value:
        return ""
    return E_MAIL.sub("(e-mail)", value) if "@" in value else value


def harmless(value: str | None) -> str:
    """The same, with an apostrophe before what a spreadsheet would run."""
    text = words(value)
    return f"'{text}" if text.startswith(FORMULA) else text


# All other types write themselves: a date is ISO text, nothing is empty.
RENDERERS: dict[Type, Callable[[Any], str]] = {Type.TEXT: harmless, Type.AMOUNT: amount}
