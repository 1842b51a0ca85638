"""Announcements out of files: all or none, the same again nothing, other terms only when asked for."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from dividends.models import Dividend, Split
from portfolios.domain.amounts import micros

pytestmark = pytest.mark.django_db
DIVIDENDS = """symbol,ex_date,pay_date,amount,type
IBM,2007-02-07,2007-03-10,0.3,cash
IBM,2007-02-07,,0.2,special_cash
ibm,2007-05-08,,0.4,cash
ZIM,2007-02-07,,9,noncash_spin
"""
SPLITS = "symbol,ex_date,ratio\nIBM,2007-06-01,1.5\nZIM,2007-06-01,0.05\n"


def write(folder: Path, dividends: str = DIVIDENDS, splits: str = SPLITS) -> dict[str, str]:
    (folder / "d.csv").write_text(dividends)
    (folder / "s.csv").write_text(splits)
    return {"dividends": str(folder / "d.csv"), "splits": str(folder / "s.csv")}


def run(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    call_command("import_actions", json=True, **options)
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def counted(answer: dict[str, Any]) -> list[int]:
    return [answer["new"], answer["same"], answer["corrected"], len(answer["different"])]


def test_files_are_announced_once(tmp_path, capsys) -> None:
    files = write(tmp_path)
    assert counted(run(capsys, **files)) == [4, 0, 0, 0]
    assert counted(run(capsys, **files)) == [0, 4, 0, 0]
    both = Dividend.objects.get(symbol="IBM", ex_date=date(2007, 2, 7))
    assert (both.dps, both.pay_date, both.pay_date_assumed) == (micros("0.5"), date(2007, 3, 10), False)
    assert Dividend.objects.get(ex_date=date(2007, 5, 8)).pay_date_assumed is True
    ratios = Split.objects.order_by("symbol").values_list("numerator", "denominator")
    assert list(ratios) == [(3, 2), (1, 20)]


def test_other_terms_replace_only_when_asked(tmp_path, capsys) -> None:
    run(capsys, **write(tmp_path))
    changed = write(tmp_path, DIVIDENDS.replace("0.4", "0.45"), SPLITS.replace("1.5", "2"))
    assert counted(run(capsys, **changed)) == [0, 2, 0, 2]
    assert counted(run(capsys, correct=True, **changed)) == [0, 2, 2, 0]
    assert Dividend.objects.get(ex_date=date(2007, 5, 8)).dps == micros("0.45")
    assert Split.objects.get(symbol="IBM").numerator == 2


def test_a_pay_date_that_became_known_is_taken_without_asking(tmp_path, capsys) -> None:
    run(capsys, **write(tmp_path))
    known = write(tmp_path, DIVIDENDS.replace("2007-05-08,,", "2007-05-08,2007-06-09,"))
    assert counted(run(capsys, **known)) == [0, 3, 1, 0]
    assert Dividend.objects.get(ex_date=date(2007, 5, 8)).pay_date == date(2007, 6, 9)


@pytest.mark.parametrize(
    ("dividends", "splits", "why"),
    [
        (DIVIDENDS.replace("0.4", "-1"), SPLITS, "d.csv line 4, amount"),
        (DIVIDENDS.replace("2007-05-08", "soon"), SPLITS, "d.csv line 4, ex_date"),
        (DIVIDENDS.replace("2007-03-10", "2007-01-01"), SPLITS, "d.csv line 2, pay_date"),
        (DIVIDENDS.replace("ibm", "I B"), SPLITS, "d.csv line 4, symbol"),
        (DIVIDENDS.replace("amount", "sum"), SPLITS, "a column amount"),
        (DIVIDENDS, SPLITS.replace("1.5", "none"), "s.csv line 2, ratio"),
        (DIVIDENDS, SPLITS.replace("symbol", "name"), "a column symbol"),
        (DIVIDENDS, SPLITS + "IBM,2007-06-01,2\n", "this split is given twice"),
    ],
)
def test_a_bad_file_announces_nothing(tmp_path, dividends, splits, why) -> None:
    with pytest.raises(CommandError, match=why) as refused:
        call_command("import_actions", **write(tmp_path, dividends, splits))
    assert (refused.value.returncode, "\n" in str(refused.value)) == (2, False)
    assert not Dividend.objects.exists()
    assert not Split.objects.exists()


def test_no_file_is_no_import() -> None:
    with pytest.raises(CommandError, match="name a file") as refused:
        call_command("import_actions")
    assert refused.value.returncode == 2
