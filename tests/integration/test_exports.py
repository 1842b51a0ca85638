"""Exports: what is in the files, read back by other programs than wrote them."""

import csv
import json
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dividends.services.announcements import announce_dividend
from dividends.services.entitlements import go_ex_dividend
from portfolios.domain.amounts import as_text, micros
from portfolios.models import Event, Portfolio, Position
from portfolios.services.members import invite
from portfolios.services.portfolios import rename_portfolio
from portfolios.services.positions import deposit, pause
from portfolios.services.settings import change_settings
from reporting.exports import commas
from reporting.exports.kinds import KINDS, Export
from reporting.exports.scope import Span, scope_of
from reporting.exports.workbook import MOST_SHEETS, Workbook
from tests.factories import FIRST_DAY, NOON, make_portfolio, make_position, make_quote, make_user
from tests.market import later, make_fallen_cell, tick
from trading.models import Execution

pytestmark = pytest.mark.django_db
PER_CELL = {"events": 1, "log": 1, "timeline": 11}
LEADS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1")


@pytest.fixture
def cell() -> Position:
    """Bought 10.4687 shares at 97."""
    position = make_fallen_cell()
    tick(position)
    return position


def exported(tmp_path: Path, kind: str, form: str, **wishes: Any) -> Path:
    path = tmp_path / f"{kind}.{form}"
    call_command("export", kind, output=str(path), **{name: str(wish) for name, wish in wishes.items()})
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_log_leaves_as_csv_with_exact_amounts(cell: Position, tmp_path: Path) -> None:
    rows = rows_of(exported(tmp_path, "events", "csv", position=cell.public_id))
    assert [row["type"] for row in rows] == list(Event.objects.of(cell).values_list("type", flat=True))
    filled = next(row for row in rows if row["type"] == "order_filled")
    assert (filled["date"], filled["time"], filled["actor"]) == ("2007-01-03", "12:00:00", "broker")
    assert (filled["shares_change"], filled["cash_change"]) == ("10.4687", "-1015.565447")
    assert (filled["portfolio"], filled["ticker"], filled["position"]) == ("Savings", "IBM", str(cell.public_id))
    assert sum(map(micros, (row["cash_change"] for row in rows))) == cell.cash


def test_an_event_brings_along_what_it_saw_and_what_came_of_it(cell: Position, tmp_path: Path) -> None:
    rows = rows_of(exported(tmp_path, "log", "csv", position=cell.public_id))
    for row, event in zip(rows, Event.objects.of(cell), strict=True):
        for name in ("inputs", "outputs"):
            assert json.loads(row[name]) == event.content[name]
            assert row[name] in event.text
    decided = next(row for row in rows if row["type"] == "evaluated")
    assert json.loads(decided["outputs"])["quantity"] == "10.4687"


def test_the_portfolios_own_log_shows_its_settings_and_of_people_nothing(cell: Position, tmp_path: Path) -> None:
    portfolio = cell.portfolio
    change_settings(
        portfolio_id=portfolio.pk, given={"max_trade": "0.3"}, author=portfolio.owner, note="ann asks", market_at=NOON
    )
    rename_portfolio(portfolio_id=portfolio.pk, name="Ann Lees", actor="user:ann")
    invite(portfolio_id=portfolio.pk, email=None, role="viewer", actor="user:ann")
    rows = [row for row in rows_of(exported(tmp_path, "log", "csv")) if not row["position"]]
    told = {row["type"]: (row["inputs"], row["outputs"], row["message"]) for row in rows}
    assert json.loads(told.pop("settings_changed")[0])["given"] == {"max_trade": "0.3"}
    assert set(told) == {"access_granted", "portfolio_renamed"}
    assert set(told.values()) == {("", "", "")}


def test_parquet_keeps_types_and_every_digit(cell: Position, tmp_path: Path) -> None:
    path = exported(tmp_path, "executions", "parquet")
    with duckdb.connect() as engine:
        (row,) = engine.execute(f"SELECT date, quantity, price, notional, commission FROM '{path}'").fetchall()
        types = dict(engine.execute(f"SELECT column_name, column_type FROM (DESCRIBE FROM '{path}')").fetchall())
    assert [str(value) for value in row] == ["2007-01-03", "10.468700", "97.000000", "1015.463900", "0.101547"]
    assert (types["date"], types["price"], types["recorded_at"]) == (
        "DATE",
        "DECIMAL(18,6)",
        "TIMESTAMP WITH TIME ZONE",
    )


