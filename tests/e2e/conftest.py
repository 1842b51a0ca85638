"""Chromium, and the town it looks at: both made once for all tests of a module."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def town(browser: Browser, django_db_setup: None, django_db_blocker: Any) -> Iterator[Any]:
    """Built once for all tests of a module, swept away after them, before the browser's event loop ends: Django keeps
    another connection while one runs in this thread.
    """
    from django.core.management import call_command
    from django.db import connection
    from pytest_django.live_server_helper import LiveServer

    from tests.e2e.town import Town, build_town

    with django_db_blocker.unblock():
        cells = build_town()
        server = LiveServer("127.0.0.1")
        try:
            yield Town(server.url, *(f"/positions/{cell.public_id}" for cell in cells))
        finally:
            server.stop()
            call_command("flush", interactive=False, verbosity=0)
            connection.close()
            connection.close_pool()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Playwright keeps an event loop in this thread, which Django would take for asynchronous code."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="module")
def signed_in(town: Any, browser: Browser) -> dict[str, object]:
    """Ann's cookies, from signing in once as a person does."""
    from tests.e2e.town import sign_in

    context = browser.new_context()
    page = context.new_page()
    sign_in(page, town, "ann")
    state = context.storage_state()
    context.close()
    return dict(state)


@pytest.fixture
def complaints() -> list[str]:
    """What the browser wrote to its console while the test looked."""
    return []


@pytest.fixture
def context(browser: Browser, signed_in: Any, complaints: list[str]) -> Iterator[BrowserContext]:
    """A window of Ann's; a console message of any kind, a refused style or script among them, fails the test."""
    from tests.e2e.town import AXE

    context = browser.new_context(storage_state=signed_in, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(10_000)
    context.add_init_script(path=AXE)
    context.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context
    context.close()
    assert complaints == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()
