"""Settings on a cell's own history in a browser: beside the form, without scripts, on any width, light and dark."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.test_pages import WIDTHS, findings
from tests.e2e.town import Town

pytestmark = pytest.mark.django_db
PATIENCE = 15_000


def try_settings(page: Page, town: Town, threshold: str) -> None:
    page.goto(f"{town.url}{town.ibm}/settings")
    page.get_by_label("Buy after a fall of").fill(threshold)
    page.get_by_label("Sell after a rise of").fill(threshold)
    page.get_by_role("button", name="Preview on own history").click()
    expect(page.get_by_role("heading", name="On its own history")).to_be_visible(timeout=PATIENCE)


def test_a_preview_comes_beside_what_is_typed_and_saves_nothing_else(
    page: Page, town: Town, complaints: list[str]
) -> None:
    try_settings(page, town, "1")
    assert page.url.endswith("/settings")
    expect(page.get_by_label("Buy after a fall of")).to_have_value("1")
    page.get_by_label("Buy after a fall of").fill("2")
    page.get_by_role("button", name="Save what was previewed").click()
    expect(page.get_by_text("what is typed is not what was previewed")).to_be_visible()
    assert all("422" in line for line in complaints)  # the browser's own word for a form that was refused
    complaints.clear()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_preview_fits_and_can_be_read(page: Page, town: Town, width: int, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    try_settings(page, town, "1")
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_scripts_the_same_button_answers_with_the_page(browser: Browser, town: Town, signed_in: dict) -> None:
    context = browser.new_context(storage_state=signed_in, java_script_enabled=False)
    page = context.new_page()
    try_settings(page, town, "1")
    assert page.url.endswith("/settings/preview")
    expect(page.get_by_label("Buy after a fall of")).to_have_value("1")
    page.get_by_role("button", name="Save what was previewed").click()
    expect(page.get_by_text("is saved and rules from the next price on")).to_be_visible()
    context.close()
