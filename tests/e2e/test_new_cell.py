"""From the sign-in to a running cell; settings that answer while somebody types: on any width, by keyboard alone."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from portfolios.models import Position
from tests.e2e.test_pages import findings, reach
from tests.e2e.town import AXE, PASSWORD, Town, sign_in, walk
from trading.models import Order

pytestmark = pytest.mark.django_db
TWO_MINUTES = 120


@pytest.fixture(params=[1280, 400])
def newcomer(request, browser: Browser, complaints: list[str]) -> Iterator[Page]:
    """A window of somebody who has signed in to nothing yet."""
    context = browser.new_context(viewport={"width": request.param, "height": 900})
    yield listened(context, complaints)
    context.close()
    assert complaints == []


def listened(context: BrowserContext, complaints: list[str]) -> Page:
    context.set_default_timeout(10_000)
    context.add_init_script(path=AXE)
    context.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    return context.new_page()


def newest_cell() -> Position:
    return Position.objects.order_by("-pk")[0]


def test_a_newcomer_has_a_running_cell_in_two_minutes(newcomer: Page, town: Town):
    began = time.monotonic()
    sign_in(newcomer, town, "newcomer")
    newcomer.get_by_role("link", name="New cell").first.click()
    newcomer.get_by_label("Ticker").press_sequentially("ibm", delay=30)
    expect(newcomer.get_by_text("being all cash it first buys")).to_be_visible()
    expect(newcomer.locator("#hint-ticker")).to_contain_text("The IBM company")
    newcomer.get_by_label("Careful").check()
    newcomer.get_by_label("Deposit, in dollars").fill("5000")
    expect(newcomer.locator("#preview")).to_contain_text("up to 35")
    expect(newcomer.locator("#preview")).to_contain_text("$5,000.00 in all")
    expect(newcomer.get_by_role("img", name="Worth from")).to_be_visible()
    assert findings(newcomer) == []
    newcomer.get_by_role("button", name="Open the cell").click()
    expect(newcomer.get_by_role("heading", name="IBM", exact=True)).to_be_visible()
    assert time.monotonic() - began < TWO_MINUTES
    walk(steps=1)
    assert Order.objects.get(position=newest_cell()).status == "filled"


def test_the_keyboard_alone_opens_a_cell(browser: Browser, town: Town, complaints: list[str]):
    context = browser.new_context()
    page = listened(context, complaints)
    page.goto(f"{town.url}/login")
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("newcomer")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{town.url}/")
    reach(page, "New cell")
    page.keyboard.press("Enter")
    page.wait_for_url("**/positions/new")
    expect(page.get_by_label("Ticker")).to_be_focused()
    page.keyboard.type("AAPL")
    expect(page.get_by_role("button", name="Open the cell")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Active")).to_be_checked()
    expect(page.locator("#preview")).to_contain_text("up to 20")
    reach(page, "Open the cell")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="AAPL", exact=True)).to_be_visible()
    assert newest_cell().settings_version.given["trigger_up"] == "0.02"
    context.close()
    assert complaints == []


def test_without_javascript_a_cell_opens_in_one_step_more(browser: Browser, town: Town, signed_in):
    context = browser.new_context(storage_state=signed_in, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{town.url}/positions/new")
    page.get_by_label("Ticker").fill("IBM")
    page.get_by_label("Stock it holds already, if any").fill("12.5")
    page.get_by_role("button", name="Show what it would do").click()
    expect(page.locator("#preview")).to_contain_text("being outside its guardrails it first buys")
    page.get_by_role("button", name="Open the cell").click()
    expect(page.get_by_role("heading", name="IBM", exact=True)).to_be_visible()
    assert newest_cell().shares == 12_500_000
    context.close()


def test_what_is_typed_stays_while_the_preview_moves(page: Page, town: Town):
    page.goto(f"{town.url}/positions/new?ticker=IBM")
    field = page.get_by_label("Deposit, in dollars")
    field.fill("")
    field.press_sequentially("12345.67", delay=120)
    expect(page.locator("#preview")).to_contain_text("$12,345.67 in all")
    expect(field).to_have_value("12345.67")
    expect(field).to_be_focused()
    field.fill("1e9")
    expect(page.locator("#hint-cash")).to_contain_text("Must be a plain number")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("button", name="Open the cell")).to_have_count(0)
    field.fill("500")
    expect(field).not_to_have_attribute("aria-invalid", "true")


def test_settings_answer_while_somebody_types_and_keep_their_versions(page: Page, town: Town):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{town.url}{town.ibm}/settings")
    page.get_by_label("Ratio (%)").fill("7")
    expect(page.locator("#effect")).to_contain_text("About 7.0\u00a0% of the cell per trigger")
    page.get_by_label("Least stock share").fill("90")
    expect(page.locator("#effect")).to_contain_text("must be below guardrail_high")
    expect(page.get_by_label("Least stock share")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Least stock share").fill("")
    expect(page.get_by_label("Least stock share")).not_to_have_attribute("aria-invalid", "true")
    page.get_by_label("Note for the others").fill("a little more")
    page.get_by_role("button", name="Save as version").click()
    expect(page.get_by_text("is saved and rules from the next price on")).to_be_visible()
    expect(page.get_by_text("Ratio: inherited to 7")).to_be_visible()
    assert not any("csrf" in address for address in asked)
    assert findings(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_is_content_with_the_pages_that_create_and_set(page: Page, town: Town, scheme):
    page.emulate_media(color_scheme=scheme)
    portfolio = newest_cell_of_ann().portfolio.public_id
    for path in (
        "/positions/new",
        "/positions/new?ticker=IBM&stock=x&cash=-1",
        "/portfolios/new",
        f"/portfolios/{portfolio}",
        f"/portfolios/{portfolio}/settings?typed=1&trigger_up=99",
        f"{town.ibm}/settings",
    ):
        page.goto(town.url + path)
        assert findings(page) == [], path
        for width in (360, 1280) if scheme == "light" else ():
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_is_content_with_what_is_refused(page: Page, town: Town, scheme, complaints):
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{town.url}{town.aapl}/settings")
    page.get_by_label("Ratio (%)").fill("8")
    elsewhere = page.context.new_page()
    elsewhere.goto(f"{town.url}{town.aapl}/settings")
    elsewhere.get_by_label("Ratio (%)").fill("9")
    elsewhere.get_by_role("button", name="Save as version").click()
    elsewhere.get_by_text("is saved and rules from the next price on").wait_for()
    page.get_by_role("button", name="Save as version").click()
    expect(page.get_by_role("heading", name="Somebody was faster")).to_be_visible()
    assert findings(page) == []
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.goto(f"{town.url}/portfolios/new")
    page.get_by_label("Name").fill("   ")
    page.get_by_role("button", name="Open the portfolio").click()
    expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    assert findings(page) == []
    assert all("409" in complaint or "422" in complaint for complaint in complaints)
    complaints.clear()


def newest_cell_of_ann() -> Position:
    return Position.objects.filter(portfolio__owner__username="ann").order_by("-pk")[0]
