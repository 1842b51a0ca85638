"""`manage.py total_return`: fabricated holdings worked out by hand, the same as the ledger's cells, and refusals."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from dividends.services.announcements import announce_dividend, announce_split
from portfolios.domain.amounts import micros
from portfolios.models import Position
from tests.factories import make_position, make_quote
from trading.services.corporate_actions import apply_due

BARS = """date,open,high,low,close
2020-01-02,10,10,10,10
2020-01-03,9,9,9,9
2020-01-06,5,5,5,5
2020-01-07,6,6,6,6
"""
DIVIDENDS = "symbol,ex_date,pay_date,amount,type\nXYZ,2020-01-03,2020-01-07,1,cash\nXYZ,2020-01-03,,5,noncash_spin\n"
SPLITS = "symbol,ex_date,ratio\nXYZ,2020-01-06,2\n"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Any]:
    named = {"bars": ("XYZ.csv", BARS), "dividends": ("dividends.csv", DIVIDENDS), "splits": ("splits.csv", SPLITS)}
    for name, text in named.values():
        (tmp_path / name).write_text(text)
    return {option: str(tmp_path / name) for option, (name, _) in named.items()}


def told(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    call_command("total_return", json=True, **options)
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_a_dividend_buys_at_the_close_of_its_ex_date_and_a_split_doubles(files, capsys) -> None:
    """900 bring 90 shares; 90 paid at a close of 9 bring 10 more; split to 200; at 6 they are 1,200."""
    answer = told(capsys, cash="900", **files)
    assert (answer["shares"], answer["value"], answer["total_return_percent"]) == ("200", "1200", 33.3333)
    assert (answer["dividends_net"], answer["dividends_paid"], answer["splits"]) == ("90", 1, 1)


def test_reinvested_when_paid_and_taxed(files, capsys) -> None:
    """90 gross are 67.5 after a quarter withheld; paid at a close of 6 they bring 11.25 shares to 180."""
    answer = told(capsys, cash="900", reinvest="paid", withholding="0.25", **files)
    assert (answer["shares"], answer["dividends_net"], answer["value"]) == ("191.25", "67.5", "1147.5")


def test_dates_cut_the_history(files, capsys) -> None:
    answer = told(capsys, cash="900", first="2020-01-03", last="2020-01-06", **files)
    assert (answer["bars"], answer["dividends_paid"], answer["splits"]) == (2, 0, 1)


@pytest.mark.django_db
def test_a_cell_of_the_ledger_comes_to_the_same_shares_and_money(files, capsys) -> None:
    """Through announcements, entitlements and splits in the database, up to the micro."""
    answer = told(capsys, cash="900", reinvest="paid", withholding="0.25", last="2020-01-06", **files)
    cell = make_position(symbol="XYZ", shares="90", cash="0", withholding="0.25")
    Position.objects.filter(pk=cell.pk).update(opened_on=date(2020, 1, 2))
    announce_dividend(source="replay", symbol="XYZ", ex_date=date(2020, 1, 3), dps=micros("1"))
    announce_split(source="replay", symbol="XYZ", ex_date=date(2020, 1, 6), numerator=2, denominator=1)
    make_quote("XYZ", "9", at=datetime(2020, 1, 3, 20, 0, tzinfo=UTC))
    for day in (3, 6):
        apply_due(source="replay", day=date(2020, 1, day), market_at=datetime(2020, 1, day, 14, 30, tzinfo=UTC))
    cell.refresh_from_db()
    ours = (cell.shares, cell.cash, cell.receivable)
    assert ours == tuple(micros(answer[name]) for name in ("shares", "cash", "receivable"))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"cash": "-1"}, "--cash"),
        ({"cash": "many"}, "--cash"),
        ({"withholding": "1.1"}, "--withholding"),
        ({"commission_bps": "0.001"}, "--commission-bps"),
        ({"first": "yesterday"}, "--from"),
        ({"first": "2020-01-07"}, "--from, --to"),
        ({"bars": "no-such.csv"}, "no such file"),
        ({"dividends": "no-such.csv"}, "no such file"),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_2(files, wrong, why) -> None:
    with pytest.raises(CommandError, match=why) as refused:
        call_command("total_return", **(files | wrong))
    assert refused.value.returncode == 2
    assert "\n" not in str(refused.value)


def test_minute_bars_have_no_close_of_the_day(files, tmp_path) -> None:
    lines = "".join(f"2020-01-02T14:3{n}:00+00:00,1,1,1,1\n" for n in range(3))
    (tmp_path / "XYZ_1min.csv").write_text(f"timestamp,open,high,low,close\n{lines}")
    with pytest.raises(CommandError, match="daily bars"):
        call_command("total_return", bars=str(tmp_path / "XYZ_1min.csv"))
