"""A run of the past as a file: every kind in every format says the same, exactly; no cell of it is run."""

import csv
import io
import zipfile
from decimal import Decimal
from itertools import pairwise
from typing import Any

import duckdb
import pytest
from django.conf import LazySettings
from django.test import Client

from portfolios.models import User
from reporting.exports.files import FORMATS
from reporting.exports.runs import RUN_KINDS
from tests.factories import bearer, make_user
from tests.integration.problems import problem
from tests.recorded import make_done_run
from trading.simulation.models import SimulationRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return make_user()


@pytest.fixture
def client(ann: User) -> Client:
    return Client(headers=bearer(ann, scopes=["read"]))


def file_of(client: Client, run: SimulationRun, name: str) -> bytes:
    answer = client.get(f"/v1/simulations/{run.public_id}/exports/{name}")
    assert answer.status_code == 200
    return bytes(answer.getvalue())


def rows_of(client: Client, run: SimulationRun, kind: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file_of(client, run, f"{kind}.csv").decode())))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", RUN_KINDS)
def test_every_kind_comes_in_every_format(kind: str, form: str, client: Client, ann: User) -> None:
    run = make_done_run(ann)
    answer = client.get(f"/v1/simulations/{run.public_id}/exports/{kind}.{form}")
    assert (answer.status_code, answer["Content-Type"]) == (200, FORMATS[form].media_type)
    name = f"{kind}_IBM_2007-01-01_2007-01-12_{run.public_id.hex[:8]}.{form}"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer["Cache-Control"] == "private, no-store"
    assert answer.getvalue()
    head = client.head(f"/v1/simulations/{run.public_id}/exports/{kind}.{form}")
    assert (head.status_code, head["Content-Disposition"]) == (200, answer["Content-Disposition"])


def test_trades_are_those_of_the_api(client: Client, ann: User) -> None:
    run = make_done_run(ann)
    told = client.get(f"/v1/simulations/{run.public_id}/fills").json()["results"]
    rows = rows_of(client, run, "trades")
    assert len(rows) == len(told) == run.result["trades"] > 4
    for row, fill in zip(rows, told, strict=True):
        row["day"] = row.pop("date")
        assert row.pop("time") == ""
        assert fill.pop("at") is None
        assert row == {name: str(value) for name, value in fill.items()}


def test_steps_add_up_to_what_is_left(client: Client, ann: User) -> None:
    """Split, dividend and payment are told beside the trades; each step follows from the one before it."""
    run = make_done_run(ann)
    rows = rows_of(client, run, "steps")
    kinds = [row["kind"] for row in rows]
    assert {"trade", "split", "ex_dividend", "dividend_paid"} == set(kinds)
    split, ex, paid = (rows[kinds.index(kind)] for kind in ("split", "ex_dividend", "dividend_paid"))
    assert (split["date"], split["ratio"]) == ("2007-01-04", "2 for 1")
    assert (ex["date"], ex["per_share"], paid["date"]) == ("2007-01-09", "1", "2007-01-11")
    assert ex["net"] == ex["receivable"] == paid["net"] == run.result["dividends_net"]
    for before, row in pairwise(rows):
        change = Decimal(row["cash"]) - Decimal(before["cash"])
        if row["kind"] == "trade":
            sign = -1 if row["side"] == "BUY" else 1
            assert change == sign * Decimal(row["notional"]) - Decimal(row["fee"])
        elif row["kind"] == "dividend_paid":
            assert change == Decimal(row["net"])
    assert (rows[-1]["shares"], rows[-1]["cash"]) == (run.result["shares"], run.result["cash"])


def test_days_begin_with_the_cash_and_end_with_the_value(client: Client, ann: User) -> None:
    run = make_done_run(ann)
    rows = rows_of(client, run, "daily")
    assert (rows[0]["value"], rows[-1]["value"]) == ("10000", run.result["value"])
    assert [row["date"] for row in rows][:2] == ["2007-01-01", "2007-01-02"]
    for row in rows:
        assert Decimal(row["value"]) == Decimal(row["stock"]) + Decimal(row["cash"]) + Decimal(row["receivable"])


@pytest.mark.parametrize("kind", RUN_KINDS)
def test_parquet_has_the_very_same_rows(kind: str, client: Client, ann: User, tmp_path: Any) -> None:
    run = make_done_run(ann)
    path = tmp_path / "rows.parquet"
    path.write_bytes(file_of(client, run, f"{kind}.parquet"))
    found = duckdb.sql(f"SELECT * FROM '{path}'")
    rows = [dict(zip(found.columns, map(plain, row), strict=True)) for row in found.fetchall()]
    assert rows == rows_of(client, run, kind)


def plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return str(value)


def test_a_name_that_looks_like_a_formula_stays_text(client: Client, ann: User) -> None:
    run = make_done_run(ann, name='=HYPERLINK("http://evil","x")', settings={"tau": "0.02"})
    with zipfile.ZipFile(io.BytesIO(file_of(client, run, "trades.xlsx"))) as book:
        sheets = [book.read(name).decode() for name in book.namelist() if "worksheets/sheet" in name]
        text = "".join(book.read(name).decode() for name in book.namelist())
    assert len(sheets) == 2
    assert "'=HYPERLINK" in text
    assert "<f>" not in text
    assert run.rule_version in text


@pytest.mark.parametrize("path", ["everything.csv", "trades.pdf", "trades", ".csv", "TRADES.csv", "trades.csv.csv"])
def test_a_kind_or_format_that_is_not_there_is_a_404(path: str, client: Client, ann: User) -> None:
    answer = client.get(f"/v1/simulations/{make_done_run(ann).public_id}/exports/{path}")
    assert answer.status_code == 404
    assert problem(answer)[1] in ("export_not_found", "not_found")


@pytest.mark.usefixtures("empty_cache")
def test_files_of_runs_count_among_the_twenty_a_minute(client: Client, ann: User, settings: LazySettings) -> None:
    settings.EXPORTS_A_MINUTE = 1
    url = f"/v1/simulations/{make_done_run(ann).public_id}/exports/trades.csv"
    assert [client.get(url).status_code for _ in range(2)] == [200, 429]
    assert problem(client.get("/v1/exports/events.csv")) == (429, "too_many_requests")
