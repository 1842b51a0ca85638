"""`manage.py simulate`: what it answers, and that whatever is wrong is named in one line with exit code 2."""

import gzip
import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from dividends.services.announcements import announce_dividend, announce_split
from portfolios.domain.amounts import micros
from tests.factories import FIRST_DAY
from trading.market.models import Bar

ROOT = Path(__file__).resolve().parents[2]
HEADER = "date,open,high,low,close,volume\n"
THREE = HEADER + "2020-01-02,100,100,100,100,1\n2020-01-03,97,97,97,97,1\n2020-01-06,100,100,100,100,1\n"
DIVIDENDS = "symbol,ex_date,pay_date,amount,type\n"
SPLITS = "symbol,ex_date,ratio\n"


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("IBM.csv").write_text(THREE)


def simulated(*words: str) -> dict:
    out = StringIO()
    call_command("simulate", *words, "--json", stdout=out)
    return json.loads(out.getvalue())


def refusal(*words: str) -> str:
    with pytest.raises(CommandError) as refused:
        call_command("simulate", *words, stdout=StringIO())
    assert refused.value.returncode == 2 or "arguments" in str(refused.value) or "argument" in str(refused.value)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_the_object_says_what_was_done():
    answer = simulated("--bars", "IBM.csv", "--cell-settings", '{"commission_bps": 0, "tau": 0.03}')
    assert (answer["bars"], answer["trades"], answer["buys"], answer["sells"]) == (3, 2, 1, 1)
    named = "bars trades shares cash receivable anchor value fees dividends_net skips fills metrics baselines"
    assert set(named.split()) <= set(answer)
    assert [fill["at"] for fill in answer["fills"]] == ["2020-01-03", "2020-01-06"]
    assert answer["fills"][0]["quantity"] == "5.23435"  # half of 10,000: half of the worked example
    assert answer["anchor"] == "100"


def test_words_for_people_name_the_baselines_too():
    out = StringIO()
    call_command("simulate", "--bars", "IBM.csv", stdout=out)
    assert "3 bars, 2020-01-02 to 2020-01-06: 2 trades" in out.getvalue()
    assert "buy and hold" in out.getvalue()


def as_given(name: str, content: str) -> list[str]:
    if name.endswith(".gz"):
        Path(name).write_bytes(gzip.compress(content.encode()))
    else:
        Path(name).write_text(content, encoding="utf-8")
    return ["--bars", name]


SHUFFLED = "".join(
    ",".join(row.split(",")[column] for column in (4, 2, 0, 5, 1, 3)) + "\n"
    for row in THREE.replace("\n", ",\n").replace(",\n", "\n").splitlines()
)
MINUTES = "timestamp,open,high,low,close,session\n" + "".join(
    f"2020-01-0{day}T09:3{minute}:00-05:00,{p},{p},{p},{p},regular\n"
    for day, minute, p in ((2, 0, 100), (2, 1, 97), (3, 0, 100))
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", THREE),
        ("a.csv.gz", THREE),
        ("a.csv", "\ufeff" + THREE),
        ("a.csv", THREE.replace("\n", "\r\n")),
        ("a.csv", THREE.replace("date,open", " Date , OPEN ")),
        ("a.csv", SHUFFLED),
        ("a.csv", THREE.replace("\n2020-01-06", "\n\n2020-01-06")),
        ("a.csv", MINUTES),
        ("a.csv", MINUTES.replace("timestamp,", "date,timestamp,").replace("2020-01-0", "x,2020-01-0")),
    ],
)
def test_the_same_bars_in_any_form_give_the_same_fills(name, content):
    expected = [fill["quantity"] for fill in simulated("--bars", "IBM.csv")["fills"]]
    assert [fill["quantity"] for fill in simulated(*as_given(name, content))["fills"]] == expected


