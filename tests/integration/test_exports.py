"""Exports: what is in the files, read back by other programs than wrote them."""

import csv
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from django.core.management import call_command
from django.test import Client

from portfolios.models import Event, Position, User
from reporting.exports.files import FORMATS
from reporting.exports.kinds import KINDS
from tests.factories import make_portfolio
from tests.market import make_fallen_cell, tick

pytestmark = pytest.mark.django_db


@pytest.fixture
def cell() -> Position:
    """Bought 10.4687 shares at 97."""
    position = make_fallen_cell()
    tick(position)
    return position


def exported(tmp_path: Path, kind: str, form: str, **wishes: Any) -> Path:
    path = tmp_path / f"{kind}.{form}"
    call_command("export", kind, output=str(path), **wishes)
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_log_leaves_as_csv_with_exact_amounts(cell: Position, tmp_path: Path) -> None:
    rows = rows_of(exported(tmp_path, "events", "csv", position=str(cell.public_id)))
    assert [row["type"] for row in rows] == list(Event.objects.of(cell).values_list("type", flat=True))
    filled = next(row for row in rows if row["type"] == "order_filled")
    assert (filled["date"], filled["time"], filled["actor"]) == ("2007-01-03", "12:00:00", "broker")
    assert (filled["shares_change"], filled["cash_change"]) == ("10.4687", "-1015.565447")
    assert (filled["ticker"], filled["position"]) == ("IBM", str(cell.public_id))


def test_parquet_keeps_types_and_every_digit(cell: Position, tmp_path: Path) -> None:
    path = exported(tmp_path, "executions", "parquet")
    with duckdb.connect() as engine:
        rows = engine.execute(f"SELECT date, quantity, price, notional, commission FROM '{path}'").fetchall()
        types = dict(
            engine.execute(f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM '{path}')").fetchall()
        )
    assert [str(value) for value in rows[0]] == ["2007-01-03", "10.468700", "97.000000", "1015.463900", "0.101547"]
    assert (types["date"], types["price"], types["recorded_at"]) == (
        "DATE",
        "DECIMAL(18,6)",
        "TIMESTAMP WITH TIME ZONE",
    )


def test_a_workbook_has_a_summary_and_a_sheet_per_cell(cell: Position, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(exported(tmp_path, "orders", "xlsx"))
    assert book.sheetnames == ["Summary", f"IBM_{cell.public_id.hex[:8]}"]
    header, row = book.worksheets[1].iter_rows(values_only=True)
    order = dict(zip(header, row, strict=True))
    assert (order["side"], order["quantity"], order["decision_price"]) == ("BUY", 10.4687, 97)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_export_of_nothing_has_its_columns(kind: str, form: str, tmp_path: Path) -> None:
    make_portfolio()
    path = exported(tmp_path, kind, form, preset="30")
    assert path.stat().st_size


@pytest.fixture
def ann(cell: Position) -> Client:
    return signed_in(cell.portfolio.owner)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_comes_in_every_format_over_http(kind: str, form: str, ann: Client) -> None:
    answer = ann.get(f"/v1/exports/{kind}.{form}", headers={"Accept": FORMATS[form].media_type})
    assert answer.status_code == 200
    assert answer["Content-Type"] == FORMATS[form].media_type
    assert answer["Content-Disposition"] == f'attachment; filename="{kind}_all.{form}"'
    assert answer.getvalue()
    head = ann.head(f"/v1/exports/{kind}.{form}")
    assert (head.status_code, head["Content-Disposition"]) == (200, answer["Content-Disposition"])


def test_the_page_offers_the_form_and_answers_with_the_file(ann: Client, cell: Position) -> None:
    html = ann.get(f"/exports?position_id={cell.public_id}").content.decode()
    assert f'<option value="{cell.public_id}" selected>IBM in Savings</option>' in html
    wishes = {"kind": "orders", "format": "csv", "portfolio_id": "", "position_id": str(cell.public_id), "from": ""}
    answer = ann.get("/exports", wishes)
    assert answer["Content-Disposition"] == f'attachment; filename="orders_IBM_{cell.public_id.hex[:8]}.csv"'
    assert b"10.4687" in answer.getvalue()
