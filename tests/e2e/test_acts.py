"""Steering a cell in Chromium: foreseen, confirmed, taken back; by keyboard alone, on a phone, without a complaint."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.town import Town

pytestmark = pytest.mark.django_db


def findings(page: Page) -> list[str]:
    report = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{found['id']}: {found['nodes'][0]['html'][:160]}" for found in report["violations"]]


def pages(town: Town) -> dict[str, str]:
    acts = {"buy": "?qty=5", "sell": "?qty=99999", "pause": "?reason=so", "adjust": "", "evaluate": ""}
    places = {name: f"{town.ibm}/act/{name}{typed}" for name, typed in acts.items()}
    return places | {
        "orders": "/orders",
        "dividends": "/dividends",
        "audit": "/audit",
        "console": "/console",
        "cockpit": town.ibm,
    }


def test_axe_is_content_and_nothing_is_wider_than_the_window(page: Page, town: Town):
    for name, path in pages(town).items():
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(town.url + path)
        if name == "audit":
            page.locator("main summary").first.click()
        assert findings(page) == [], name
        page.set_viewport_size({"width": 360, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name


def test_axe_is_content_in_the_dark(page: Page, town: Town):
    page.emulate_media(color_scheme="dark")
    for name in ("buy", "sell", "console", "cockpit"):
        page.goto(town.url + pages(town)[name])
        assert findings(page) == [], name


def test_a_purchase_by_hand_is_foreseen_confirmed_and_taken_back(page: Page, town: Town):
    page.set_viewport_size({"width": 400, "height": 900})
    page.goto(town.url + town.ibm)
    page.get_by_role("link", name="Buy", exact=True).click()
    page.get_by_label("Shares").fill("1,5")
    page.get_by_role("button", name="See what it comes to").click()
    expect(page.get_by_role("alert")).to_contain_text("Must be a plain number")
    expect(page.get_by_label("Shares")).to_have_value("1,5")
    page.get_by_label("Shares").fill("1.5")
    page.get_by_label("Limit").fill("10")
    page.get_by_role("button", name="See what it comes to").click()
    expect(page.get_by_text("the order waits for its limit")).to_be_visible()
    expect(page.get_by_role("row", name="Stock share")).to_be_visible()
    page.get_by_role("button", name="Yes, buy").dblclick()
    expect(page.get_by_role("status").first).to_contain_text("Order written: buy 1.5 shares")
    page.get_by_role("link", name="Buy order new").click()
    page.get_by_text("Cancel this order").click()
    page.get_by_role("button", name="Yes, cancel it").click()
    expect(page.get_by_text("The order is cancelled.")).to_be_visible()
    page.goto(f"{town.url}/orders?origin=person")
    expect(page.get_by_role("row")).to_have_count(2)  # the head, and one order however often it was clicked


def test_by_keyboard_alone_a_cell_is_paused_and_resumed(page: Page, town: Town):
    page.goto(town.url + town.aapl)
    for act, state in (("Pause", "The cell is paused"), ("Resume", "The cell is active again")):
        reach(page, act)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/act/{act.lower()}")
        expect(page.get_by_label("Reason")).to_be_focused()
        page.keyboard.type("holiday")
        page.keyboard.press("Enter")
        page.wait_for_url("**?reason=holiday")
        reach(page, f"Yes, {act.lower()}")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{town.aapl}")
        expect(page.get_by_role("status").first).to_contain_text(state)


def reach(page: Page, text: str) -> None:
    """Tab until the focus is on what reads so."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == text:
            return
    raise AssertionError(f"no way to {text} by keyboard")


def test_the_menu_of_a_phone_opens_without_javascript(browser: Browser, town: Town, signed_in):
    size = {"width": 360, "height": 700}
    context = browser.new_context(storage_state=signed_in, java_script_enabled=False, viewport=size)
    page = context.new_page()
    page.goto(f"{town.url}/orders")
    page.locator("summary", has_text="Menu").click()
    expect(page.get_by_label("Menu").get_by_role("link", name="Orders")).to_have_attribute("aria-current", "page")
    page.get_by_label("Menu").get_by_role("link", name="Dividends").click()
    expect(page.get_by_role("heading", name="Dividends", exact=True)).to_be_visible()
    context.close()


def test_the_chain_is_verified_by_a_click(page: Page, town: Town):
    page.goto(f"{town.url}/audit")
    page.get_by_role("button", name="Verify the chain").click()
    expect(page.get_by_role("heading", name="The log holds")).to_be_visible()
    assert findings(page) == []


def test_a_portfolio_is_opened_renamed_and_closed_on_its_page(page: Page, town: Town):
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"{town.url}/portfolios/new")
    page.get_by_label("Name", exact=True).fill("Holidays")
    page.get_by_role("button", name="Open the portfolio").click()
    page.goto(town.url)
    page.get_by_role("link", name="Holidays").first.click()
    page.get_by_label("Name", exact=True).fill("Journeys")
    page.get_by_role("button", name="Rename it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Journeys")
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_label("Close it for good").check()
    page.get_by_role("button", name="Close the portfolio").click()
    expect(page.get_by_text("The portfolio is closed.")).to_be_visible()
    expect(page.get_by_role("button", name="Close the portfolio")).to_have_count(0)


def test_the_plug_is_pulled_and_put_back_in_by_keyboard(page: Page, town: Town):
    page.goto(town.url + town.ibm)
    page.locator("#more-acts > summary").click()
    page.locator("#act-halt").click()
    expect(page.get_by_label("What", exact=True)).to_have_value(f"position:{town.ibm.rsplit('/', 1)[1]}")
    page.get_by_label("Reason", exact=True).fill("the news are bad")
    page.keyboard.press("Enter")
    expect(page.locator("#halted")).to_contain_text("the news are bad")
    assert findings(page) == []
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_label("Why may it trade again?").fill("all is well")
    page.keyboard.press("Enter")
    expect(page.locator("#halted")).to_be_hidden()
