"""`manage.py import_bars` and `bar_quality`: what they say, and one line with exit code 2 for whatever is wrong."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.bars import DAYS, OPENING, bar_at, days, minutes, written
from trading.bars.models import BarImport, StoredPart
from trading.management.progress import ProgressBar

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def bars_folder(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    settings.BARS_FOLDER = tmp_path / "store"
    return Path(settings.BARS_FOLDER)


def said(command: str, *words: str) -> str:
    out = StringIO()
    call_command(command, *words, stdout=out)
    return out.getvalue().strip()


def refusal(command: str, *words: str) -> str:
    with pytest.raises(CommandError) as refused:
        call_command(command, *words, stdout=StringIO(), stderr=StringIO())
    assert refused.value.returncode == 2 or "argument" in str(refused.value)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_dry_run_says_what_there_is_and_an_import_records_it() -> None:
    written(Path("a.csv"), minutes(3))
    told = (
        "IBM 1min: 3 bars, 2014-06-05 13:30 UTC to 2014-06-05 13:32 UTC\n  new 3, already there 0, recorded otherwise 0"
    )
    assert said("import_bars", "a.csv", "--symbol", "ibm", "--dry-run").startswith(told)
    assert not StoredPart.objects.exists()
    assert said("import_bars", "a.csv", "--symbol", "ibm") == told
    assert (BarImport.objects.get().name, BarImport.objects.get().created_by) == ("a.csv", None)
    again = json.loads(said("import_bars", "a.csv", "--symbol", "ibm", "--json"))
    assert {name: again[name] for name in ("imported", "new", "same", "rows")} == {
        "imported": True,
        "new": 0,
        "same": 3,
        "rows": 3,
    }


def test_every_error_is_said_before_the_line_that_ends_it() -> None:
    written(Path("a.csv"), [minutes(1)[0]] * 3)
    err, out = StringIO(), StringIO()
    with pytest.raises(CommandError) as refused:
        call_command("import_bars", "a.csv", "--symbol", "IBM", stderr=err)
    assert str(refused.value) == "a.csv line 3, timestamp: is given twice; 2 errors in all; nothing is imported"
    assert err.getvalue().splitlines() == [f"a.csv line {n}, timestamp: is given twice" for n in (3, 4)]
    with pytest.raises(CommandError):
        call_command("import_bars", "a.csv", "--symbol", "IBM", "--json", stdout=out)
    assert [fault["line"] for fault in json.loads(out.getvalue())["errors"]] == [3, 4]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("none.csv", "--symbol", "IBM"), "none.csv there is no such file; nothing is imported"),
        ((".", "--symbol", "IBM"), "must be a readable file"),
        (("a.csv", "--symbol", "../X"), "--symbol: must be a symbol"),
        (("a.csv", "--symbol", "I\x00M"), "--symbol: must be a symbol"),
        (("a.csv", "--symbol", "IBM", "--resolution", "2min"), "--resolution: must be one of 1min, 5min, 1hour, 1day"),
        (("a.csv", "--symbol", "IBM", "--resolution", "1day"), "has timestamps, which are not for 1day"),
        (("a.csv",), "--symbol"),
    ],
)
def test_what_cannot_be_is_one_line(words: tuple[str, ...], told: str) -> None:
    written(Path("a.csv"), minutes(2))
    assert told in refusal("import_bars", *words)
    assert not StoredPart.objects.exists()


def test_other_values_need_a_word() -> None:
    said("import_bars", str(written(Path("a.csv"), minutes(2))), "--symbol", "IBM")
    other = written(Path("b.csv"), [bar_at(OPENING, 101)])
    assert refusal("import_bars", str(other), "--symbol", "IBM").startswith("--replace: for 1 bars other values")
    assert "recorded otherwise 1" in said("import_bars", str(other), "--symbol", "IBM", "--replace")


def test_minutes_of_the_store_are_simulated_as_those_of_the_file_are() -> None:
    prices = [100 + 4 * ((n // 30) % 2) for n in range(390)]
    from datetime import timedelta

    lines = [bar_at(OPENING + timedelta(minutes=n), price) for n, price in enumerate(prices)]
    written(Path("a.csv"), lines)
    said("import_bars", "a.csv", "--symbol", "IBM")
    ours = json.loads(said("simulate", "--bars", "IBM", "--resolution", "1min", "--json"))
    files = json.loads(said("simulate", "--bars", "a.csv", "--json"))
    assert ours["trades"] > 3
    assert ours == files
    assert "no 5min bars of a symbol of that name; recorded are none" in refusal(
        "simulate", "--bars", "IBM", "--resolution", "5min"
    )


def test_quality_is_told_in_words_and_as_an_object() -> None:
    lines = days(5)
    written(Path("a.csv"), [lines[0], *lines[2:]], DAYS)
    said("import_bars", "a.csv", "--symbol", "IBM")
    told = said("bar_quality", "ibm")
    assert told.startswith("IBM 1day: 4 bars over 5 sessions\n  complete 4, with gaps 1, bars missing 1")
    assert "2014-06-03: 1 of 1 missing" in told
    assert json.loads(said("bar_quality", "ibm", "--json"))["gaps"] == [
        {"day": "2014-06-03", "missing": 1, "expected": 1}
    ]
    for words in (("ZIM",), ("IBM", "--resolution", "1min"), ("I\x00",), ("IBM", "--resolution", "x")):
        assert refusal("bar_quality", *words)


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_a_bar_that_goes_and_a_file_sees_nothing() -> None:
    for out, seen in ((Terminal(), True), (StringIO(), False)):
        bar = ProgressBar(out)
        bar("writing", 1, 2)
        assert ("writing    [###############...............] 1/2" in out.getvalue()) is seen
        bar.clear()
        assert "\n" not in out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_processes_that_import_at_once_lose_nothing(tmp_path: Path, bars_folder: Path) -> None:
    """Four programs, a quarter of the minutes each, all of the same month."""
    lines = minutes(40)
    from django.db import connection

    url = os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{connection.settings_dict['NAME']}"
    environment = os.environ | {"DATABASE_URL": url, "VBALANCE_BARS": str(bars_folder), "VBALANCE_LOG_LEVEL": "ERROR"}
    programs = []
    for number in range(4):
        path = written(tmp_path / f"{number}.csv", lines[10 * number : 10 * number + 10])
        command = [sys.executable, str(ROOT / "manage.py"), "import_bars", str(path), "--symbol", "IBM", "--json"]
        programs.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True))
    told = [json.loads(program.communicate(timeout=120)[0]) for program in programs]
    assert [each["new"] for each in told] == [10] * 4
    assert StoredPart.objects.get().rows == 40
