"""Sweeps in a browser: in every state they can be in, on any width, in light and dark, without scripts."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Browser, Page, expect

from portfolios.models import User
from tests.e2e.test_pages import WIDTHS, findings
from tests.e2e.town import Town
from trading.market import history
from trading.market.models import Bar
from trading.market.services import load_bars
from trading.simulation import sweeps
from trading.simulation.models import Sweep
from trading.simulation.services import cancel_work
from trading.simulation.sweeps import carry_out_chunk, create_sweep

pytestmark = pytest.mark.django_db
TAU = {"name": "tau", "from": "0.02", "to": "0.1", "step": "0.01"}
RATIO = {"name": "rebalance_ratio", "from": "0.05", "to": "0.5", "step": "0.05"}
SIZING = {"name": "sizing", "values": ["anchor_ratio", "fixed_percentage"]}
LOW = {"name": "guardrail_low", "values": ["0.2", "0.4", "0.8"]}


def apart(work: Callable[[], Any]) -> Any:
    """A test's own transaction is never committed."""

    def and_close() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(and_close).result()


@pytest.fixture(scope="module")
def swept(town: Town) -> dict[str, str]:
    """A sweep in each state, by its status."""
    return apart(all_states)  # type: ignore[no-any-return]


def all_states() -> dict[str, str]:
    bars = [
        Bar(symbol="MSFT", day=bar.session, open=bar.open, high=bar.high, low=bar.low, close=bar.close, volume=1)
        for bar in history.read_bars("MSFT")
    ]
    load_bars(symbol="MSFT", name="Microsoft Corporation", exchange="XNAS", bars=bars)
    made = {"done": carried_out(asked(TAU, RATIO, SIZING))}
    made["left out"] = carried_out(asked(TAU, LOW, settings={"guardrail_high": "0.7"}))
    made["cancelled"] = carried_out(asked(TAU, RATIO), most=1)
    cancel_work(work=made["cancelled"], actor="user:ann")
    made["failed"] = asked(TAU, RATIO)
    sweeps.fail(made["failed"].pk, "The recorded prices changed while it was worked on; start it again.")
    made["running"] = carried_out(asked(TAU, RATIO), most=1)
    made["queued"] = asked(TAU, RATIO)
    return {name: f"/sweeps/{sweep.public_id}" for name, sweep in made.items()}


def asked(*axes: dict[str, Any], settings: dict[str, str] | None = None) -> Sweep:
    usual, sweeps.LARGEST = sweeps.LARGEST, 45
    try:
        return create_sweep(
            owner=User.objects.get(username="ann"),
            symbol="MSFT",
            settings=settings or {},
            axes=list(axes),
            cash=10**10,
            in_stock=500_000,
            slippage=200,
            first_day=date(2003, 3, 3),
            last_day=None,
            name="",
        )
    finally:
        sweeps.LARGEST = usual


def carried_out(sweep: Sweep, most: int | None = None) -> Sweep:
    for pk in list(sweep.chunks.order_by("pk").values_list("pk", flat=True))[:most]:
        carry_out_chunk(chunk_id=pk)
    return Sweep.objects.get(pk=sweep.pk)


def places(swept: dict[str, str]) -> dict[str, str]:
    more = {"list": "/sweeps", "form": "/sweeps/new", "setting": f"{swept['done']}?trial=5&metric=turnover"}
    return swept | more | {"nothing": f"{swept['done']}?by=trades&min=100000"}


def test_nothing_of_it_is_wider_than_the_window(page: Page, town: Town, swept: dict[str, str]) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        for name, path in places(swept).items():
            page.goto(town.url + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_complain_about(page: Page, town: Town, swept: dict[str, str], scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    for name, path in places(swept).items():
        page.goto(town.url + path)
        assert findings(page) == [], name


def test_a_running_sweep_says_how_far_it_is_and_shows_its_end_by_itself(page: Page, town: Town, swept: dict[str, str]):
    page.goto(town.url + swept["running"])
    expect(page.get_by_text("45 of 90 combinations")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^about \d+ (s|min|h) left$"))).to_be_visible()
    running = Sweep.objects.get(public_id=swept["running"].rpartition("/")[2])
    apart(lambda: carried_out(running))
    expect(page.get_by_role("heading", name="The best of 90")).to_be_visible(timeout=15_000)
    expect(page.get_by_role("progressbar")).to_have_count(0)


def test_from_a_cell_of_the_map_to_a_preset_and_to_its_run(page: Page, town: Town, swept: dict[str, str]) -> None:
    page.goto(town.url + swept["done"])
    page.get_by_label("Metric").select_option("total_return")
    page.get_by_role("button", name="Show").click()
    page.locator(".map td a").first.click()
    expect(page.get_by_role("heading", name="Setting 0", exact=True)).to_be_visible()
    expect(page.get_by_label("Metric")).to_have_value("total_return")
    expect(page.locator(".map a[aria-current]")).to_have_count(1)
    page.get_by_label("Name of a preset").fill("from the map")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The preset from the map is kept")).to_be_visible()
    page.get_by_role("button", name="Use them against the verdict").click()
    expect(page.get_by_text("keeps its settings")).to_be_visible()
    page.get_by_role("button", name="Open its run").click()
    expect(page).to_have_url(re.compile("/simulations/"))


def test_values_and_ways_are_swept_without_scripts(browser: Browser, town: Town, signed_in: Any, swept: Any) -> None:
    context = browser.new_context(storage_state=signed_in, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{town.url}/sweeps/new")
    page.get_by_label("Stock and bars").select_option("MSFT")
    page.get_by_label("Or these values").first.fill("2 5 x")
    sizing = page.get_by_role("group", name="Size by")
    sizing.get_by_label("anchor ratio").check()
    sizing.get_by_label("proportional").check()
    page.get_by_role("button", name="Sweep").click()
    expect(page.get_by_text("Values must be a plain number")).to_be_visible()
    expect(sizing.get_by_label("proportional")).to_be_checked()
    page.get_by_label("Or these values").first.fill("2 5")
    page.get_by_role("button", name="Sweep").click()
    expect(page.get_by_role("heading", name="Waiting for a worker")).to_be_visible()
    expect(page.get_by_text("40 combinations").first).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="Stopped before its end")).to_be_visible()
    context.close()
