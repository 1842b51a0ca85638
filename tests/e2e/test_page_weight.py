"""No page weighs more than 150 KB on the line: itself with its styles, scripts and drawings, compressed."""

import gzip

import pytest
from playwright.sync_api import BrowserContext, Page, Response, expect

from portfolios.models import Position
from tests.e2e.town import Town, walk

pytestmark = pytest.mark.django_db
LIMIT = 150_000
COUNTED = ("text/html", "text/css", "javascript", "image/svg")


def addresses(town: Town) -> list[str]:
    portfolio = f"/portfolios/{Position.objects.filter(portfolio__owner__username='ann')[0].portfolio.public_id}"
    lists = [
        "/",
        "/orders",
        "/dividends",
        "/reports",
        "/simulations",
        "/simulations/new",
        "/exports",
        "/audit",
        "/settings",
        "/settings/password",
    ]
    ours = [portfolio, f"{portfolio}/settings", f"{portfolio}/members", "/portfolios/new", "/positions/new?ticker=IBM"]
    cell = [town.ibm, *(f"{town.ibm}/{page}" for page in ("timeline", "settings", "act/buy?qty=1", "act/close"))]
    return [*lists, *ours, *cell, "/password/reset"]


def test_no_page_is_heavier_than_150_kilobytes(context: BrowserContext, town: Town):
    for address in addresses(town):
        weight = weight_of(context, town.url + address)
        assert 0 < weight <= LIMIT, (address, weight)


def weight_of(context: BrowserContext, url: str) -> int:
    """In a tab of its own: a browser asks for the icon after the page has loaded, and a tab that has moved on by then
    has let go of what came.
    """
    page = context.new_page()
    came: list[Response] = []
    page.on("response", lambda answer: came.append(answer))
    page.goto(url, wait_until="load")
    counted = {answer.url: answer for answer in came if is_counted(answer)}
    weight = sum(len(gzip.compress(answer.body(), 6)) for answer in counted.values())
    page.close()
    return weight


def is_counted(answer: Response) -> bool:
    return answer.status == 200 and any(kind in answer.headers.get("content-type", "") for kind in COUNTED)


def test_the_browser_finds_an_icon(page: Page, town: Town):
    page.goto(town.url)
    icon = page.locator("link[rel=icon]").get_attribute("href")
    answer = page.request.get(town.url + icon)
    assert (answer.status, "svg" in answer.headers["content-type"]) == (200, True)


def test_the_log_grows_by_itself_and_a_filter_half_chosen_stays(page: Page, town: Town):
    page.goto(f"{town.url}/audit")
    newest = page.locator("main details").first
    before = newest.get_attribute("id")
    page.get_by_label("To", exact=True).fill("2030-01-01")
    walk(steps=12)
    expect(newest).not_to_have_attribute("id", str(before))
    expect(page.get_by_label("To", exact=True)).to_have_value("2030-01-01")