@pytest.mark.parametrize(
    ("columns", "first"),
    [
        ("date::DATE AS date, open, high, low, close", "2020-01-03"),
        ("date::TIMESTAMP AS date, open::DECIMAL(18,6) AS open, high, low, close", "2020-01-03"),
        (
            "make_timestamptz(1577977200000000 + 60000000 * (i - 1)) AS timestamp, open, high::INT AS high, low, close",
            "2020-01-02T15:01:00Z",
        ),
    ],
)
def test_parquet_is_read_as_the_same_bars_in_text_are(columns, first):
    write_parquet("IBM.parquet", columns)
    expected, answer = simulated("--bars", "IBM.csv"), simulated("--bars", "IBM.parquet")
    assert answer["fills"][0]["at"] == first
    assert [fill["quantity"] for fill in answer["fills"]] == [fill["quantity"] for fill in expected["fills"]]


def write_parquet(name: str, columns: str) -> None:
    import duckdb

    with duckdb.connect() as engine:
        rows = "VALUES (1, '2020-01-02', 100.0), (2, '2020-01-03', 97.0), (3, '2020-01-06', 100.0)"
        table = (
            f"(SELECT i, date, p AS open, p AS high, p AS low, p AS close FROM ({rows}) AS t(i, date, p) ORDER BY i)"
        )
        engine.execute(f"COPY (SELECT {columns} FROM {table}) TO '{name}' (FORMAT parquet)")


def test_dividends_and_splits_of_other_symbols_and_gifts_that_are_no_cash_are_left_out():
    Path("d.csv").write_text(
        DIVIDENDS + "IBM,2020-01-03,,1,cash\nKO,2020-01-03,,5,cash\nIBM,2020-01-03,,9,noncash_spinoff\n"
        "IBM,2020-01-06,2020-01-06,0.5,special_cash\n"
    )
    Path("s.csv").write_text(SPLITS + "KO,2020-01-03,2\n")
    answer = simulated("--bars", "IBM.csv", "--dividends", "d.csv", "--splits", "s.csv", "--cell-settings", "{}")
    assert answer["receivable"] == "37.5"  # 50 shares, 25 % tax, paid in 30 days
    Path("s.csv").write_text(SPLITS + "ibm,2020-01-03,3/2\n")
    assert simulated("--bars", "IBM.csv", "--splits", "s.csv")["buys"] == 0


BAD_BARS = [
    ("", "a.csv line 1: the header needs a column timestamp or date"),
    (HEADER, "a.csv: needs two bars at least"),
    (HEADER + "2020-01-02,1,1,1,1,1\n", "a.csv: needs two bars at least"),
    (THREE.split("\n", 1)[1], "a.csv line 1: the header needs a column timestamp or date"),
    (THREE.replace("close", "last"), "a.csv line 1: the header needs a column close"),
    (THREE.replace("volume", "close"), "a.csv line 1, close: the header has this column twice"),
    (THREE.replace("97,97,97,97", "97,97,97,NaN"), "a.csv line 3, close: must be a plain number"),
    (THREE.replace("97,97,97,97", "97,97,97,inf"), "a.csv line 3, close: must be a plain number"),
    (THREE.replace("97,97,97,97", "97,97,97,9.7e1"), "a.csv line 3, close: must be a plain number"),
    (THREE.replace("97,97,97,97", "97,97,97,97.1234567"), "a.csv line 3, close: must be a plain number"),
    (THREE.replace("97,97,97,97", "97,97,97,"), "a.csv line 3, close: is missing"),
    (THREE.replace("97,97,97,97,1", "97,97"), "a.csv line 3, low: is missing"),
    (THREE.replace("97,97,97,97,1", "97,97,97,97,1,2"), "a.csv line 3, field 7: the header has no column"),
    (THREE.replace("97,97,97,97", "0,97,0,97"), "a.csv line 3, open: must be from 0.0001 to 1000000"),
    (THREE.replace("97,97,97,97", "97,1000001,97,97"), "a.csv line 3, high: must be from 0.0001 to 1000000"),
    (THREE.replace("97,97,97,97", "-97,97,97,97"), "a.csv line 3, open: must be from"),
    (THREE.replace("97,97,97,97", "97,96,98,97"), "a.csv line 3, high, low: must enclose open and close"),
    (THREE.replace("2020-01-03", "2020-01-02"), "a.csv line 3, date: must be later than in the line before"),
    (THREE.replace("2020-01-06", "2019-01-06"), "a.csv line 4, date: must be later than in the line before"),
    (THREE.replace("2020-01-03", "2020-13-03"), "a.csv line 3, date: must be a date such as 2020-08-31"),
    (THREE.replace("2020-01-03", "3.1.2020"), "a.csv line 3, date: must be a date such as 2020-08-31"),
    (MINUTES.replace("09:31:00-05:00", "09:31:00"), "a.csv line 3, timestamp: must name its offset"),
    (MINUTES.replace("09:31:00-05:00", "noon"), "a.csv line 3, timestamp: must be ISO 8601"),
    (MINUTES.replace("97,regular", "97,lunch"), "a.csv line 3, session: must be one of regular, pre, post"),
    (THREE.replace("2020-01-03", '"2020-01-03'), "a.csv line"),
]


