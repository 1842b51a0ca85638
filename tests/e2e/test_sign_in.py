"""Signing in through a provider, and what a person does about his account, in a real browser against real HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from playwright.sync_api import Browser, BrowserContext, Page, expect

from portfolios.models import Portfolio, User
from portfolios.services.portfolios import create_portfolio
from tests.e2e.town import AXE, PASSWORD
from tests.fake_provider import CLIENT, SECRET, FakeProvider, running_provider

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def house(browser: Browser, django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """Ann, her portfolio, and a web server; swept away before the browser's event loop ends."""
    from django.core.management import call_command
    from django.db import connection
    from pytest_django.live_server_helper import LiveServer

    with django_db_blocker.unblock():
        create_portfolio(owner=User.objects.create_user("ann", password=PASSWORD), name="Blue chips")
        server = LiveServer("127.0.0.1")
        try:
            yield server.url
        finally:
            server.stop()
            call_command("flush", interactive=False, verbosity=0)
            connection.close()
            connection.close_pool()


@pytest.fixture
def provider(settings: LazySettings) -> Iterator[FakeProvider]:
    with running_provider() as provider:
        settings.OIDC_ISSUER = provider.issuer
        settings.OIDC_RP_CLIENT_ID, settings.OIDC_RP_CLIENT_SECRET = CLIENT, SECRET
        cache.clear()
        yield provider


@pytest.fixture
def context(browser: Browser, complaints: list[str]) -> Iterator[BrowserContext]:
    """Nobody's window. What the browser itself says about a refusal's status is no complaint."""
    context = browser.new_context()
    context.set_default_timeout(10_000)
    context.add_init_script(path=AXE)
    context.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    yield context
    context.close()
    assert [complaint for complaint in complaints if "Failed to load resource" not in complaint] == []


def by_provider(page: Page, house: str) -> None:
    page.goto(f"{house}/login")
    page.get_by_role("link", name="Sign in with your company's account").click()


def by_password(page: Page, house: str) -> None:
    page.goto(f"{house}/login")
    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{house}/")


def findings(page: Page) -> list[str]:
    report = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{found['id']}: {found['nodes'][0]['html'][:160]}" for found in report["violations"]]


def test_in_by_the_provider_and_out_again_at_both(page: Page, house: str, provider: FakeProvider) -> None:
    provider.person = {"sub": "browser-1", "email": "kim@example.com", "email_verified": True}
    by_provider(page, house)
    page.wait_for_url(f"{house}/")
    page.goto(f"{house}/settings")
    expect(page.get_by_text("Connected with kim@example.com")).to_be_visible()
    assert findings(page) == []
    page.locator("summary", has_text="kim").first.click()
    page.get_by_role("button", name="Sign out").first.click()
    page.wait_for_url(f"{provider.issuer}/logout**")
    page.goto(f"{house}/settings")
    page.wait_for_url(f"{house}/login**")


@pytest.mark.parametrize("flaw", ["alg none", "HS256", "nonce", "issuer", "down"])
def test_a_hostile_provider_gets_a_friendly_page_and_nobody_in(
    page: Page, house: str, provider: FakeProvider, flaw: str
) -> None:
    if flaw == "down":
        provider.broken["token"] = (500, b"oops")
    provider.sign = {"alg none": provider.unsigned, "HS256": provider.with_the_public_key_as_secret}.get(
        flaw, provider.sign
    )
    wrong = {"nonce": {"nonce": "x"}, "issuer": {"iss": "https://elsewhere.example"}}.get(flaw, {})
    provider.twist = lambda claims: claims | wrong
    by_provider(page, house)
    expect(page.get_by_role("heading", name="Not signed in")).to_be_visible()
    assert findings(page) == []
    page.get_by_role("link", name="Back to sign in").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_an_account_is_connected_from_the_profile(page: Page, house: str, provider: FakeProvider) -> None:
    provider.person = {"sub": "browser-2", "email": "ann@example.com", "email_verified": True}
    by_password(page, house)
    page.goto(f"{house}/settings")
    page.get_by_role("button", name="Connect your company's account").click()
    page.wait_for_url(f"{house}/settings")
    expect(page.get_by_text("From now on you can sign in either way.")).to_be_visible()
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_text("Disconnected.")).to_be_visible()


def test_a_friend_is_invited_and_joins_at_360_pixels_by_keyboard(page: Page, house: str, browser: Browser) -> None:
    portfolio = Portfolio.objects.get()
    by_password(page, house)
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"{house}/portfolios/{portfolio.public_id}/members")
    assert findings(page) == []
    page.get_by_label("As", exact=True).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    link = page.locator("code.secret").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert findings(page) == []
    guest = browser.new_context(viewport={"width": 360, "height": 800})
    guest.add_init_script(path=AXE)
    joining = guest.new_page()
    joining.goto(link)
    assert findings(joining) == []
    joining.get_by_label("Username").fill("gus")
    joining.get_by_label("Password", exact=True).fill(PASSWORD)
    joining.get_by_label("Password confirmation").fill(PASSWORD)
    joining.keyboard.press("Enter")
    joining.wait_for_url(f"{house}/")
    expect(joining.get_by_text("You may enter as viewer.")).to_be_visible()
    guest.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_is_content_with_the_account_pages(page: Page, house: str, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{house}/password/reset")
    assert findings(page) == []
    by_password(page, house)
    for path in ("/settings", "/settings/password"):
        page.goto(f"{house}{path}")
        assert findings(page) == [], path
    page.goto(f"{house}/settings")
    page.get_by_label("Name", exact=True).fill("laptop")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_text("it is shown only this once")).to_be_visible()
    assert findings(page) == []
