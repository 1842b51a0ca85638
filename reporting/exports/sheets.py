"""Names of the sheets of a workbook: `{TICKER}_{position}`, as Excel allows them and each once."""

import re
from collections.abc import Sequence

from reporting.exports.scope import Stream

LONGEST = 31
SHORT_ID, LONG_ID = 8, 18
SUMMARY = "Summary"
FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f']")


def sheet_names(streams: Sequence[Stream]) -> list[str]:
    """The id is cut to as many digits as tell all apart, 8 at least; the name to what Excel takes."""
    for digits in range(SHORT_ID, LONG_ID + 1):
        names = [name_of(stream, digits) for stream in streams]
        if len({name.lower() for name in names}) == len(names):
            return names
    raise ValueError("two ids begin with the same 18 digits")


def name_of(stream: Stream, digits: int) -> str:
    cut = f"_{stream.public_id.hex[:digits]}"
    return FORBIDDEN.sub("-", stream.ticker or "portfolio")[: LONGEST - len(cut)] + cut


def continued(name: str, number: int) -> str:
    """The sheet on which a full one goes on."""
    ending = f" {number}"
    return name[: LONGEST - len(ending)] + ending
