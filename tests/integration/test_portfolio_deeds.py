"""An owner renames his portfolio on its page, and closes it once its cells are."""

import pytest
from django.urls import reverse

from portfolios.models import Event, Portfolio, Role
from portfolios.services.portfolios import add_member
from tests.factories import make_portfolio, make_position, make_user
from tests.integration.browsing import page, signed_in
from trading.services.closing import close_position

pytestmark = pytest.mark.django_db


@pytest.fixture
def portfolio() -> Portfolio:
    return make_portfolio(make_user("ann"))


@pytest.fixture
def client(portfolio):
    return signed_in(portfolio.owner)


def deed(client, portfolio, act, **typed):
    answer = client.post(reverse(f"{act}-portfolio", args=[portfolio.public_id]), typed, follow=True)
    assert answer.redirect_chain == [(reverse("portfolio", args=[portfolio.public_id]), 302)]
    portfolio.refresh_from_db()
    return answer.content.decode()


def test_a_portfolio_is_renamed_on_its_page_and_the_log_says_by_whom(client, portfolio):
    before = portfolio.name
    html = deed(client, portfolio, "rename", name="  Old   age ")
    assert "It is called Old age now." in html
    assert portfolio.name == "Old age"
    event = Event.objects.filter(portfolio=portfolio).latest("pk")
    assert (event.actor, event.content["inputs"]) == ("user:ann", {"before": before, "after": "Old age"})


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "\u202eevil", "a\x00b"])
def test_a_name_that_cannot_be_read_is_not_taken(client, portfolio, name):
    before = portfolio.name
    assert "The name must be 1 to 80 printable characters." in deed(client, portfolio, "rename", name=name)
    assert portfolio.name == before


def test_a_portfolio_closes_when_its_cells_are_closed_and_somebody_means_it(client, portfolio):
    cell = make_position(portfolio)
    assert "It can be closed once its cells are: 1 left." in page(client, "portfolio", portfolio)
    assert "Close its cells first: 1 left." in deed(client, portfolio, "close", sure="on")
    close_position(position_id=cell.pk, actor="user:ann", reason="done")
    assert "Close the portfolio" in page(client, "portfolio", portfolio)
    assert "tick the box" in deed(client, portfolio, "close")
    assert portfolio.state == Portfolio.Status.ACTIVE
    assert "The portfolio is closed." in deed(client, portfolio, "close", sure="on")
    assert portfolio.state == Portfolio.Status.CLOSED
    html = page(client, "portfolio", portfolio)
    assert ("Close the portfolio" in html, "Open a cell" in html, "This portfolio is closed." in html) == (
        False,
        False,
        True,
    )


def test_whoever_does_not_own_it_is_offered_neither(portfolio):
    bob = make_user("bob")
    add_member(portfolio=portfolio, user=bob, role=Role.TRADER, actor="user:ann")
    assert "Name and end" not in page(signed_in(bob), "portfolio", portfolio)
