"""Announcing by hand and the forecast, on pages and by the API: staff only, bad input changes nothing, fixed cost."""

import re
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dividends.models import ActionsAnswer, Dividend, Split
from dividends.services.announcements import announce_dividend, announce_split
from dividends.services.entitlements import go_ex_dividend
from portfolios.domain.amounts import micros
from portfolios.models import Position
from tests.factories import NOON, bearer, make_portfolio, make_position, make_quote, make_user
from tests.integration.browsing import page, queries, signed_in
from tests.market import assert_sound

pytestmark = pytest.mark.django_db
JSON = "application/json"
DIVIDEND = {"what": "dividend", "symbol": "ibm", "source": "replay", "ex_date": "2007-02-07", "dps": "0.3"}
SPLIT = {
    "what": "split",
    "symbol": "IBM",
    "source": "replay",
    "ex_date": "2007-02-07",
    "numerator": 3,
    "denominator": 2,
}
KEY: dict[str, Any] = {"ticker": "IBM", "ex_date": "2007-02-07"}


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(make_user("boss", is_staff=True))
    return client


@pytest.fixture
def api() -> Client:
    return Client(headers=bearer(make_user("boss", is_staff=True), ("read", "admin")))


def sent(client: Client, body: dict[str, Any]) -> int:
    return client.post("/dividends/announce", body).status_code


def test_a_dividend_is_announced_corrected_and_taken_back_on_the_page(staff) -> None:
    for _ in range(2):
        assert sent(staff, DIVIDEND) == 302
    dividend = Dividend.objects.get()
    assert (dividend.symbol, dividend.dps, dividend.pay_date_assumed) == ("IBM", micros("0.3"), True)
    assert sent(staff, DIVIDEND | {"dps": "0.4"}) == 422
    assert sent(staff, DIVIDEND | {"dps": "0.4", "corrects": "on"}) == 302
    assert sent(staff, {**DIVIDEND, "what": "no-dividend"}) == 302
    dividend.refresh_from_db()
    assert dividend.dps == micros("0.4")
    assert dividend.cancelled_at is not None


def test_a_split_and_the_last_word_of_a_day(staff) -> None:
    assert sent(staff, SPLIT) == 302
    assert sent(staff, {**SPLIT, "what": "no-split"}) == 302
    assert Split.objects.get().cancelled_at is not None
    for _ in range(2):
        assert sent(staff, {**SPLIT, "what": "nothing-more"}) == 302
    assert ActionsAnswer.objects.get().by == "user:boss"


@pytest.mark.parametrize(
    "wrong",
    [
        {"what": "gift"},
        {"symbol": "A B"},
        {"symbol": ""},
        {"symbol": "<script>"},
        {"source": "moon"},
        {"ex_date": "soon"},
        {"ex_date": "0001-01-01"},
        {"ex_date": ""},
        {"dps": ""},
        {"dps": "0"},
        {"dps": "-1"},
        {"dps": "1e5"},
        {"dps": "1000001"},
        {"dps": "0.0000001"},
        {"pay_date": "2007-02-06"},
        {"pay_date": "x"},
        {"what": "split"},
        {"what": "split", "numerator": "2", "denominator": "2"},
        {"what": "split", "numerator": "0", "denominator": "1"},
        {"what": "split", "numerator": "10001", "denominator": "1"},
        {"what": "no-dividend"},
        {"what": "no-split"},
    ],
)
def test_what_does_not_fit_is_shown_again_and_changes_nothing(staff, wrong) -> None:
    answer = staff.post("/dividends/announce", DIVIDEND | wrong)
    assert answer.status_code == 422
    body = answer.content.decode()
    assert 'value="0.3"' in body or "dps" in wrong
    assert "<script>" not in body.split("<main", 1)[1].split("</main", 1)[0]
    assert not Dividend.objects.exists()
    assert not Split.objects.exists()


def test_the_api_corrects_takes_back_and_answers(api) -> None:
    api.post("/v1/dividends", KEY | {"dps": "0.3"}, JSON)
    corrected = api.post("/v1/dividends/corrections", KEY | {"dps": "0.5", "pay_date": "2007-03-01"}, JSON)
    assert (corrected.status_code, corrected.json()["dps"], corrected.json()["pay_date_assumed"]) == (200, "0.5", False)
    cancelled = api.post("/v1/dividends/cancellations", KEY, JSON)
    assert cancelled.json()["cancelled_at"]
    api.post("/v1/splits", KEY | {"numerator": 2, "denominator": 1}, JSON)
    split = api.post("/v1/splits/corrections", KEY | {"numerator": 3, "denominator": 1}, JSON)
    assert split.json()["numerator"] == 3
    assert api.post("/v1/splits/cancellations", KEY, JSON).json()["cancelled_at"]
    for _ in range(2):
        told = api.post("/v1/dividends/answers", {"ticker": "IBM", "day": "2007-02-07"}, JSON)
        assert (told.status_code, told.json()["day"]) == (200, "2007-02-07")
    assert ActionsAnswer.objects.count() == 1


@pytest.mark.parametrize(
    ("door", "body", "status", "code"),
    [
        ("dividends/corrections", KEY | {"dps": "1"}, 404, "unknown_announcement"),
        ("dividends/cancellations", KEY, 404, "unknown_announcement"),
        ("splits/corrections", KEY | {"numerator": 2, "denominator": 1}, 404, "unknown_announcement"),
        ("splits/cancellations", KEY, 404, "unknown_announcement"),
        ("dividends/corrections", KEY | {"dps": "0"}, 422, "invalid"),
        ("dividends/cancellations", KEY | {"why": "x"}, 422, "invalid"),
        ("splits/corrections", KEY | {"numerator": 1, "denominator": 1}, 422, "invalid"),
        ("dividends/answers", {"ticker": "IBM", "day": "never"}, 422, "invalid"),
        ("dividends/answers", {"ticker": "i b", "day": "2007-02-07"}, 422, "invalid"),
    ],
)
def test_what_the_api_does_not_take(api, door, body, status, code) -> None:
    answer = api.post(f"/v1/{door}", body, JSON)
    assert answer.status_code == status
    assert code in answer.content.decode()
    assert not ActionsAnswer.objects.exists()


