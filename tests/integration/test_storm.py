"""The storm through its door and on the pages: what it says, who may ask, what it costs."""

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portfolios.models import Portfolio
from tests.factories import bearer, make_portfolio, make_position, make_quote, make_user
from trading.simulation.storm import scenarios

pytestmark = pytest.mark.django_db


@pytest.fixture
def portfolio() -> Portfolio:
    found = make_portfolio()
    make_position(found, anchor="100")
    make_position(found, symbol="KO", shares="50", cash="3000", anchor="60", guardrail_high="1", rebalance_ratio="0.3")
    make_position(found, symbol="UNKNOWN", shares="50")  # without a price it stays ashore
    make_quote(price="100")
    make_quote("KO", "60")
    return found


def asked(portfolio: Portfolio) -> list[dict[str, object]]:
    client = Client(headers=bearer(portfolio.owner))
    answer = client.get(f"/v1/portfolios/{portfolio.public_id}/storm")
    assert answer.status_code == 200
    return list(json.loads(answer.content)["scenarios"])


def test_eight_falls_and_their_way_back(portfolio: Portfolio) -> None:
    storms = asked(portfolio)
    assert [row["scenario"] for row in storms] == [row.name for row in scenarios()]
    fall = storms[2]
    assert (fall["fall"], fall["weeks"], fall["value"]) == ("0.35", 40, "26000")
    assert [row["ticker"] for row in fall["cells"]] == ["IBM", "KO"]
    assert float(fall["worst_value"]) < 26_000 > 0 < float(fall["cash_needed"])
    assert {row["ticker"] for row in storms[3]["dry"]} == {"KO"}


def test_an_empty_portfolio_has_none() -> None:
    assert asked(make_portfolio(make_user("eve"))) == []


def test_the_number_of_queries_does_not_grow_with_the_cells(portfolio: Portfolio) -> None:
    client = Client(headers=bearer(portfolio.owner))
    counts = []
    client.get("/v1/positions")  # the first request of a token writes down that it is used
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/v1/portfolios/{portfolio.public_id}/storm")
        counts.append(len(queries))
        for number in range(5):
            make_position(portfolio, symbol=f"S{number}", anchor="100")
            make_quote(f"S{number}", "100")
    assert counts[0] == counts[1]
