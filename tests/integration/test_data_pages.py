"""The pages of recorded bars: the list, a series beside the calendar, and a file that comes in after a look."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from dividends.services.announcements import announce_split
from tests.bars import DAYS, HEADER, OPENING, bar_at, days, make_import, minutes, taken_in, written
from tests.factories import make_user
from tests.integration.test_api_bars import csv
from tests.integration.test_stored_xss import PAYLOADS, Read
from trading.bars.models import BarImport, StoredPart

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def bars_folder(settings: Any, tmp_path: Path) -> Path:
    settings.BARS_FOLDER = tmp_path / "store"
    return Path(settings.BARS_FOLDER)


def signed_in(name: str, **traits: Any) -> Client:
    client = Client()
    client.force_login(make_user(name, **traits), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def staff() -> Client:
    return signed_in("root", is_staff=True)


def sent(client: Client, content: bytes, **fields: str) -> Any:
    file = SimpleUploadedFile("a.csv", content)
    return client.post(reverse("data-import-check"), {"symbol": "ibm", "resolution": ""} | fields | {"file": file})


def test_a_file_is_looked_over_shown_and_recorded(staff: Client) -> None:
    asked = sent(staff, csv(minutes(3)))
    assert asked.status_code == 302
    shown = staff.get(asked["Location"]).content.decode()
    assert "Record 3 new bars" in shown
    assert "5 Jun 2014, 09:30 New York" in shown
    assert not StoredPart.objects.exists()
    done = staff.post(f"{asked['Location']}/commit", follow=True)
    assert "3 new bars of IBM are recorded." in done.content.decode()
    assert "IBM, 1 minute" in done.content.decode()
    assert StoredPart.objects.get().rows == 3


def test_what_is_wrong_is_told_by_line_and_what_was_typed_is_kept(staff: Client) -> None:
    refused = sent(staff, csv([minutes(1)[0], minutes(1)[0]]), resolution="1min", accept_jumps="on")
    text = refused.content.decode()
    assert refused.status_code == 422
    assert "1 thing wrong with this file" in text
    assert "is given twice" in text
    assert 'value="IBM"' in text
    assert '<option value="1min" selected>' in text
    assert 'name="accept_jumps" checked' in text
    assert not BarImport.objects.exists()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"symbol": "a b"}, "A symbol such as IBM"),
        ({"symbol": ""}, "Whose bars are they?"),
        ({"symbol": "A\x00"}, "A symbol such as IBM"),
        ({"resolution": "2min"}, "Choose one of these"),
    ],
)
def test_a_field_that_cannot_be_is_refused_with_the_form(staff: Client, fields: dict[str, str], said: str) -> None:
    refused = sent(staff, csv(minutes(1)), **fields)
    assert refused.status_code == 422
    assert said in refused.content.decode()


def test_too_large_a_file_is_refused(staff: Client) -> None:
    over = sent(staff, b"x" * (5 * 2**20 + 1))
    assert (over.status_code, "at most 5 MiB" in over.content.decode()) == (422, True)
    assert sent(staff, b"x" * 6 * 2**20).status_code in (400, 413)


def test_other_values_need_a_tick(staff: Client) -> None:
    staff.post(f"{sent(staff, csv(minutes(2)))['Location']}/commit")
    asked = sent(staff, csv([bar_at(OPENING, 101)]))["Location"]
    assert "Replace the 1 recorded with other values" in staff.get(asked).content.decode()
    refused = staff.post(f"{asked}/commit")
    assert refused.status_code == 422
    assert "say so if they are to be replaced" in refused.content.decode()
    assert staff.post(f"{asked}/commit", {"replace": "on"}).status_code == 302


def test_who_is_not_staff_reads_and_imports_nothing(tmp_path: Path) -> None:
    taken_in(written(tmp_path / "a.csv", minutes(2)))
    make_import()
    client = signed_in("ann")
    text = client.get(reverse("data")).content.decode()
    assert "IBM" in text
    assert "Import bars" not in text
    assert "a.csv" not in text
    assert sent(client, csv(minutes(1))).status_code == 403
    assert client.get(reverse("data-import-new")).status_code == 403


def test_a_series_that_is_not_recorded_is_not_found() -> None:
    client = signed_in("ann")
    for address in ("/data/ZIM/1min", "/data/IBM/2min", "/data/%00/1min", "/data/IBM/%00"):
        assert client.get(address).status_code == 404


def test_gaps_are_paged(tmp_path: Path) -> None:
    lines = [bar_at(OPENING + timedelta(days=7 * week), 100) for week in range(20)]
    taken_in(written(tmp_path / "a.csv", lines), resolution="1min")
    client = signed_in("ann")
    first = client.get("/data/IBM/1min").content.decode()
    assert first.count("<td>5 Jun") + first.count(">390<") >= 40
    older = first.split("before=")[1].split('"')[0]
    second = client.get(f"/data/IBM/1min?before={older}").content.decode()
    assert "Older" not in second
    assert "Newest" in second
    assert client.get("/data/IBM/1min?before=forged").status_code == 200


def test_bars_whose_file_is_gone_are_said_to_be_gone(tmp_path: Path, bars_folder: Path) -> None:
    taken_in(written(tmp_path / "a.csv", minutes(2)))
    for path in bars_folder.rglob("*.parquet"):
        path.unlink()
    gone = signed_in("ann").get("/data/IBM/1min")
    assert (gone.status_code, "import these bars again" in gone.content.decode()) == (503, True)


@pytest.mark.parametrize(
    ("address", "most"), [("/data", 12), ("/data/IBM/1min", 15), ("/data/IBM/1min/chart?adjust=all", 9)]
)
def test_more_bars_ask_the_database_no_more_often(
    tmp_path: Path, address: str, most: int, django_assert_max_num_queries: Any
) -> None:
    client = signed_in("root", is_staff=True)
    for number in range(1, 4):
        taken_in(written(tmp_path / "a.csv", minutes(9 * number)), "IBM" if number < 3 else "ZIM")
        make_import()
        with django_assert_max_num_queries(most):
            client.get(address)


def test_the_chart_of_a_series_is_a_drawing_and_figures_without_scripts_raw_or_adjusted(tmp_path: Path) -> None:
    lines = [*days(2, price=700), *days(2, date(2014, 6, 9))]
    announce_split(source="alpaca", symbol="IBM", ex_date=date(2014, 6, 9), numerator=7, denominator=1)
    taken_in(written(tmp_path / "a.csv", lines, DAYS))
    client = signed_in("ann")
    raw, split, wrong = (
        client.get("/data/IBM/1day" + query).content.decode() for query in ("", "?adjust=splits", "?adjust=<b>")
    )
    for text, opened in ((raw, "$700.00"), (split, "$100.00"), (wrong, "$700.00")):
        assert f"<dt>First open</dt><dd>{opened}" in text
        assert '<svg class="drawing run"' in text
    assert 'aria-current="true">Splits<' in split
    told = {adjust: client.get(f"/data/IBM/1day/chart?adjust={adjust}").json() for adjust in ("none", "splits", "all")}
    assert [view["open"] for view in told.values()] == [[700, 700.01, 100, 100.01], *[[100, 100.0014, 100, 100.01]] * 2]
    assert told["none"]["times"][0] == 1_401_667_200
    assert client.get("/data/IBM/1min/chart").status_code == 404


def test_a_chart_whose_file_is_gone_says_so(tmp_path: Path, bars_folder: Path) -> None:
    taken_in(written(tmp_path / "a.csv", minutes(2)))
    for path in bars_folder.rglob("*.parquet"):
        path.unlink()
    assert signed_in("ann").get("/data/IBM/1min/chart").status_code == 503


def told_of(staff: Client, text: str) -> list[str]:
    """The preview of a file with this for a column nobody reads; what is wrong with it for a price, symbol or stock."""
    cell = '"' + text.replace('"', '""') + '"'
    preview = sent(staff, csv([f"{line},1" for line in minutes(2)], f"{HEADER},{cell}"), resolution="1min")
    wrong = csv([minutes(1)[0].replace(",100.00,", f",{cell},", 1)])
    symbols = csv([f"{line},{cell}" for line in minutes(1)], f"{HEADER},symbol")
    refused = [sent(staff, file, resolution="1min") for file in (wrong, symbols)]
    refused.append(sent(staff, csv(minutes(1)), symbol=text))
    assert [answer.status_code for answer in refused] == [422] * 3
    shown = staff.get(preview["Location"])
    BarImport.objects.all().delete()
    return [answer.content.decode() for answer in (shown, *refused)]


def test_what_stands_in_a_file_is_text_in_its_preview_and_in_what_is_wrong_with_it(staff: Client) -> None:
    plain = [Read(page).bones for page in told_of(staff, "plain words")]
    for text in PAYLOADS:
        assert [Read(page).bones for page in told_of(staff, text)] == plain, text