def test_the_largest_amount_there_is_leaves_too(tmp_path: Path) -> None:
    make_position(cash="1000000000000")
    path = exported(tmp_path, "events", "parquet")
    ((most,),) = duckdb.sql(f"SELECT max(cash_change) FROM '{path}'").fetchall()
    assert str(most) == "1000000000000.000000"
    assert rows_of(exported(tmp_path, "events", "csv"))[-1]["cash_change"] == "1000000000000"


def test_a_workbook_has_a_summary_and_a_sheet_per_cell(cell: Position, tmp_path: Path) -> None:
    idle = make_position(cell.portfolio, symbol="AAPL")
    book = openpyxl.load_workbook(exported(tmp_path, "orders", "xlsx"))
    names = [f"IBM_{cell.public_id.hex[:8]}", f"AAPL_{idle.public_id.hex[:8]}"]
    assert book.sheetnames == ["Summary", *names]
    header, row = book.worksheets[1].iter_rows(values_only=True)
    order = dict(zip(header, row, strict=True))
    assert (order["side"], order["quantity"], order["decision_price"]) == ("BUY", 10.4687, 97)
    assert (order["date"].date(), order["time"].hour) == (FIRST_DAY, 12)
    assert [list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets[2:]] == [[header]]
    *_, first, second = book["Summary"].iter_rows(values_only=True)
    assert first[-2:] == (1, names[0])
    assert second[-2:] == (0, names[1])
    assert first[4:6] == (110.4687, 8984.434553)


def test_a_full_sheet_goes_on_on_the_next(cell: Position, tmp_path: Path) -> None:
    path = tmp_path / "small.xlsx"
    Workbook(path, Export(KINDS["events"], scope_of(None, Span(), None, cell.public_id)), last_row=4).fill()
    book = openpyxl.load_workbook(path)
    name = f"IBM_{cell.public_id.hex[:8]}"
    assert book.sheetnames[:3] == ["Summary", name, f"{name} 2"]
    assert {sheet.max_row for sheet in book.worksheets[1:-1]} == {5}
    assert sum(sheet.max_row - 1 for sheet in book.worksheets[1:]) == Event.objects.of(cell).count()


def test_more_cells_than_a_workbook_holds_are_refused_in_words(tmp_path: Path) -> None:
    portfolio = make_portfolio()
    plain = Position(portfolio=portfolio, source="replay", symbol="IBM")
    Position.objects.bulk_create(
        Position(portfolio=plain.portfolio, source=plain.source, symbol=plain.symbol) for _ in range(MOST_SHEETS + 1)
    )
    with pytest.raises(CommandError, match="do not fit into one workbook"):
        exported(tmp_path, "orders", "xlsx")
    assert len(rows_of(exported(tmp_path, "metrics", "csv"))) == MOST_SHEETS + 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_export_of_nothing_has_its_columns(kind: str, tmp_path: Path) -> None:
    names = [column.name for column in KINDS[kind].columns]
    assert next(csv.reader(exported(tmp_path, kind, "csv", preset="30").open())) == names
    parquet = exported(tmp_path, kind, "parquet")
    assert [column for (column, *_) in duckdb.sql(f"DESCRIBE FROM '{parquet}'").fetchall()] == names
    make_position()
    sheet = openpyxl.load_workbook(exported(tmp_path, kind, "xlsx", to="1999-12-31")).worksheets[1]
    assert next(sheet.iter_rows(values_only=True)) == tuple(names)


@pytest.mark.parametrize("name", LEADS)
def test_no_text_of_ours_runs_in_a_spreadsheet(name: str, tmp_path: Path) -> None:
    position = make_fallen_cell(portfolio=make_portfolio(name=name))
    tick(position)
    (row,) = rows_of(exported(tmp_path, "orders", "csv"))
    assert row["portfolio"] == f"'{name}"
    for sheet in openpyxl.load_workbook(exported(tmp_path, "orders", "xlsx")):
        cells = [cell for line in sheet.iter_rows() for cell in line if cell.value is not None]
        assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
        assert not [
            cell.value for cell in cells if cell.data_type == "s" and cell.value.startswith(("=", "+", "-", "@"))
        ]
    parquet = exported(tmp_path, "orders", "parquet")
    assert duckdb.sql(f"SELECT portfolio FROM '{parquet}'").fetchall() == [(name,)]