def paying(portfolio: Any, symbol: str) -> Position:
    """100 shares that got 1 before and 0.5 after a 2-for-1 in the year up to the market's day, and 9 long ago."""
    cell = make_position(portfolio, symbol=symbol)
    for day, dps in ((date(2006, 3, 1), "1"), (date(2006, 9, 1), "0.5"), (date(2005, 3, 1), "9")):
        announce_dividend(source="replay", symbol=symbol, ex_date=day, dps=micros(dps))
    announce_split(source="replay", symbol=symbol, ex_date=date(2006, 6, 1), numerator=2, denominator=1)
    return cell


def test_the_forecast_is_the_last_twelve_months_for_the_shares_held_now() -> None:
    ann = make_user()
    portfolio = make_portfolio(ann)
    cell = paying(portfolio, "IBM")
    make_quote(price="100")
    dividend = announce_dividend(source="replay", symbol="IBM", ex_date=NOON.date(), dps=micros("0.2"))
    go_ex_dividend(position_id=cell.pk, dividend=dividend, market_at=NOON)
    answer = Client(headers=bearer(ann)).get("/v1/dividends/forecast").json()
    (stock,) = answer["stocks"]
    assert (stock["times"], stock["dps"], stock["gross"], stock["net"]) == (3, "1.2", "120", "90")
    (line,) = answer["portfolios"]
    assert (line["receivable"], line["received"], line["expected"]) == ("15", "0", "90")
    assert_sound()
    stranger = Client(headers=bearer(make_user("eve"))).get("/v1/dividends/forecast").json()
    assert (stranger["stocks"], stranger["portfolios"], stranger["net"]) == ([], [], "0")


def test_the_page_shows_it_and_costs_the_same_for_many() -> None:
    ann = make_user()
    portfolio = make_portfolio(ann)
    client = Client()
    client.force_login(ann)
    make_quote(price="100")

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            body = client.get("/dividends").content.decode()
        assert "if all pay as in the last 12" in body
        assert "/dividends/announce" not in body
        return len(captured)

    paying(portfolio, "IBM")
    cost()
    before = cost()
    for number in range(60):
        paying(portfolio, f"Z{number}")
    assert cost() == before
    assert "with 11 not shown" in client.get("/dividends").content.decode()


def test_staff_finds_the_door(staff) -> None:
    assert "/dividends/announce" in staff.get("/dividends").content.decode()
    assert staff.get("/dividends/announce").status_code == 200


def test_a_special_dividend_is_not_expected_again_and_the_page_says_so() -> None:
    ann = make_user()
    make_position(make_portfolio(ann), symbol="IBM")
    make_quote(price="100")
    for month in (3, 6, 9, 12):
        announce_dividend(source="replay", symbol="IBM", ex_date=date(2006, month, 8), dps=micros("0.3"))
    announce_dividend(source="replay", symbol="IBM", ex_date=date(2006, 10, 20), dps=micros("10"))
    (stock,) = Client(headers=bearer(ann)).get("/v1/dividends/forecast").json()["stocks"]
    assert (stock["times"], stock["special_times"], stock["dps"], stock["gross"]) == (4, 1, "1.2", "120")
    assert "and 1 special, not repeated" in page(signed_in(ann), "dividends")


OWED = re.compile(r'<tr><td data-name="Paid on">([^<]+?)</td><td class="names-it"><a href="([^"]+)"')
LATER = re.compile(r'id="owed-later" href="([^"#]+)')


def test_every_receivable_is_on_one_of_the_pages_the_soonest_first() -> None:
    ann = make_user()
    portfolio = make_portfolio(ann)
    make_quote(price="100")
    client = signed_in(ann)

    def owed(count: int) -> None:
        """Each to another cell; three are paid on each day."""
        cells = [make_position(portfolio, symbol=f"A{portfolio.positions.count()}") for _ in range(count)]
        for number, cell in enumerate(cells):
            pays = NOON.date() + timedelta(days=(number * 7 % 41) // 3)
            dividend = announce_dividend(
                source="replay", symbol=cell.symbol, ex_date=NOON.date(), dps=micros("1"), pay_date=pays
            )
            go_ex_dividend(position_id=cell.pk, dividend=dividend, market_at=NOON)

    owed(3)
    alone = queries(client, "dividends")
    owed(117)
    assert queries(client, "dividends") == alone
    days: list[str] = []
    cells: list[str] = []
    address = "/dividends"
    for number in range(3):
        html = client.get(address).content.decode()
        rows = OWED.findall(html)
        assert len(rows) == (50, 50, 20)[number]
        days += [day for day, _ in rows]
        cells += [cell for _, cell in rows]
        later = LATER.search(html)
        assert bool(later) is (number < 2)
        assert ('id="owed-soonest"' in html) is (number > 0)
        address = f"/dividends{unescape(later[1])}" if later else ""
    assert len(set(cells)) == 120
    told = [datetime.strptime(day, "%d %b %Y").date() for day in days]
    assert told == sorted(told)
    assert client.get("/dividends?owed=forged").status_code == 200
