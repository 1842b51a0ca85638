"""The plug pulled and put back in, a proposal answered, books that differ, the past: in Chromium, on any width."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from portfolios.domain.amounts import micros
from portfolios.models import Portfolio, User
from portfolios.services.portfolios import create_portfolio
from portfolios.services.positions import create_position
from tests.e2e.town import STANDS, Town, walk_here
from trading.brokers.models import PaperOrder
from trading.market.selectors import market_now
from trading.models import Order
from trading.services.proposals import set_approve_first
from trading.services.reconciliation import reconcile_account

pytestmark = pytest.mark.django_db
WIDTHS = (360, 400, 1280)


class Trouble(NamedTuple):
    proposal: str
    account: str


@pytest.fixture(scope="module")
def trouble(town: Town) -> Trouble:
    """In a thread, because a test's own transaction is never committed."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(make_trouble).result()


def make_trouble() -> Trouble:
    careful = create_portfolio(owner=User.objects.get(username="ann"), name="Careful")
    set_approve_first(portfolio_id=careful.pk, on=True, actor="user:ann")
    cell = create_position(
        portfolio_id=careful.pk,
        symbol="IBM",
        shares=0,
        cash=micros("5000"),
        anchor=micros("110"),
        market_at=market_now("replay"),
        opened_on=STANDS,
        actor="user:ann",
    )
    walk_here(1)
    order = Order.objects.get(position=cell, status="proposed")
    account = Portfolio.objects.get(name="Blue chips").account
    theirs = PaperOrder.objects.create(
        account=account.code,
        client_order_id="vb-nobody",
        symbol="IBM",
        side="BUY",
        quantity=micros("3"),
        filled_quantity=micros("3"),
        status="filled",
        accepted_at=market_now("replay"),
    )
    theirs.executions.create(
        execution_id="vb-nobody-1", quantity=micros("3"), price=micros("90"), at=market_now("replay")
    )
    assert reconcile_account(account_id=account.pk, why="person", patience=0).outcome == "frozen"
    connection.close()
    return Trouble(f"/orders/{order.public_id}", f"/accounts/{account.public_id}")


def findings(page: Page) -> list[str]:
    report = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{found['id']}: {found['nodes'][0]['html'][:160]}" for found in report["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_is_content_and_nothing_is_wider_than_the_window(
    page: Page, town: Town, trouble: Trouble, scheme: Any
) -> None:
    page.emulate_media(color_scheme=scheme)
    places = ["/console", "/accounts", trouble.account, f"{trouble.account}/books", trouble.proposal]
    then = "as_of=2007-02-01T12:00"
    for path in [*places, f"{town.ibm}?{then}", f"{town.ibm}/timeline?{then}"]:
        page.goto(town.url + path)
        for summary in page.locator("main details.act summary").all():
            summary.click()
        assert findings(page) == [], path
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)


def test_the_plug_is_pulled_seen_everywhere_and_put_back_in(page: Page, town: Town, trouble: Trouble) -> None:
    page.set_viewport_size({"width": 400, "height": 900})
    page.goto(f"{town.url}/console")
    page.get_by_label("What", exact=True).select_option(label="Blue chips")
    page.get_by_label("Reason").fill("a price that cannot be")
    page.get_by_role("button", name="Halt now").click()
    page.goto(f"{town.url}/orders")
    banner = page.get_by_label("Halts")
    expect(banner).to_contain_text("Trading is halted over the portfolio Blue chips")
    assert findings(page) == []
    banner.get_by_role("link", name="Go to the console").click()
    page.get_by_label("Why may it trade again?").fill("it was a split")
    page.get_by_role("button", name="Arm again").click()
    expect(page.get_by_text("Nothing is halted.")).to_be_visible()


def test_a_double_click_approves_once(page: Page, town: Town, trouble: Trouble) -> None:
    page.goto(town.url + trouble.proposal)
    page.get_by_role("button", name="Approve: buy").dblclick()
    expect(page.get_by_role("status").filter(has_text="approved").first).to_be_visible()
    expect(page.get_by_text("Order written", exact=False)).to_have_count(1)
    assert page.locator(".messages .error").count() == 0


def test_the_past_stays_the_past_from_page_to_page(page: Page, town: Town) -> None:
    page.goto(town.url + town.ibm)
    page.get_by_label("See this cell as it was on").fill("2007-02-01T12:00")
    page.locator("#as-of").get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Timeline until then").click()
    expect(page.get_by_text("As of 1 Feb 2007, 12:00 New York.")).to_be_visible()
    page.get_by_label("Show", exact=True).get_by_role("link", name="Trades").click()
    expect(page.get_by_text("As of 1 Feb 2007, 12:00 New York.")).to_be_visible()
    page.get_by_role("link", name="Back to now").click()
    expect(page.get_by_role("heading", name="Timeline of IBM", exact=True)).to_be_visible()