def test_nobody_is_named(tmp_path: Path) -> None:
    owner = make_user("annabelle", email="annabelle@example.com")
    position = make_fallen_cell(portfolio=make_portfolio(owner, bartholomew="viewer"))
    tick(position)
    pause(position_id=position.pk, market_at=NOON, actor="user:annabelle", reason="annabelle@example.com is away")
    for kind in KINDS:
        text = exported(tmp_path, kind, "csv").read_text()
        assert "annabelle" not in text
        assert "bartholomew" not in text
    who = {row["type"]: row["actor"] for row in rows_of(exported(tmp_path, "events", "csv"))}
    assert (who["paused"], who["evaluated"], who["order_filled"]) == ("person", "robot", "broker")


def days_of(tmp_path: Path, **wishes: Any) -> list[str]:
    rows = rows_of(exported(tmp_path, "events", "csv", **wishes))
    return sorted({row["date"] for row in rows if row["type"] == "deposited"})


def test_days_are_the_exchanges_and_both_ends_are_included(tmp_path: Path) -> None:
    position = make_position()
    for days in (0, 1, 2):  # 02:30 UTC is the evening before in New York
        at = NOON.replace(hour=2, minute=30) + timedelta(days=days + 1)
        deposit(position_id=position.pk, amount=1, market_at=at, actor="user:test")
    assert days_of(tmp_path) == ["2007-01-03", "2007-01-04", "2007-01-05"]
    assert days_of(tmp_path, **{"from": "2007-01-04"}) == ["2007-01-04", "2007-01-05"]
    assert days_of(tmp_path, to="2007-01-04") == ["2007-01-03", "2007-01-04"]
    assert days_of(tmp_path, **{"from": "2007-01-04", "to": "2007-01-04"}) == ["2007-01-04"]


def test_presets_count_back_from_the_newest_market_day(tmp_path: Path) -> None:
    position = make_position()
    for days in (0, 300, 370, 400):
        at = NOON + timedelta(days=days)
        deposit(position_id=position.pk, amount=1, market_at=at, actor="user:test")
    make_quote(at=NOON + timedelta(days=400))
    assert [len(days_of(tmp_path, preset=preset)) for preset in ("30", "90", "year", "all")] == [1, 2, 3, 4]


def test_trades_only_leaves_out_what_was_not_traded(cell: Position, tmp_path: Path) -> None:
    rows = rows_of(exported(tmp_path, "events", "csv", only="trades"))
    assert {row["type"] for row in rows} == {"order_filled"}
    assert len(rows_of(exported(tmp_path, "orders", "csv", only="trades"))) == 1


def test_dividends_say_what_was_withheld(tmp_path: Path) -> None:
    position = make_fallen_cell()
    dividend = announce_dividend(
        source="replay", symbol="IBM", ex_date=FIRST_DAY + timedelta(days=1), dps=micros("0.82")
    )
    go_ex_dividend(position_id=position.pk, dividend=dividend, market_at=later(1440))
    (row,) = rows_of(exported(tmp_path, "dividends", "csv"))
    assert [row[name] for name in ("ex_date", "per_share", "gross", "withheld", "net")] == [
        "2007-01-04",
        "0.82",
        "82",
        "20.5",
        "61.5",
    ]
    assert rows_of(exported(tmp_path, "dividends", "csv", to=FIRST_DAY)) == []


def test_metrics_are_those_of_the_reports(cell: Position, tmp_path: Path) -> None:
    (row,) = rows_of(exported(tmp_path, "metrics", "csv"))
    (execution,) = Execution.objects.all()
    assert (row["to"], row["fees"]) == ("2007-01-03", as_text(execution.commission))
    assert row["value"] == "19699.898453"


