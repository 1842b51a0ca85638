"""Bars over HTTP: which there are, raw or adjusted, how good, and files that come in after a look and a yes."""

import gzip
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from dividends.services.announcements import announce_dividend, announce_split
from portfolios.domain.amounts import micros
from tests.bars import DAYS, HEADER, OPENING, bar_at, days, minutes, taken_in, written
from tests.factories import bearer, make_user
from tests.integration.problems import problem
from trading.bars import uploads
from trading.bars.models import BarImport, StoredPart

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]
IMPORTS = "/v1/bars/imports"


@pytest.fixture(autouse=True)
def bars_folder(settings: Any, tmp_path: Path) -> Path:
    settings.BARS_FOLDER = tmp_path / "store"
    return Path(settings.BARS_FOLDER)


@pytest.fixture
def staff() -> Client:
    return Client(headers=bearer(make_user("root", is_staff=True), ["read", "admin"]))


@pytest.fixture
def client() -> Client:
    return Client(headers=bearer(make_user("ann"), ["read", "trade"]))


def csv(lines: list[str], header: str = HEADER) -> bytes:
    return "\n".join([header, *lines, ""]).encode()


def sent(client: Client, content: bytes, name: str = "a.csv", **fields: str) -> Any:
    return client.post(IMPORTS, {"symbol": "IBM"} | fields | {"file": SimpleUploadedFile(name, content)})


def committed(client: Client, asked: Any, **body: Any) -> Any:
    return client.post(f"{IMPORTS}/{asked.json()['id']}/commit", body, "application/json")


def test_a_file_is_looked_over_then_taken_in_once(staff: Client, bars_folder: Path) -> None:
    asked = sent(staff, csv(minutes(3)))
    assert asked.status_code == 201
    assert asked["Location"].endswith(f"{IMPORTS}/{asked.json()['id']}")
    told = asked.json()
    assert {name: told[name] for name in ("status", "bars", "new", "same", "different", "resolution", "warnings")} == {
        "status": "previewed",
        "bars": 3,
        "new": 3,
        "same": 0,
        "different": 0,
        "resolution": "1min",
        "warnings": [],
    }
    assert (told["first"], told["last"]) == ("2014-06-05T13:30:00Z", "2014-06-05T13:32:00Z")
    assert not StoredPart.objects.exists()
    kept = list((bars_folder / "uploads").iterdir())
    assert [oct(path.stat().st_mode & 0o777) for path in kept] == ["0o600"]
    done = committed(staff, asked)
    assert (done.status_code, done.json()["status"], done.json()["new"]) == (200, "committed", 3)
    assert committed(staff, asked).json() == done.json()
    assert StoredPart.objects.get().rows == 3
    assert not list((bars_folder / "uploads").iterdir())
    assert staff.get(IMPORTS).json()["results"] == [done.json()]
    assert staff.get(f"{IMPORTS}/{told['id']}").json() == done.json()


def test_others_values_are_replaced_only_when_that_is_said(staff: Client) -> None:
    committed(staff, sent(staff, csv(minutes(2))))
    asked = sent(staff, csv([bar_at(OPENING, 101)]))
    assert asked.json()["different"] == 1
    assert problem(committed(staff, asked)) == (409, "bars_differ")
    assert committed(staff, asked, replace=True).json()["replaced"] is True


def test_a_file_that_cannot_be_is_refused_line_by_line_and_not_kept(staff: Client, bars_folder: Path) -> None:
    refused = sent(staff, csv([minutes(1)[0], minutes(1)[0], minutes(1)[0]]))
    assert problem(refused) == (422, "unfit_file")
    assert refused.json()["errors"][0] == {
        "code": "unfit_file",
        "detail": "line 3, timestamp: is given twice",
        "pointer": "#/file",
    }
    assert len(refused.json()["errors"]) == 2
    assert not BarImport.objects.exists()
    assert not list((bars_folder / "uploads").iterdir())


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"symbol": "ibm"}, "#/symbol"),
        ({"symbol": "../X"}, "#/symbol"),
        ({"symbol": ""}, "#/symbol"),
        ({"resolution": "2min"}, "#/resolution"),
        ({"accept_jumps": "perhaps"}, "#/accept_jumps"),
        ({"colour": "red"}, "#/colour"),
    ],
)
def test_a_field_that_cannot_be_is_named(staff: Client, fields: dict[str, str], pointer: str) -> None:
    refused = sent(staff, csv(minutes(1)), **fields)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert not BarImport.objects.exists()


