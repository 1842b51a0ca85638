"""The pages as a person meets them: in Chromium, on any width, by keyboard alone, in light and dark."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.town import AXE, PASSWORD, Town, sign_in, walk
from trading.market.models import MarketClock

pytestmark = pytest.mark.django_db
WIDTHS = (360, 400, 768, 1280)


def places(town: Town) -> dict[str, str]:
    return {
        "overview": "/",
        "cockpit": town.ibm,
        "timeline": f"{town.ibm}/timeline",
        "orders": "/orders",
        "reports": "/reports",
        "bars": "/data",
        "series": "/data/IBM/1day",
    }


def go(page: Page, town: Town, path: str) -> None:
    """To an address; where there are charts, until they have their figures."""
    page.goto(town.url + path)
    if page.locator("#chart").count():
        page.locator("#chart .chart[aria-label^='Price from']").wait_for()


def test_from_the_sign_in_to_the_calculation_of_a_trade(page: Page, town: Town):
    go(page, town, "/")
    expect(page.get_by_role("heading", name="Cells", exact=True)).to_be_visible()
    expect(page.get_by_text("Replayed history")).to_be_visible()
    page.get_by_role("link", name="IBM", exact=True).click()
    expect(page.get_by_role("heading", name="IBM", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Next buy")).to_be_visible()
    page.get_by_role("link", name="with their reasons").click()
    row = page.locator("main details").first
    row.locator("summary").click()
    expect(row.get_by_role("heading", name="What was known")).to_be_visible()
    expect(row.get_by_role("heading", name="What was decided")).to_be_visible()
    expect(row.get_by_text("No open order")).to_be_visible()
    page.get_by_label("Show").get_by_role("link", name="Dividends").click()
    expect(page.get_by_text("Ex-dividend, ").first).to_be_visible()


def test_nothing_is_wider_than_the_window(page: Page, town: Town):
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        for name, path in places(town).items():
            go(page, town, path)
            if name == "timeline":
                page.locator("main summary").first.click()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_complain_about(page: Page, town: Town, scheme):
    page.emulate_media(color_scheme=scheme)
    for name, path in places(town).items():
        go(page, town, path)
        if name == "timeline":
            page.locator("main summary").first.click()
        assert findings(page) == [], name


def test_axe_is_content_with_the_doors(browser: Browser, town: Town):
    context = browser.new_context()
    context.add_init_script(path=AXE)
    page = context.new_page()
    for path in ("/login", "/nothing-here"):
        page.goto(town.url + path)
        assert findings(page) == [], path
    page.goto(f"{town.url}/login")
    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert findings(page) == []
    context.close()


def findings(page: Page) -> list[str]:
    report = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{found['id']}: {found['nodes'][0]['html'][:160]}" for found in report["violations"]]


def test_the_keyboard_alone_is_enough(browser: Browser, town: Town):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{town.url}/login")
    page.keyboard.type("ann")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{town.url}/")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to content"
    page.keyboard.press("Enter")
    reach(page, "IBM")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{town.ibm}")
    reach(page, "Timeline")
    page.keyboard.press("Enter")
    page.wait_for_url("**/timeline")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('main summary')"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("details[open]")).to_have_count(1)
    context.close()


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.textContent.trim()"))


def reach(page: Page, text: str) -> None:
    """Tab until the focus is on what reads so, and see that the focus can be seen."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if focused(page) == text:
            break
    assert focused(page) == text
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_the_page_moves_with_the_market_and_the_focus_stays(page: Page, town: Town):
    go(page, town, "/")
    link = page.get_by_role("link", name="AAPL", exact=True)
    link.focus()
    before = page.locator("#banner time").get_attribute("datetime")
    walk(steps=4)
    expect(page.locator("#banner time")).not_to_have_attribute("datetime", before)
    assert focused(page) == "AAPL"
    expect(link).to_be_focused()


def test_the_chart_grows_with_the_market(page: Page, town: Town):
    go(page, town, town.ibm)
    before = page.locator("#chart .chart").get_attribute("aria-label")
    walk(steps=2)
    expect(page.locator("#chart .chart")).not_to_have_attribute("aria-label", before)
    page.get_by_role("button", name="3 months").click()
    expect(page.get_by_role("button", name="3 months")).to_have_attribute("aria-pressed", "true")


def test_who_does_not_follow_is_left_in_peace(page: Page, town: Town):
    go(page, town, "/")
    page.get_by_label("Follow").uncheck()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2_500)
    assert asked == []


def test_the_replay_is_paused_and_resumed_from_the_overview(page: Page, town: Town):
    go(page, town, "/")
    page.get_by_role("button", name="Pause the replay").click()
    expect(page.get_by_text("Nothing moves until you resume it")).to_be_visible()
    assert not MarketClock.objects.get().running
    page.get_by_role("button", name="Resume the replay").click()
    expect(page.get_by_role("button", name="Pause the replay")).to_be_visible()
    assert MarketClock.objects.get().running


def test_without_javascript_all_but_the_charts_works(browser: Browser, town: Town, signed_in):
    context = browser.new_context(storage_state=signed_in, java_script_enabled=False)
    page = context.new_page()
    page.goto(town.url + town.ibm)
    expect(page.locator("#chart noscript p")).to_be_visible()
    expect(page.get_by_role("heading", name="Latest trades")).to_be_visible()
    page.goto(town.url)
    page.get_by_role("button", name="Pause the replay").click()
    page.get_by_role("button", name="Resume the replay").click()
    expect(page.get_by_role("button", name="Pause the replay")).to_be_visible()
    context.close()


def test_a_newcomer_is_told_what_to_do_next(browser: Browser, town: Town):
    context = browser.new_context(viewport={"width": 360, "height": 800})
    page = context.new_page()
    sign_in(page, town, "newcomer")
    expect(page.get_by_role("heading", name="No cells yet")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.goto(town.url + town.ibm)
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    context.close()


def test_a_lost_connection_is_said_and_so_is_its_return(page: Page, town: Town, complaints):
    go(page, town, "/")
    page.context.set_offline(True)
    expect(page.get_by_text("The connection is lost")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_text("The connection is lost")).to_be_hidden()
    assert all("ERR_INTERNET_DISCONNECTED" in complaint or "fetch" in complaint for complaint in complaints)
    complaints.clear()
