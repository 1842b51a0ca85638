"""The market and its announcements through the door: clock, prices, bars, dividends and splits."""

from datetime import date
from typing import Any

import pytest
from django.test import Client

from dividends.models import Dividend, Entitlement, Split
from dividends.services.announcements import announce_dividend
from dividends.services.entitlements import go_ex_dividend
from portfolios.domain.amounts import micros
from portfolios.models import Position
from tests.factories import NOON, bearer, make_portfolio, make_position, make_quote, make_user
from tests.integration.problems import pointers, problem
from trading.market.models import Bar
from trading.market.services import load_bars

pytestmark = pytest.mark.django_db
JSON = "application/json"
DIVIDEND = {"ticker": "IBM", "ex_date": "2007-02-07", "dps": "0.3"}
SPLIT = {"ticker": "IBM", "ex_date": "2007-02-07", "numerator": 2, "denominator": 1}


@pytest.fixture
def client() -> Client:
    return Client(headers=bearer(make_user("ann")))


@pytest.fixture
def staff() -> Client:
    return Client(headers=bearer(make_user("root", is_staff=True), ["read", "admin"]))


def announce(symbol: str = "IBM", ex_date: date = date(2007, 2, 7), dps: str = "0.3") -> Dividend:
    return announce_dividend(source="replay", symbol=symbol, ex_date=ex_date, dps=micros(dps))


def record_bars(days: int = 5) -> None:
    prices = {"open": micros("100"), "high": micros("103"), "low": micros("99"), "close": micros("101.5")}
    bars = [Bar(symbol="IBM", day=date(2007, 1, day), volume=7, **prices) for day in range(days, 0, -1)]
    load_bars(symbol="IBM", name="IBM", exchange="XNYS", bars=bars)


def test_a_replayed_market_has_its_own_time(client: Client) -> None:
    make_quote()
    assert client.get("/v1/market/status").json() == {
        "source": "replay",
        "exchange": "XNYS",
        "at": "2007-01-03T17:00:00Z",
        "day": "2007-01-03",
        "phase": "regular",
        "next_open": "2007-01-04T14:30:00Z",
        "replay": {"running": True, "ended": False, "speed": 1.0, "begins_on": "2007-01-03"},
    }


def test_a_market_that_is_not_replayed_keeps_the_time_of_day(client: Client) -> None:
    status = client.get("/v1/market/status").json()
    assert status["replay"] is None
    assert status["at"] < status["next_open"]


def test_the_newest_price_comes_with_its_age(client: Client) -> None:
    make_quote(price="97.25")
    quote = client.get("/v1/market/quotes/IBM").json()
    assert (quote["last"], quote["bid"], quote["at"], quote["age_ms"]) == ("97.25", None, "2007-01-03T17:00:00Z", 0)


def test_bars_are_read_by_day_whatever_the_order_they_came_in(client: Client) -> None:
    record_bars()
    days, url = [], "/v1/market/bars/IBM?limit=2&ordering=day&from=2007-01-02"
    while url:
        page = client.get(url).json()
        days.append([int(bar["day"][-2:]) for bar in page["results"]])
        last, url = page, page["next"]
    assert days == [[2, 3], [4, 5]]
    assert [bar["day"] for bar in client.get(last["previous"]).json()["results"]] == ["2007-01-02", "2007-01-03"]
    newest = client.get("/v1/market/bars/IBM?to=2007-01-04").json()["results"][0]
    assert newest == {"day": "2007-01-04", "open": "100", "high": "103", "low": "99", "close": "101.5", "volume": 7}


