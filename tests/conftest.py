"""What every test stands on: real stores, a database and a key prefix per worker, markers by folder."""

import os
from collections.abc import Iterator
from pathlib import Path

import django
import pytest

from tests.stores import start_missing_stores, stop_stores
from vbalance.stores.errors import StoreError

FOLDERS = ("unit", "integration", "e2e")
HERE = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run the tests marked long")
    parser.addoption("--no-browser", action="store_true", help="leave out the tests that need Chromium")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Before Django reads its settings: the controller starts the stores, workers inherit their addresses."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "vbalance.settings"
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    os.environ["VBALANCE_KEY_PREFIX"] = f"test-{worker or 'alone'}:"
    needless = worker or config.option.collectonly or config.option.markexpr == "unit"
    try:
        if not needless:
            start_missing_stores()
    except StoreError as error:
        pytest.exit(str(error), returncode=3)
    django.setup()


def pytest_unconfigure(config: pytest.Config) -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        stop_stores()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The folder is the marker; what was not asked for is deselected, and pytest's last line counts it."""
    left_out = []
    for item in items:
        folder = item.path.relative_to(HERE).parts[0]
        if folder in FOLDERS:
            item.add_marker(folder)
        browser = "page" in getattr(item, "fixturenames", ()) or "browser" in getattr(item, "fixturenames", ())
        if browser:
            item.add_marker("browser")
        if (item.get_closest_marker("long") and not config.option.long) or (browser and config.option.no_browser):
            left_out.append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker) -> None:  # type: ignore[no-untyped-def]
    """Django empties tables between transactional tests by TRUNCATE: only here, only that guard is lifted."""
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, quote_ident(tgname) FROM pg_trigger WHERE tgname LIKE '%\\_no\\_truncate'"
        )
        for table, trigger in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")


@pytest.fixture(autouse=True, scope="session")
def plain_static_files() -> None:
    """Pages under test name static files as they are: there is no collected manifest to look them up in."""
    from django.conf import settings

    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"


@pytest.fixture
def empty_cache() -> Iterator[None]:
    """Throttles and the beat's note live in the cache: a test that counts starts from none and leaves none."""
    from django.core.cache import cache

    cache.clear()
    yield
    cache.clear()
