"""A cell whose stock has no price yet says so, and what to do."""

from datetime import UTC, datetime

import pytest
import time_machine

from portfolios.models import Position
from tests.factories import make_portfolio, make_position, make_quote, make_user
from tests.integration.browsing import page, signed_in
from trading.market.models import Instrument

pytestmark = pytest.mark.django_db


@pytest.fixture
def cell() -> Position:
    return make_position(make_portfolio(make_user("ann"), bob="viewer"), symbol="ZIM", anchor="15")


def words(name: str, cell: Position) -> str:
    owner = cell.portfolio.owner
    return " ".join(page(signed_in(owner), name, cell).split())


def test_a_cell_without_a_price_says_so_and_what_to_do(cell):
    html = words("cockpit", cell)
    assert "No price yet for ZIM." in html
    assert "close this cell" in html
    assert html.count("No price yet: the chart begins with the first one") == 1
    assert "is there" not in html
    assert "or below" not in html
    assert "from the anchor, while there is no price" in html


def test_a_known_stock_is_waited_for_and_who_may_only_look_is_told_no_deeds(cell):
    bob = signed_in(cell.portfolio.memberships.get(user__username="bob").user)
    assert "No price yet for ZIM." in page(bob, "cockpit", cell)
    assert "close this cell" not in page(bob, "cockpit", cell)
    Instrument.objects.create(symbol="ZIM", name="ZIM Integrated")
    assert "may never come" not in words("cockpit", cell)


def test_with_its_first_price_the_page_is_as_any_other(cell):
    make_quote("ZIM", "15")
    html = words("cockpit", cell)
    assert "No price yet" not in html
    assert "hidden><div" not in html


FRIDAY, SATURDAY = datetime(2026, 11, 20, 15, tzinfo=UTC), datetime(2026, 11, 21, 15, tzinfo=UTC)


def test_a_live_cell_says_whose_prices_it_waits_for_and_when_they_come(cell, settings):
    settings.ALPACA_DATA_KEY, settings.ALPACA_DATA_SECRET = "key", "secret"
    for row in (cell, cell.portfolio):
        type(row).objects.filter(pk=row.pk).update(source="alpaca-1min")
    with time_machine.travel(SATURDAY):
        html = words("cockpit", cell)
        assert "<strong>Live prices</strong>" in html
        assert "Alpaca, each minute. The exchange is closed and opens on 23 Nov 2026, 09:30 New York." in html
        assert "Prices come once the exchange opens, on 23 Nov 2026, 09:30 New York." in html
        assert "Replayed history" not in html
        assert "Live prices" in words("timeline", cell)
    with time_machine.travel(FRIDAY):
        assert "The exchange is in its session." in words("cockpit", cell)


def test_a_live_cell_says_what_the_house_lacks(cell, settings, monkeypatch):
    settings.ALPACA_DATA_KEY = ""
    monkeypatch.setattr("trading.market.feeds.find_spec", lambda _: None)
    type(cell).objects.filter(pk=cell.pk).update(source="yahoo-1min")
    lacks = "the library yfinance or keys for Alpaca&#x27;s market data"
    html = words("cockpit", cell)
    assert f"None comes before this house has {lacks}." in html
    assert f"None come yet: this house lacks {lacks}." in html
