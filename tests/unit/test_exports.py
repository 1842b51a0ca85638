"""What an export does to a single value or name."""

import re
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings

from portfolios.models import Portfolio, Position
from reporting.exports.kinds import KINDS, Kind
from reporting.exports.scope import Stream
from reporting.exports.sheets import FORBIDDEN, LONGEST, continued, sheet_names
from reporting.exports.text import amount, harmless, words

ONE, LIKE_ONE = UUID("12345678-9abc-4def-8000-000000000001"), UUID("12345678-9abd-4def-8000-000000000001")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(start: str) -> None:
    assert harmless(f"{start}HYPERLINK(A1)") == f"'{start}HYPERLINK(A1)"


@pytest.mark.parametrize("text", ["", "IBM", "a=b", "1-2", "'=1"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == words(text) == text


def test_an_e_mail_address_in_a_note_is_not_taken_along() -> None:
    assert words("Paused: ask ann.lee@example.com, or bob@x") == "Paused: ask (e-mail) or (e-mail)"


@pytest.mark.parametrize(
    ("micros", "text"),
    [(0, "0"), (1, "0.000001"), (-1, "-0.000001"), (97_250_000, "97.25"), (10**18, "1000000000000"), (None, "")],
)
def test_amounts_are_written_exactly(micros: int | None, text: str) -> None:
    assert amount(micros) == text


def stream(ticker: str, public_id: UUID = ONE) -> Stream:
    return Stream(public_id, ticker, Portfolio(name="Savings"), Position(symbol=ticker))


def test_a_sheet_is_named_after_ticker_and_position() -> None:
    assert sheet_names([stream("IBM")]) == ["IBM_12345678"]


def test_ids_that_begin_alike_are_told_apart() -> None:
    assert sheet_names([stream("IBM"), stream("IBM", LIKE_ONE)]) == ["IBM_123456789abc", "IBM_123456789abd"]


@pytest.mark.parametrize("ticker", ["A/B", "A:B", "[A]", "A?*\\", "'A'", "BRK.B-CLASSIC-OF-1965"])
def test_a_sheet_has_only_what_excel_allows(ticker: str) -> None:
    (name,) = sheet_names([stream(ticker)])
    assert not FORBIDDEN.search(name)
    assert len(name) <= LONGEST
    assert name.endswith("_12345678")


def test_a_full_sheet_goes_on_under_its_name() -> None:
    assert continued("IBM_12345678", 2) == "IBM_12345678 2"
    assert len(continued("X" * LONGEST, 12)) == LONGEST


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_column_is_explained_and_no_other(kind: Kind) -> None:
    text = Path(settings.BASE_DIR, "docs/api/exports.md").read_text()
    section = text.split(f"### {kind.name}\n")[1].split("### ")[0]
    rows = re.findall(r"^\| (`[^|]+`) \|", section, re.MULTILINE)
    assert re.findall(r"`(\w+)`", " ".join(rows)) == [column.name for column in kind.own]
