"""Why not, on the timeline; the storm, on the pages of a portfolio and of a new cell: what they say and cost."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portfolios.models import Event, Portfolio, Position
from portfolios.services.positions import pause
from tests.factories import NOON, make_portfolio, make_position, make_quote, make_user
from tests.market import later, tick

pytestmark = pytest.mark.django_db


@pytest.fixture
def cell() -> Position:
    """A skip for its size at 103, and a quiet minute at 102.61 after it."""
    found = make_position(make_portfolio(make_user("ann")), anchor="100", min_notional="1200")
    for minute, price in enumerate(["103", "102.61"]):
        make_quote(price=price, at=later(minute))
        tick(found)
    return found


def page(user: str, address: str) -> str:
    client = Client()
    client.force_login(make_user(user) if user == "eve" else Position.objects.first().portfolio.owner)
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().replace("&nbsp;", " ").replace("\u00a0", " ").split())


def test_a_skip_links_to_what_would_have_had_to_differ_and_says_it(cell: Position) -> None:
    address = f"/positions/{cell.public_id}/timeline"
    skip = Event.objects.of(cell).get(type="skipped")
    plain = page("ann", address)
    assert f"?why={skip.seq}&amp;show=all#event-{skip.seq}" in plain
    assert "It would have" not in plain
    told = page("ann", f"{address}?why={skip.seq}")
    assert f'id="event-{skip.seq}" open' in told
    assert "or with the smallest order of $985.43" in told or "with the smallest order of $985.43" in told


def test_the_newest_price_is_asked_about_written_down_or_not(cell: Position) -> None:
    cell.refresh_from_db()
    address = f"/positions/{cell.public_id}/timeline?why=now"
    told = page("ann", address)
    assert "It would have" in told
    assert "$102.61" in told
    pause(position_id=cell.pk, market_at=NOON, actor="user:ann", reason="so")
    make_quote(price="70", at=later(3))
    tick(cell)
    told = page("ann", address)
    assert "had the cell not been paused" in told


def test_a_quiet_minute_names_price_and_trigger() -> None:
    quiet = make_position(make_portfolio(make_user("ann")), anchor="100")
    make_quote(price="102.61")
    tick(quiet)
    told = page("ann", f"/positions/{quiet.public_id}/timeline?why=now")
    assert "It would have sold at $103.00 (+0.38 %), or with a sell trigger of 2.61 %" in told
    assert "it would have bought at $97.00 (−5.47 %)" in told


@pytest.mark.parametrize("which", ["0", "1", "99", "-1", "x", "٣", "9" * 30, ""])
def test_what_was_no_evaluation_shows_the_timeline_as_it_is(cell: Position, which: str) -> None:
    assert "It would have" not in page("ann", f"/positions/{cell.public_id}/timeline?why={which}")


def test_asking_costs_the_same_for_a_long_log(cell: Position) -> None:
    client = Client()
    client.force_login(cell.portfolio.owner)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/positions/{cell.public_id}/timeline?why=now")
        counts.append(len(queries))
        for minute in range(10, 40):
            make_quote(price=f"{100 + minute % 2}.5", at=later(minute))
            tick(cell)
    assert counts[0] == counts[1]


@pytest.fixture
def portfolio() -> Portfolio:
    found = make_portfolio(make_user("ann"))
    make_position(found, anchor="100")
    make_quote(price="100")
    return found


def test_a_few_cells_are_rehearsed_at_once(portfolio: Portfolio) -> None:
    told = page("ann", f"/portfolios/{portfolio.public_id}")
    assert "Were prices to halve, $20,000.00 would be" in told
    assert "no cell runs dry" in told
    assert told.count('<th scope="row">') >= 8


def test_many_cells_wait_to_be_asked_and_cost_no_more_queries(portfolio: Portfolio) -> None:
    for number in range(12):
        make_position(portfolio, symbol=f"S{number}", anchor="100")
        make_quote(f"S{number}", "100")
    client = Client()
    client.force_login(portfolio.owner)
    address = f"/portfolios/{portfolio.public_id}"
    assert "?storm=yes#storm" in client.get(address).content.decode()
    with CaptureQueriesContext(connection) as quiet:
        client.get(address)
    with CaptureQueriesContext(connection) as asked:
        told = client.get(f"{address}?storm=yes").content.decode()
    assert "Were prices to halve" in told
    assert len(asked) == len(quiet)


def test_the_page_of_a_new_cell_rehearses_it(portfolio: Portfolio) -> None:
    told = page("ann", "/positions/new?ticker=IBM&cash=10000&shares=0")
    assert "Were prices to halve" in told
    assert "Through a storm" not in page("ann", "/positions/new?ticker=NOWHERE&cash=10000")
