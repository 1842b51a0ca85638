"""A cell whose stock has no price yet says so, and what to do."""

import pytest

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