def test_only_dividends_and_splits_of_ones_own_symbols_are_listed() -> None:
    cell = make_position()
    announce()
    announce("AAPL")
    Split.objects.create(symbol="AAPL", ex_date=date(2007, 3, 1), numerator=2, denominator=1, source="replay")
    client = Client(headers=bearer(cell.portfolio.owner))
    (dividend,) = client.get("/v1/dividends").json()["results"]
    assert (dividend["ticker"], dividend["dps"]) == ("IBM", "0.3")
    assert (dividend["pay_date"], dividend["pay_date_assumed"]) == ("2007-03-09", True)
    assert client.get("/v1/dividends?to=2007-02-06").json()["results"] == []
    assert len(client.get("/v1/dividends?from=2007-02-07&ticker=IBM").json()["results"]) == 1
    assert client.get("/v1/splits").json()["results"] == []


def test_upcoming_is_after_market_times_today_and_soonest_first() -> None:
    cell = make_position()
    make_quote()
    for day in (date(2007, 1, 3), date(2007, 3, 7), date(2007, 2, 7), date(2008, 2, 7)):
        announce(ex_date=day)
    client = Client(headers=bearer(cell.portfolio.owner))
    found = client.get("/v1/dividends/upcoming").json()["results"]
    assert [row["ex_date"] for row in found] == ["2007-02-07", "2007-03-07"]
    assert len(client.get("/v1/dividends/upcoming?days=40").json()["results"]) == 1


def test_what_a_cell_is_owed_is_told_with_its_tax() -> None:
    cell = make_position()
    go_ex_dividend(position_id=cell.pk, dividend=announce(), market_at=NOON)
    client = Client(headers=bearer(cell.portfolio.owner))
    (row,) = client.get(f"/v1/dividends/entitlements?position_id={cell.public_id}").json()["results"]
    told = {name: row[name] for name in ("qty", "gross", "tax", "net", "status")}
    assert told == {"qty": "100", "gross": "30", "tax": "7.5", "net": "22.5", "status": "receivable"}
    assert client.get("/v1/dividends/entitlements?status=paid").json()["results"] == []
    stranger = Client(headers=bearer(make_user("eve")))
    assert stranger.get("/v1/dividends/entitlements").json()["results"] == []


def test_staff_announce_once_and_hear_of_a_contradiction(staff: Client) -> None:
    for url, body, other in (("/v1/dividends", DIVIDEND, {"dps": "0.4"}), ("/v1/splits", SPLIT, {"numerator": 3})):
        assert [staff.post(url, body, JSON).status_code for _ in range(2)] == [201, 200]
        assert problem(staff.post(url, body | other, JSON)) == (409, "announced_otherwise")
    assert (Dividend.objects.count(), Split.objects.count()) == (1, 1)
    given = staff.post("/v1/dividends", DIVIDEND | {"ticker": "ZIM", "pay_date": "2007-02-20"}, JSON).json()
    assert (given["pay_date"], given["pay_date_assumed"]) == ("2007-02-20", False)


def test_market_data_is_everybodys_and_so_is_not_anybodys_to_write(client: Client) -> None:
    for url, body in (("/v1/dividends", DIVIDEND), ("/v1/splits", SPLIT)):
        assert problem(client.post(url, body, JSON)) == (403, "insufficient_scope")
    unscoped = Client(headers=bearer(make_user("root", is_staff=True), ["read", "trade"]))
    assert problem(unscoped.post("/v1/dividends", DIVIDEND, JSON)) == (403, "insufficient_scope")
    assert not Dividend.objects.exists()


