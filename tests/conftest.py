"""What every test stands on: real stores, a database and a key prefix per worker, markers by folder."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pytest

from tests.stores import start_missing_stores, stop_stores
from vbalance.stores.errors import StoreError

FOLDERS = ("unit", "integration", "e2e")
HERE = Path(__file__).parent
LEFT_OUT = pytest.StashKey[dict[str, int]]()


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
    """The folder is the marker; what was not asked for is left out and counted."""
    kept: list[pytest.Item] = []
    left_out: dict[str, list[pytest.Item]] = {"--no-browser": [], "--long": []}
    for item in items:
        mark(item)
        left_out.get(option_against(item, config), kept).append(item)
    items[:] = kept
    for several in left_out.values():
        config.hook.pytest_deselected(items=several)
    counts = {option: len(several) for option, several in left_out.items()}
    config.stash[LEFT_OUT] = counts
    if hasattr(config, "workeroutput"):
        config.workeroutput["left_out"] = counts


def mark(item: pytest.Item) -> None:
    folder = item.path.relative_to(HERE).parts[0]
    if folder in FOLDERS:
        item.add_marker(folder)
    if {"page", "browser"} & set(getattr(item, "fixturenames", ())):
        item.add_marker("browser")


def option_against(item: pytest.Item, config: pytest.Config) -> str:
    """The option because of which this test does not run, if any."""
    if item.get_closest_marker("browser") and config.option.no_browser:
        return "--no-browser"
    return "--long" if item.get_closest_marker("long") and not config.option.long else ""


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every xdist worker collects the same tests, so the counts of any one are the counts of all."""
    if left_out := getattr(node, "workeroutput", {}).get("left_out"):
        node.config.stash[LEFT_OUT] = left_out


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    counts = config.stash.get(LEFT_OUT, {})
    if counts.get("--no-browser"):
        terminalreporter.write_line(f"left out: {counts['--no-browser']} that need a browser")
    if counts.get("--long"):
        terminalreporter.write_line(f"left out: {counts['--long']} long ones (--long adds them)")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker) -> None:  # type: ignore[no-untyped-def]
    """Django empties tables between transactional tests by TRUNCATE: only meanwhile are the guards lifted."""
    from django.conf import settings
    from django.db.backends.postgresql.operations import DatabaseOperations

    from trading.market.cache import forget_all

    flush = DatabaseOperations.execute_sql_flush

    def lifted(operations: DatabaseOperations, statements: list[str]) -> None:
        lift, lower = (
            [f"ALTER TABLE {table} {deed} TRIGGER {table}_no_truncate" for table in settings.APPEND_ONLY]
            for deed in ("DISABLE", "ENABLE")
        )
        flush(operations, [*lift, *statements, *lower])
        forget_all()

    DatabaseOperations.execute_sql_flush = lifted  # of the class: a browser's test has connections of its own


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