def test_the_limits_are_named(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert problem(sent(staff, b"x" * (5 * 2**20 + 1))) == (413, "file_too_large")
    assert problem(sent(staff, b"x" * 6 * 2**20)) == (413, "body_too_large")
    session = Client()
    session.force_login(make_user("boss", is_staff=True), backend="django.contrib.auth.backends.ModelBackend")
    assert problem(sent(session, b"x" * 6 * 2**20)) == (413, "body_too_large")
    assert problem(staff.post(IMPORTS, {"symbol": "IBM"}, "application/json")) == (415, "unsupported_media_type")
    assert problem(staff.post(IMPORTS, {"symbol": "IBM"})) == (422, "invalid_fields")
    monkeypatch.setattr(uploads, "MOST_ROWS", 2)
    refused = sent(staff, csv(minutes(3)))
    assert (problem(refused), refused.json()["errors"][0]["detail"]) == ((422, "unfit_file"), "has more than 2 rows")
    monkeypatch.setattr(uploads, "MOST_WAITING", 1)
    sent(staff, csv(minutes(1)))
    assert problem(sent(staff, csv(minutes(1)))) == (409, "too_many_imports")


def test_no_bomb_goes_off(staff: Client, bars_folder: Path) -> None:
    """A gigabyte of zeros in a megabyte of gzip, the like cut off, and a ZIP."""
    bomb = gzip.compress(b"\0" * 2**20) * 1
    big = b"".join([gzip.compress(b"0" * 2**26 + b"0" * 2**20)])
    refused = sent(staff, big, "a.csv.gz")
    assert problem(refused) == (413, "file_too_large")
    assert "unpacks to more than 64 MiB" in refused.json()["errors"][0]["detail"]
    for content in (bomb[:-8], b"\x1f\x8b nothing", b"PK\x03\x04" + b"0" * 99):
        assert problem(sent(staff, content)) == (422, "unfit_file")
    assert not list((bars_folder / "uploads").iterdir())
    assert sent(staff, gzip.compress(csv(minutes(2))), "a.csv.gz").json()["bars"] == 2


def test_what_nobody_said_yes_to_is_forgotten_after_a_day(staff: Client, bars_folder: Path) -> None:
    asked = sent(staff, csv(minutes(1)))
    BarImport.objects.update(created_at=timezone.now() - timedelta(days=2))
    for path in (bars_folder / "uploads").iterdir():
        path.unlink()
    assert problem(committed(staff, asked)) == (409, "import_expired")
    sent(staff, csv(minutes(2)))
    assert problem(staff.get(f"{IMPORTS}/{asked.json()['id']}")) == (404, "import_not_found")


def test_only_staff_import_and_everybody_reads(client: Client, tmp_path: Path) -> None:
    assert problem(sent(client, csv(minutes(1)))) == (403, "insufficient_scope")
    assert problem(client.get(IMPORTS)) == (403, "insufficient_scope")
    taken_in(written(tmp_path / "a.csv", minutes(2)))
    (row,) = client.get("/v1/market/series").json()["results"]
    assert (row["ticker"], row["resolution"], row["bars"]) == ("IBM", "1min", 2)
    first, second = client.get("/v1/market/bars/IBM/1min").json()["results"]
    assert first == {
        "at": "2014-06-05T13:30:00Z",
        "day": "2014-06-05",
        "open": "100",
        "high": "100.05",
        "low": "99.95",
        "close": "100",
        "volume": 100,
        "session": "regular",
    }
    assert second["close"] == "100.01"
    assert client.get("/v1/market/bars/IBM/1min?from=2014-06-06").json()["results"] == []


def test_bars_are_adjusted_when_they_are_read(client: Client, tmp_path: Path) -> None:
    announce_split(
        source="replay", symbol="IBM", ex_date=OPENING.date() - timedelta(days=2), numerator=7, denominator=1
    )
    announce_dividend(
        source="replay", symbol="IBM", ex_date=OPENING.date() - timedelta(days=1), dps=micros("1"), pay_date=None
    )
    lines = [*days(1, price=700), *days(3, OPENING.date() - timedelta(days=2))]
    taken_in(written(tmp_path / "a.csv", lines, DAYS))

    def closes(adjust: str) -> list[str]:
        got = client.get(f"/v1/market/bars/IBM/1day?adjust={adjust}").json()["results"]
        return [row["close"] for row in got]

    assert closes("none") == ["700", "100", "100.01", "100.02"]
    assert closes("splits") == ["100", "100", "100.01", "100.02"]
    assert closes("all") == ["99.009999", "99.009999", "100.01", "100.02"]


def test_quality_names_gaps_and_what_stands_out(client: Client, tmp_path: Path) -> None:
    lines = minutes(390)
    later = minutes(390, OPENING + timedelta(days=4))
    odd = later[5].split(",")
    odd[2] = "199"
    taken_in(written(tmp_path / "a.csv", [*lines[:100], *lines[103:], *later[:5], ",".join(odd), *later[6:]]))
    told = client.get("/v1/market/bars/IBM/1min/quality").json()
    assert (told["bars"], told["sessions"], told["complete_sessions"], told["incomplete_sessions"]) == (777, 3, 1, 2)
    assert (told["missing_bars"], told["outliers"], told["extended_bars"]) == (393, 1, 0)
    assert told["sessions_behind"] > 2_000
    assert client.get("/v1/market/bars/IBM/1min/gaps").json()["results"] == [
        {"day": "2014-06-05", "missing": 3, "expected": 390},
        {"day": "2014-06-06", "missing": 390, "expected": 390},
    ]
    (odd_one,) = client.get("/v1/market/bars/IBM/1min/outliers").json()["results"]
    assert (odd_one["at"], odd_one["price"], odd_one["what"]) == (
        "2014-06-09T13:35:00Z",
        "199",
        "high far above open and close",
    )


def test_days_that_are_missing_are_gaps(client: Client, tmp_path: Path) -> None:
    lines = days(5)
    taken_in(written(tmp_path / "a.csv", [lines[0], *lines[2:]], DAYS))
    told = client.get("/v1/market/bars/IBM/1day/quality").json()
    assert (told["sessions"], told["complete_sessions"], told["missing_bars"]) == (5, 4, 1)


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("/v1/market/bars/ZIM/1min", 404, "series_not_found"),
        ("/v1/market/bars/IBM/2min", 404, "series_not_found"),
        ("/v1/market/bars/%00/1min", 404, "series_not_found"),
        ("/v1/market/bars/IBM/%00", 404, "series_not_found"),
        ("/v1/market/bars/ZIM/1day/quality", 404, "series_not_found"),
        ("/v1/market/bars/ZIM/1day/gaps", 404, "series_not_found"),
        ("/v1/market/bars/ZIM/1day/outliers", 404, "series_not_found"),
        ("/v1/market/bars/IBM/1min?adjust=some", 400, "invalid_parameters"),
        ("/v1/market/bars/IBM/1min?from=x", 400, "invalid_parameters"),
        ("/v1/market/bars/IBM/1min?limit=501", 400, "invalid_parameters"),
        ("/v1/market/bars/IBM/1min/gaps?cursor=x", 400, "invalid_parameters"),
        ("/v1/market/series?colour=red", 400, "invalid_parameters"),
    ],
)
def test_a_question_that_cannot_be_is_answered_with_a_problem(
    client: Client, tmp_path: Path, url: str, status: int, code: str
) -> None:
    taken_in(written(tmp_path / "a.csv", minutes(2)))
    assert problem(client.get(url)) == (status, code)


def test_bars_whose_file_is_gone_are_said_to_be_gone(client: Client, tmp_path: Path, bars_folder: Path) -> None:
    taken_in(written(tmp_path / "a.csv", minutes(2)))
    for path in bars_folder.rglob("*.parquet"):
        path.unlink()
    for what in ("", "/quality"):
        assert problem(client.get(f"/v1/market/bars/IBM/1min{what}")) == (503, "bars_gone")


@pytest.mark.parametrize(
    ("url", "queries"),
    [
        ("/v1/market/series", 3),
        ("/v1/market/bars/IBM/1min", 3),
        ("/v1/market/bars/IBM/1min?adjust=all", 5),
        ("/v1/market/bars/IBM/1min/gaps", 6),
    ],
)
def test_a_longer_list_asks_the_database_no_more_often(
    client: Client, tmp_path: Path, url: str, queries: int, django_assert_num_queries: Any
) -> None:
    for number, count in enumerate((2, 40)):
        taken_in(written(tmp_path / f"{number}.csv", minutes(count, OPENING + timedelta(days=28 * number))))
        client.get(url)
        with django_assert_num_queries(queries):
            client.get(url)
