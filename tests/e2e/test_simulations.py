"""Asking the past in a browser: from the click to the charts, without scripts, on any width, in light and dark."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import connection
from playwright.sync_api import Browser, Page, expect

from portfolios.models import User
from tests.e2e.test_pages import WIDTHS, findings
from tests.e2e.town import Town
from trading.market import history
from trading.market.models import Bar
from trading.market.services import load_bars
from trading.simulation.models import SimulationRun
from trading.simulation.selectors import runs_of
from trading.simulation.services import carry_out, create_run

pytestmark = pytest.mark.django_db
PATIENCE = 15_000


@pytest.fixture(scope="module")
def past(town: Town) -> str:
    """Thirteen recorded years, and one run over them."""
    with ThreadPoolExecutor(1) as thread:  # a test's own transaction is never committed
        return thread.submit(recorded).result()


def recorded() -> str:
    bars = [
        Bar(symbol="MSFT", day=bar.session, open=bar.open, high=bar.high, low=bar.low, close=bar.close, volume=1)
        for bar in history.read_bars("MSFT")
    ]
    load_bars(symbol="MSFT", name="Microsoft Corporation", exchange="XNAS", bars=bars)
    run = create_run(
        owner=User.objects.get(username="ann"),
        symbol="MSFT",
        settings={},
        cash=10**10,
        in_stock=500_000,
        slippage=200,
        first_day=date(2003, 3, 3),
        last_day=None,
        path="close",
        name="",
    )
    carry_out(run_id=run.pk)
    connection.close()
    return str(run.public_id)


@pytest.fixture
def worker() -> Iterator[None]:
    """Takes up whatever waits, as a worker does when its bell rings."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.02):
            for pk in SimulationRun.objects.filter(status="queued").values_list("pk", flat=True):
                carry_out(run_id=pk)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


def opened(page: Page, town: Town, past: str) -> None:
    page.goto(f"{town.url}/simulations/{past}")
    page.locator("#charts[data-drawn]").wait_for()


def test_from_the_click_to_the_charts(page: Page, town: Town, past: str, worker: None):
    page.goto(f"{town.url}/simulations")
    page.get_by_role("link", name="New simulation").click()
    page.get_by_label("Stock and bars").select_option("MSFT")
    page.get_by_label("Sell after a rise of").fill("4")
    expect(page.locator("#effect")).to_contain_text("sells at $104.00")
    page.locator("#settings").get_by_role("button", name="Simulate").click()
    page.locator("#charts[data-drawn]").wait_for(timeout=PATIENCE)
    expect(page.locator("#asks-again")).to_have_count(0)
    expect(page.get_by_role("img", name="Worth: robot")).to_be_visible()
    expect(page.get_by_role("heading", name="Returns by month")).to_be_visible()
    page.get_by_role("link", name="Run again with other settings").click()
    expect(page.get_by_label("Sell after a rise of")).to_have_value("4")


def test_a_waiting_run_is_cancelled_by_keyboard_while_its_page_asks_again(page: Page, town: Town, past: str):
    page.goto(f"{town.url}/simulations/new")
    page.locator("#settings").get_by_role("button", name="Simulate").click()
    cancel = page.get_by_role("button", name="Cancel")
    cancel.focus()
    page.wait_for_timeout(900)  # some answers later
    expect(cancel).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("It was stopped before its end")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(900)
    assert asked == []


def test_nothing_of_it_is_wider_than_the_window(page: Page, town: Town, past: str):
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        opened(page, town, past)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
        for path in ("/simulations", "/simulations/new"):
            page.goto(town.url + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_complain_about(page: Page, town: Town, past: str, scheme: str):
    page.emulate_media(color_scheme=scheme)
    opened(page, town, past)
    assert findings(page) == []
    for path in ("/simulations", "/simulations/new"):
        page.goto(town.url + path)
        assert findings(page) == [], path


def test_a_figure_opens_to_its_definition_by_keyboard(page: Page, town: Town, past: str):
    opened(page, town, past)
    page.get_by_text("Sharpe ratio").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("risk-free 0")).to_be_visible()


def test_money_on_a_logarithmic_scale_is_one_press_away(page: Page, town: Town, past: str):
    opened(page, town, past)
    page.get_by_role("button", name="Logarithmic").click()
    expect(page.get_by_role("button", name="Logarithmic")).to_have_attribute("aria-pressed", "true")


def test_without_scripts_it_is_all_there(browser: Browser, town: Town, past: str, signed_in: dict, worker: None):
    context = browser.new_context(storage_state=signed_in, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{town.url}/simulations/new")
    page.get_by_label("Stock and bars").select_option("MSFT")
    page.locator("#settings").get_by_role("button", name="Simulate").click()
    expect(page.get_by_role("heading", name="Returns by month")).to_be_visible(timeout=PATIENCE)
    assert page.locator("svg.run").count() == 4
    context.close()
    assert runs_of(User.objects.get(username="ann")).count() >= 2
