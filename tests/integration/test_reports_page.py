"""The reports page: what it says, to whom, and at what cost."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from reporting.metrics.definitions import MONEY, THE_SIX, definition_of
from reporting.reading import market_date
from reporting.snapshots import write_snapshots
from tests.factories import FIRST_DAY, NOON, make_portfolio, make_position, make_quote, make_user
from tests.market import later, make_fallen_cell, tick
from trading.market.models import MarketClock
from trading.market.services import begin_clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return make_user("ann")


@pytest.fixture
def client(ann) -> Client:
    client = Client()
    client.force_login(ann, backend="django.contrib.auth.backends.ModelBackend")
    return client


def page(client: Client, **query: object) -> str:
    answer = client.get("/reports", query)
    assert answer.status_code == 200
    return answer.content.decode()


def round_trip(portfolio):
    """Bought 10.4687 at 97 for 1,015.46, sold on the next day at 101; worth 19,700 at first."""
    cell = make_fallen_cell(portfolio=portfolio)
    tick(cell)
    make_quote("IBM", "101", at=later(24 * 60))
    tick(cell)
    return cell


def test_a_round_trip_is_told_in_money_and_in_numbers(ann, client):
    round_trip(make_portfolio(ann))
    html = page(client)
    assert "Realised gains by calendar year" in html
    assert "100.0\u00a0%" in html  # every round trip made a profit
    assert "0.00\u00a0bps" in html
    assert "$19,700.00" in html  # left alone and at the start
    assert "<svg" in html


def test_each_number_has_its_definition_one_click_away(ann, client):
    round_trip(make_portfolio(ann))
    html = page(client)
    for name in (*THE_SIX, *MONEY, "time_weighted"):
        assert definition_of(name)[:40].replace("`", "").replace("'", "&#x27;") in html, name


def test_the_period_is_in_market_time_with_cells_and_without(client, ann):
    begin_clock(source="replay", begins_on=FIRST_DAY)
    MarketClock.objects.update(at=NOON, day=FIRST_DAY)
    ends = f"to {market_date(FIRST_DAY)}"
    assert (ends in page(client), "No cells yet" in page(client)) == (True, True)
    make_position(make_portfolio(ann))
    assert ends in page(client)


def test_someone_without_cells_is_told_what_to_do_next(client):
    assert "No cells yet" in page(client)


def test_a_cell_without_a_price_has_dashes_and_no_noughts_that_mislead(ann, client):
    make_position(make_portfolio(ann), symbol="ZIM")
    html = page(client)
    assert "ZIM" in html
    assert "No market day with a price" in html


def test_a_cell_that_never_sees_a_price_stops_no_report(ann, client):
    """Two snapshots on, it has no new event and has still seen nothing."""
    portfolio = make_portfolio(ann)
    make_position(portfolio, symbol="ZIM")
    cell = round_trip(portfolio)
    for day in (2, 3):
        make_quote("IBM", "101", at=later(day * 24 * 60))
        tick(cell)
        write_snapshots()
        assert "$19," in page(client)


def test_the_period_asked_for_is_the_period_shown(ann, client):
    round_trip(make_portfolio(ann))
    assert "4 Jan 2007 to 4 Jan 2007" in page(client, **{"from": "2007-01-04", "to": "2007-01-04"})
    assert "6 Dec 2006 to 4 Jan 2007" in page(client, preset="30")
    assert "From the beginning to 4 Jan 2007" in page(client, preset="all")


@pytest.mark.parametrize(("first", "last"), [("yesterday", ""), ("2007-01-05", "2007-01-04"), ("2007-02-30", "")])
def test_days_that_cannot_be_read_are_said_so_and_nothing_breaks(ann, client, first, last):
    round_trip(make_portfolio(ann))
    answer = client.get("/reports", {"from": first, "to": last})
    assert answer.status_code == 400
    assert "A day is written like" in answer.content.decode()


@pytest.mark.parametrize("query", ["from=0001-01-01", "to=9999-12-31", "page=99999", "preset=x", "portfolio=x"])
def test_odd_questions_get_a_page(ann, client, query):
    round_trip(make_portfolio(ann))
    assert client.get(f"/reports?{query}").status_code == 200


def test_one_portfolio_alone_and_never_a_strangers(ann, client):
    mine = make_portfolio(ann, name="Pension")
    round_trip(mine)
    theirs = make_position(make_portfolio(make_user("bob"), name="Secret"), symbol="MSFT")
    make_position(make_portfolio(ann, name="Other"), symbol="GOOG")
    html = page(client, portfolio=str(mine.public_id))
    assert "GOOG" not in html
    assert "MSFT" not in page(client, portfolio=str(theirs.portfolio.public_id))
    assert "Secret" not in page(client)


def test_a_hundred_cells_cost_what_one_costs(ann, client):
    portfolio = make_portfolio(ann)
    round_trip(portfolio)
    alone = queries(client)
    for number in range(100):
        make_position(portfolio, symbol=f"S{number}")
        make_quote(f"S{number}", "100", at=later(24 * 60 + number))
    write_snapshots()
    make_quote("S1", "101", at=later(48 * 60))
    assert queries(client) <= alone <= 15
    assert "Page 1 of 3" in page(client)


def queries(client: Client) -> int:
    page(client)
    with CaptureQueriesContext(connection) as captured:
        page(client)
    return len(captured)