@pytest.mark.parametrize(("content", "told"), BAD_BARS)
def test_bars_that_cannot_be_are_named_by_file_line_and_column(content, told):
    assert refusal(*as_given("a.csv", content)).startswith(told)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("a.csv.gz", b"not gzip"),
        ("a.csv.gz", gzip.compress(THREE.encode(), mtime=0)[:-12]),
        ("a.csv", (HEADER + "9" * 200_000).encode()),
        ("a.parquet", b"PAR1 no"),
        ("a.parquet", b""),
    ],
)
def test_files_of_another_kind_are_said_to_be_so(name, raw):
    Path(name).write_bytes(raw)
    assert refusal("--bars", name).startswith(f"{name}: must be a")


def test_a_parquet_file_without_a_column_says_which():
    write_parquet("a.parquet", "date, open, high, low")
    assert refusal("--bars", "a.parquet") == "a.parquet line 1: the header needs a column close"
    write_parquet("a.parquet", "date, open, high, low, 'NaN'::DOUBLE AS close")
    assert refusal("--bars", "a.parquet").startswith("a.parquet line 1, close: must be a plain number")


@pytest.mark.parametrize(
    ("option", "content", "told"),
    [
        ("--dividends", "", "f.csv line 1: the header needs a column ex_date"),
        ("--dividends", "symbol,ex_date\n", "f.csv line 1: the header needs a column amount"),
        ("--dividends", DIVIDENDS + "IBM,2020-01-03,,0,cash\n", "f.csv line 2, amount: must be above 0"),
        ("--dividends", DIVIDENDS + "IBM,2020-01-03,,1000001,\n", "f.csv line 2, amount: must be above 0 and at most"),
        ("--dividends", DIVIDENDS + "IBM,2020-01-03,,NaN,cash\n", "f.csv line 2, amount: must be a plain number"),
        ("--dividends", DIVIDENDS + "IBM,tomorrow,,1,cash\n", "f.csv line 2, ex_date: must be a date"),
        ("--dividends", DIVIDENDS + "IBM,2020-01-03,soon,1,cash\n", "f.csv line 2, pay_date: must be a date"),
        ("--dividends", DIVIDENDS + "IBM,2020-01-03,2020-01-02,1,\n", "f.csv line 2, pay_date: must be the ex-date or"),
        ("--dividends", DIVIDENDS + "IBM,2020-01-03,,1,cash\n" * 2, "f.csv line 3, ex_date: this dividend is given"),
        ("--dividends", DIVIDENDS + "IBM,2020-01-03\n", "f.csv line 2, amount: is missing"),
        ("--splits", "symbol,ex_date\n", "f.csv line 1: the header needs a column ratio"),
        ("--splits", SPLITS + "IBM,2020-01-03,0\n", "f.csv line 2, ratio: must be from 0.001 to 1000"),
        ("--splits", SPLITS + "IBM,2020-01-03,-2\n", "f.csv line 2, ratio: must be from 0.001 to 1000"),
        ("--splits", SPLITS + "IBM,2020-01-03,1001\n", "f.csv line 2, ratio: must be from 0.001 to 1000"),
        ("--splits", SPLITS + "IBM,2020-01-03,1/0\n", "f.csv line 2, ratio: must be a number such as 7"),
        ("--splits", SPLITS + "IBM,2020-01-03,1e3\n", "f.csv line 2, ratio: must be a number such as 7"),
        ("--splits", SPLITS + "IBM,2020-01-03,nan\n", "f.csv line 2, ratio: must be a number such as 7"),
        ("--splits", SPLITS + "IBM,2020-01-03,0.33333\n", "f.csv line 2, ratio: must be from 0.001 to 1000, with at"),
        ("--splits", SPLITS + "IBM,2020-01-03,2\nIBM,2020-01-03,2\n", "f.csv line 3, ex_date: this split is given"),
    ],
)
def test_actions_that_cannot_be_are_named_by_file_line_and_column(option, content, told):
    Path("f.csv").write_text(content)
    assert refusal("--bars", "IBM.csv", option, "f.csv").startswith(told)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--bars", "missing.csv"], "missing.csv: there is no such file"),
        (["--bars", "no/such/file"], "no/such/file: there is no such file"),
        (["--bars", "."], ".: must be a readable file"),
        (["--dividends", "missing.csv"], "missing.csv: there is no such file"),
        (["--splits", "missing.csv"], "missing.csv: there is no such file"),
        (["--cash", "0"], "--cash: must be from 1 to 1000000000000"),
        (["--cash", "-5"], "--cash: must be from 1 to"),
        (["--cash", "NaN"], "--cash: must be a plain number"),
        (["--cash", "1e4"], "--cash: must be a plain number"),
        (["--cash", "1000000000001"], "--cash: must be at most 1000000000000"),
        (["--start-in-stock", "1.1"], "--start-in-stock: must be from 0 to 1"),
        (["--start-in-stock", "-0.1"], "--start-in-stock: must be from 0 to 1"),
        (["--start-in-stock", "half"], "--start-in-stock: must be a plain number"),
        (["--slippage-bps", "1001"], "--slippage-bps: must be from 0 to 1000"),
        (["--slippage-bps", "0.001"], "--slippage-bps: must be a multiple of 0.01"),
        (["--from", "yesterday"], "--from: must be a date such as 2020-08-31"),
        (["--to", "2020-02-30"], "--to: must be a date such as 2020-08-31"),
        (["--from", "2020-01-06"], "--from, --to: leave fewer than two bars"),
        (["--from", "2020-01-06", "--to", "2020-01-02"], "--from, --to: leave fewer than two bars"),
        (["--cell-settings", "[]"], "--settings: must be a JSON object or a file with one, not '[]'"),
        (["--cell-settings", "missing.json"], "--settings: must be a JSON object or a file with one"),
        (["--cell-settings", "list.json"], "--settings: must be a JSON object"),
        (["--cell-settings", "{"], "--settings: is not acceptable JSON"),
        (["--cell-settings", '{"tau": NaN}'], "--settings: is not acceptable JSON"),
        (["--cell-settings", '{"tau": 3e-2}'], "--settings: is not acceptable JSON"),
        (
            ["--cell-settings", '{"tau": "0.1", "tau": "0.2"}'],
            "--settings: is not acceptable JSON: 'tau' is given twice",
        ),
        (["--cell-settings", '{"taw": "0.1"}'], "--settings taw: is not a setting"),
        (["--cell-settings", '{"tau": "0.6"}'], "--settings trigger_up: must be from 0.0001 to 0.5"),
        (["--cell-settings", '{"guardrail_low": "0.8"}'], "--settings guardrail_low: must be below guardrail_high"),
        (["--cell-settings", '{"fractional": "yes"}'], "--settings fractional: must be true or false"),
    ],
)
def test_options_that_cannot_be_are_named_with_their_limit(words, told):
    Path("list.json").write_text("[1]")
    given = words if "--bars" in words else ["--bars", "IBM.csv", *words]
    assert refusal(*given).startswith(told)


