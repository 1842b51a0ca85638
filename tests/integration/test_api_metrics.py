"""The metrics by API: what they say to whom, as JSON and as text for scrapers."""

import pytest
from django.conf import settings
from django.test import Client

from reporting.snapshots import write_snapshots
from tests.factories import bearer, make_portfolio, make_position, make_quote, make_user
from tests.market import later, make_fallen_cell, tick
from trading.domain.choices import Side
from trading.services.ordering import place_order

pytestmark = pytest.mark.django_db
SCRAPER = "a-long-token-for-the-scraper"
TEXT = {"Accept": "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"}


@pytest.fixture
def ann():
    return make_user("ann")


@pytest.fixture
def client(ann) -> Client:
    return Client(headers=bearer(ann, ["read"]))


@pytest.fixture
def scrape_token(monkeypatch, empty_cache):
    monkeypatch.setattr(settings, "SCRAPE_TOKEN", SCRAPER)
    return {"Authorization": f"Bearer {SCRAPER}"}


def trade(owner, **traits):
    """Bought 10.4687 at 97 decided at 97, then sold a day later at 101: one cell, two trades, one round trip."""
    cell = make_fallen_cell(portfolio=make_portfolio(owner), **traits)
    tick(cell)
    make_quote("IBM", "101", at=later(24 * 60))
    tick(cell)
    return cell


def test_the_six_are_there_with_what_belongs_to_them(ann, client):
    trade(ann)
    told = client.get("/v1/metrics").json()
    assert told["slippage_bps"] == 0.0
    assert told["hit_rate"] == 1.0
    assert told["guardrail_time_pct"] == 0.0
    assert told["min_notional_skips"] == 0
    assert 35 < told["turnover"] < 38  # two trades of about 5 % of the cell in one day, 365 times a year
    assert told["fee_drag"] == pytest.approx(told["turnover"] / 10_000, rel=0.01)  # one basis point
    assert told["cells"] == 1
    assert float(told["value"]) == pytest.approx(19_700 + float(told["profit"]))  # it began at 97 with 100 shares
    assert told["definitions"] == "/docs/concepts/metrics"


def test_a_number_that_cannot_be_measured_is_null_and_not_nought(client):
    told = client.get("/v1/metrics").json()
    assert (told["slippage_bps"], told["hit_rate"], told["turnover"], told["cells"]) == (None, None, None, 0)


def test_the_figures_are_of_the_cells_and_days_asked_for(ann, client):
    cell = trade(ann)
    other = make_position(make_portfolio(ann, name="Pension"), shares="0", cash="500")
    assert (
        client.get("/v1/metrics").json()["value"]
        != client.get(f"/v1/metrics?position_id={cell.public_id}").json()["value"]
    )
    assert client.get(f"/v1/metrics?portfolio_id={other.portfolio.public_id}").json()["value"] == "500"
    first_day = client.get("/v1/metrics?from=2007-01-03&to=2007-01-03").json()
    assert first_day["hit_rate"] is None  # sold on the day after
    assert first_day["period"] == {"from": "2007-01-03", "to": "2007-01-03"}
    assert client.get("/v1/metrics?preset=30").json()["period"] == {"from": "2006-12-06", "to": "2007-01-04"}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("preset=1d", 400, "invalid_parameters"),
        ("preset=30&from=2007-01-03", 400, "invalid_parameters"),
        ("from=2007-01-04&to=2007-01-03", 400, "invalid_parameters"),
        ("from=yesterday", 400, "invalid_parameters"),
        ("from=0001-01-01", 400, "invalid_parameters"),
        ("to=9999-12-31", 400, "invalid_parameters"),
        ("only=trades", 400, "invalid_parameters"),
        ("by=cell", 400, "invalid_parameters"),
        ("position_id=7", 400, "invalid_parameters"),
        ("position_id=00000000-0000-0000-0000-000000000000", 404, "position_not_found"),
        ("portfolio_id=00000000-0000-0000-0000-000000000000", 404, "portfolio_not_found"),
    ],
)
def test_a_question_it_does_not_understand_is_refused(client, query, status, code):
    answer = client.get(f"/v1/metrics?{query}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_strangers_cell_is_as_unknown_as_one_that_never_was(client):
    theirs = make_position(make_portfolio(make_user("bob")))
    unknown = client.get("/v1/metrics?position_id=00000000-0000-0000-0000-000000000000")
    assert client.get(f"/v1/metrics?position_id={theirs.public_id}").content == unknown.content
    assert client.get("/v1/metrics").json()["cells"] == 0


def test_the_form_may_be_said_in_the_address_too(ann, client):
    trade(ann)
    assert client.get("/v1/metrics?format=text")["Content-Type"].startswith("text/plain")
    assert client.get("/v1/metrics?format=json", headers=TEXT).json()["hit_rate"] == 1.0


def test_a_members_text_is_about_his_own_portfolios_alone(ann, client):
    mine, theirs = trade(ann), make_position(make_portfolio(make_user("bob")))
    answer = client.get("/v1/metrics", headers=TEXT)
    told = answer.content.decode()
    assert answer["Content-Type"].startswith("text/plain")
    assert f'vb_hit_rate{{portfolio="{mine.portfolio.public_id}"}} 1.0' in told
    assert f'vb_events_total{{portfolio="{mine.portfolio.public_id}"}}' in told
    assert str(theirs.portfolio.public_id) not in told
    assert "vb_queue_length" not in told
    assert "process_" not in told


def test_the_scraper_sees_the_whole_house_and_nobody_by_name(ann, scrape_token):
    cell = trade(ann)
    place_order(position_id=cell.pk, side=Side.BUY, quantity=10**6, limit=10**6, author=ann, actor="user:ann", key="k")
    answer = Client(headers=scrape_token).get("/v1/metrics")
    told = answer.content.decode()
    for line in (
        "vb_hit_rate 1.0",
        "vb_open_orders 1.0",
        'vb_cells{state="active"} 1.0',
        'vb_queue_length{queue="orders"}',
    ):
        assert line in told
    assert "vb_quote_age_seconds" in told
    assert "process_resident_memory_bytes" in told
    assert str(cell.portfolio.public_id) not in told
    assert "Savings" not in told


def test_a_wrong_scrape_token_opens_nothing_and_the_right_one_opens_nothing_else(ann, scrape_token):
    stranger = Client(headers={"Authorization": f"Bearer {SCRAPER[:-1]}"})
    assert stranger.get("/v1/metrics").status_code == 401
    assert Client(headers=scrape_token).get("/v1/positions").status_code == 401


def test_without_a_scrape_token_set_an_empty_one_is_refused():
    assert Client(headers={"Authorization": "Bearer "}).get("/v1/metrics").status_code == 401


def test_the_old_address_still_answers_and_names_the_new_one(ann, client):
    answer = client.get("/metrics")
    assert answer.json() == client.get("/v1/metrics").json()
    assert answer["Link"] == '</v1/metrics>; rel="successor-version"'
    assert "Deprecation" in answer


def test_the_queries_do_not_grow_with_cells_or_days(ann, client, django_assert_max_num_queries):
    portfolio = make_portfolio(ann)
    for number in range(30):
        make_position(portfolio, symbol=f"S{number}")
        make_quote(f"S{number}", "100", at=later(number))
    write_snapshots()
    make_quote("S1", "101", at=later(60))
    with django_assert_max_num_queries(12):
        assert client.get("/v1/metrics").json()["cells"] == 30