def test_a_million_rows_would_need_no_more_memory_than_these(cell: Position) -> None:
    """Ten thousand rows of a kilobyte each pass through, and never more than a few are there."""
    repeat_last_event(cell, 10_000)
    export = Export(KINDS["events"], scope_of(None, Span()))
    for _ in commas.lines(Export(KINDS["events"], scope_of(None, Span(last=FIRST_DAY)))):
        pass  # what is built once is not counted
    tracemalloc.start()
    size = sum(map(len, commas.lines(export)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 2_500_000
    assert peak < 6_000_000


def repeat_last_event(cell: Position, times: int) -> None:
    columns = [field.column for field in Event._meta.fields if field.column not in ("id", "seq", "market_at")]
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO portfolios_event (seq, market_at, {names})
                SELECT seq + number, market_at + number * interval '1 day', {names}
                  FROM portfolios_event, generate_series(1, %s) AS number
                 WHERE id = %s""",
            [times, Event.objects.of(cell).last().pk],
        )


@pytest.mark.django_db(transaction=True)
def test_who_stops_reading_leaves_a_connection_that_works(cell: Position) -> None:
    repeat_last_event(cell, 5_000)
    lines: Iterator[bytes] = commas.lines(Export(KINDS["events"], scope_of(None, Span(), None, cell.public_id)))
    with closing(lines):  # type: ignore[type-var]
        assert next(lines).startswith(b"date,time,")
        assert next(lines)
    assert Portfolio.objects.count() == 1


@pytest.mark.parametrize(("kind", "each"), [(kind, PER_CELL.get(kind, 0)) for kind in KINDS])
def test_more_cells_cost_no_more_queries_but_for_what_is_told_cell_by_cell(
    kind: str, each: int, tmp_path: Path
) -> None:
    portfolio = make_portfolio()
    make_quote()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            exported(tmp_path, kind, "csv", preset="30")
        return len(captured)

    make_position(portfolio)
    few = queries()
    for _ in range(5):
        make_position(portfolio)
    assert few <= 15
    assert queries() == few + 5 * each


BAD_WISHES = [
    ({"kind": "everything"}, "kind must be one of events"),
    ({"form": "pdf"}, "format must be one of csv"),
    ({"portfolio": "x"}, "--portfolio: "),
    ({"position": "00000000-0000-0000-0000-000000000000"}, "There is no such position."),
    ({"from": "yesterday"}, "--from: "),
    ({"from": "2007-02-30"}, "--from: "),
    ({"from": "0001-01-01"}, "--from: Between"),
    ({"to": "9999-12-31"}, "--to: Between"),
    ({"from": "2007-01-05", "to": "2007-01-04"}, "--to: Ends before it begins."),
    ({"preset": "week"}, "--preset: "),
    ({"preset": "30", "from": "2007-01-04"}, "--preset: Either"),
    ({"only": "losses"}, "--only: "),
    ({"kind": "dividends", "only": "trades"}, "--only: There are no trades"),
]


@pytest.mark.parametrize(("wishes", "words"), BAD_WISHES, ids=lambda value: str(value)[:40])
def test_bad_input_is_one_line_and_leaves_no_file(wishes: dict[str, str], words: str, tmp_path: Path) -> None:
    wishes = {"kind": "events", "form": "csv"} | wishes
    with pytest.raises(CommandError) as raised:
        exported(tmp_path, wishes.pop("kind"), wishes.pop("form"), **wishes)
    assert raised.value.returncode == 2
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file or directory"):
        exported(tmp_path / "nowhere", "events", "csv")


def test_a_file_that_was_there_stays_whole_when_the_new_one_fails(tmp_path: Path) -> None:
    portfolio = make_portfolio()
    Position.objects.bulk_create(
        Position(portfolio=portfolio, source="replay", symbol="IBM") for _ in range(MOST_SHEETS + 1)
    )
    old = tmp_path / "orders.xlsx"
    old.write_text("old")
    with pytest.raises(CommandError):
        exported(tmp_path, "orders", "xlsx")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


TIMELINE = (
    "date time market_status price source age shares cash value stock_share anchor distance trigger raw_quantity "
    "trimmed_quantity side order_price status commission notional stock_share_after reason portfolio ticker position"
)


def test_the_timeline_tells_quiet_evaluations_too(tmp_path: Path) -> None:
    position = make_position(anchor="100")
    for minutes, price in enumerate(("99", "97", "98")):
        make_quote("IBM", price, at=later(minutes))
        tick(position)
    rows = rows_of(exported(tmp_path, "timeline", "csv"))
    assert list(rows[0]) == TIMELINE.split()
    assert [row["status"] for row in rows] == ["hold", "filled", "hold"]
    assert [row["distance"] for row in rows] == ["-0.01", "-0.03", "0.010309"]
    bought = rows[1]
    assert (bought["time"], bought["market_status"], bought["age"]) == ("12:01:00", "regular", "0")
    assert (bought["trigger"], bought["side"], bought["order_price"]) == ("down", "BUY", "97")
    assert (bought["raw_quantity"], bought["trimmed_quantity"], bought["reason"]) == (
        "10.4687",
        "10.4687",
        "trigger_down",
    )
    assert (bought["commission"], bought["notional"]) == ("0.101547", "1015.4639")
    assert (bought["stock_share"], rows[2]["shares"]) == ("0.492385", "110.4687")
    assert [row["status"] for row in rows_of(exported(tmp_path, "timeline", "csv", only="trades"))] == ["filled"]