def test_settings_come_from_a_file_too():
    Path("wide.json").write_text('\ufeff{"tau": 0.1}', encoding="utf-8")
    assert simulated("--bars", "IBM.csv", "--cell-settings", "wide.json")["trades"] == 0


def test_a_dividend_beyond_the_limit_of_an_amount_is_refused():
    Path("IBM.csv").write_text(THREE.replace("100", "0.0001").replace("97", "0.0001"))
    Path("d.csv").write_text(DIVIDENDS + "IBM,2020-01-03,2020-01-03,1000,cash\n")
    told = refusal("--bars", "IBM.csv", "--dividends", "d.csv", "--cash", "1000000000")
    assert told == "--cash: a dividend or a split takes the cell past the limit of 1000000000000"


@pytest.mark.django_db
def test_a_symbol_means_our_own_record_with_its_dividends_and_splits():
    for number, close in enumerate(("100", "97", "50")):
        prices = dict.fromkeys(("open", "high", "low", "close"), micros(close))
        Bar.objects.create(symbol="IBM", day=FIRST_DAY.replace(day=FIRST_DAY.day + number), **prices)
    day = FIRST_DAY.replace(day=FIRST_DAY.day + 2)
    announce_split(source="replay", symbol="IBM", ex_date=day, numerator=2, denominator=1)
    announce_dividend(source="replay", symbol="IBM", ex_date=day, dps=micros("1"))
    answer = simulated("--bars", "IBM")
    assert (answer["bars"], answer["trades"]) == (3, 2)
    assert float(answer["receivable"]) > 70
    assert refusal("--bars", "ZIM").endswith("no record of a symbol of that name; recorded are IBM")
    assert "no record of a symbol" in refusal("--bars", "I\x00M")