@pytest.mark.parametrize(
    ("url", "wrong", "place"),
    [
        ("/v1/dividends", {"ticker": "ibm"}, "#/ticker"),
        ("/v1/dividends", {"ticker": 7}, "#/ticker"),
        ("/v1/dividends", {"ticker": "A B"}, "#/ticker"),
        ("/v1/dividends", {"ex_date": "2007-02-30"}, "#/ex_date"),
        ("/v1/dividends", {"ex_date": 20070207}, "#/ex_date"),
        ("/v1/dividends", {"ex_date": "9999-12-31"}, "#/ex_date"),
        ("/v1/dividends", {"ex_date": "0001-01-01"}, "#/ex_date"),
        ("/v1/dividends", {"pay_date": "2007-02-06"}, "#/pay_date"),
        ("/v1/dividends", {"dps": "0"}, "#/dps"),
        ("/v1/dividends", {"dps": "-1"}, "#/dps"),
        ("/v1/dividends", {"dps": "1000000.1"}, "#/dps"),
        ("/v1/dividends", {"source": "rumour"}, "#/source"),
        ("/v1/dividends", {"source": ["replay"]}, "#/source"),
        ("/v1/dividends", {"net": "1"}, "#/net"),
        ("/v1/splits", {"numerator": 0}, "#/numerator"),
        ("/v1/splits", {"numerator": "two"}, "#/numerator"),
        ("/v1/splits", {"numerator": 10**12}, "#/numerator"),
        ("/v1/splits", {"denominator": 2}, "#/numerator"),
    ],
)
def test_an_announcement_that_cannot_be_is_not_made(staff: Client, url: str, wrong: dict[str, Any], place: str) -> None:
    refused = staff.post(url, (SPLIT if "splits" in url else DIVIDEND) | wrong, JSON)
    assert problem(refused) == (422, "invalid_fields")
    assert pointers(refused) == {place}
    assert not Dividend.objects.exists()
    assert not Split.objects.exists()


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("/v1/market/status?source=rumour", 400, "invalid_parameters"),
        ("/v1/market/status?source=%00", 400, "invalid_parameters"),
        ("/v1/market/quotes/ZIM", 404, "symbol_not_found"),
        ("/v1/market/quotes/zim", 404, "symbol_not_found"),
        ("/v1/market/quotes/%00", 404, "symbol_not_found"),
        ("/v1/market/bars/ZIM", 404, "symbol_not_found"),
        ("/v1/market/bars/%00", 404, "symbol_not_found"),
        ("/v1/market/bars/IBM?from=yesterday", 400, "invalid_parameters"),
        ("/v1/market/bars/IBM?to=2007-02-30", 400, "invalid_parameters"),
        ("/v1/market/bars/IBM?ordering=close", 400, "invalid_parameters"),
        ("/v1/market/bars/IBM?cursor=x", 400, "invalid_parameters"),
        ("/v1/market/bars/IBM?limit=501", 400, "invalid_parameters"),
        ("/v1/dividends?ticker=%00", 400, "invalid_parameters"),
        ("/v1/dividends?from=x", 400, "invalid_parameters"),
        ("/v1/dividends/upcoming?days=0", 400, "invalid_parameters"),
        ("/v1/dividends/upcoming?days=367", 400, "invalid_parameters"),
        ("/v1/dividends/entitlements?position_id=7", 400, "invalid_parameters"),
        ("/v1/dividends/entitlements?status=lost", 400, "invalid_parameters"),
        ("/v1/splits?colour=red", 400, "invalid_parameters"),
        ("/v1/dividends/7", 404, "not_found"),
    ],
)
def test_a_question_that_cannot_be_is_answered_with_a_problem(client: Client, url: str, status: int, code: str) -> None:
    record_bars()
    assert problem(client.get(url)) == (status, code)


@pytest.mark.parametrize("url", ["/v1/dividends", "/v1/dividends/entitlements", "/v1/dividends/upcoming"])
def test_a_longer_list_asks_the_database_no_more_often(url: str, django_assert_num_queries: Any) -> None:
    portfolio = make_portfolio()
    make_quote("XYZ")
    client = Client(headers=bearer(portfolio.owner))

    def more(number: int) -> None:
        cell = make_position(portfolio, symbol=f"S{number}")
        go_ex_dividend(position_id=cell.pk, dividend=announce(cell.symbol), market_at=NOON)

    more(0)
    client.get(url)
    queries = 4 if url.endswith("upcoming") else 2
    with django_assert_num_queries(queries):
        client.get(url)
    for number in range(1, 6):
        more(number)
    with django_assert_num_queries(queries):
        assert len(client.get(url).json()["results"]) == 6
    assert (Entitlement.objects.count(), Position.objects.count()) == (6, 6)