def test_without_a_database_a_symbol_is_refused_and_a_file_is_not(monkeypatch):
    def down(symbol: str, resolution: str) -> None:
        raise DatabaseError("could not connect\nto server")

    monkeypatch.setattr("trading.simulation.recorded.recorded_bars", down)
    assert refusal("--bars", "IBM").endswith("the database cannot be asked")
    assert simulated("--bars", "IBM.csv")["bars"] == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--bars", "IBM.csv", "--settings", '{"tau": "7"}'], "--settings trigger_up: must be from 0.0001 to 0.5"),
        (["--bars", "IBM.csv", "--path", "zigzag"], "--path"),
        (["--bars", "IBM.csv", "--no-such-option"], "--no-such-option"),
        ([], "--bars"),
    ],
)
def test_from_a_shell_it_is_one_line_and_exit_code_2(words, told):
    done = subprocess.run([sys.executable, ROOT / "manage.py", "simulate", *words], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert told in done.stderr


def test_a_file_is_answered_without_machine_code_apps_and_database_drivers(tmp_path):
    """What would take seconds to import, and what ten years of days do not need."""
    (tmp_path / "IBM.csv").write_text(THREE)
    words = [
        sys.executable,
        "-X",
        "importtime",
        ROOT / "manage.py",
        "simulate",
        "--bars",
        tmp_path / "IBM.csv",
        "--json",
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["bars"] == 3
    imported = {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "trading.simulation.engine" in imported
    assert imported & {"numba", "pandas", "duckdb", "exchange_calendars", "psycopg", "trading.models"} == set()
