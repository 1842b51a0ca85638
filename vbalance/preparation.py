"""What must be true before the programs start: tables, static files, history and, at first, a demo with a past."""

import hashlib
import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import redis
import structlog
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from portfolios.domain.amounts import MICROS
from portfolios.models import Account
from portfolios.services.guards import log_guards_missing
from trading.brokers.fake_alpaca import KEY, SECRET
from trading.brokers.fake_alpaca.book import Book
from trading.services.demonstration import create_broker_demo
from trading.services.reconciliation import doubt_everywhere

log = structlog.get_logger(__name__)
DEMO_PAST_UNTIL = "2008-01-03"
FAKE_BOOK, STREAM_WANTED = "fake-alpaca.json", "stream-wanted"
MORE_THAN_ENOUGH = Decimal(1_000_000)  # dollars: what the investor has there besides his cells


def prepare(*, demo: bool = True, fake_broker: str = "") -> None:
    """fake_broker: where a fake Alpaca is going to be, if one is asked for."""
    ask_the_stores()
    migrate()
    tell_of_guards()
    doubt_everywhere()
    collect_static_files()
    if demo:
        give_a_past()
    if fake_broker:
        wire_to_fake(fake_broker)
    note_streams()


def ask_the_stores() -> None:
    """A URL that leads nowhere is the most likely mistake: one line says so."""
    try:
        connection.ensure_connection()
    except OperationalError as error:
        raise SystemExit(f"the database does not answer: {_first_line(error)} (DATABASE_URL?)") from None
    try:
        redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=5).ping()
    except redis.RedisError as error:
        raise SystemExit(f"the broker does not answer: {_first_line(error)} (REDIS_URL?)") from None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def give_a_past() -> None:
    """Every step finds out by itself that it was done; only the first time is worth telling."""
    known = (settings.VAR / "demo.json").exists()
    words = io.StringIO() if known else None
    call_command("load_history", stdout=words)
    call_command("create_demo", stdout=words)
    call_command("feed", "--fast-forward-to", DEMO_PAST_UNTIL, stdout=words)


def wire_to_fake(url: str) -> None:
    """A demo portfolio whose orders go there, and a book for it that holds the same shares, with cash to spare."""
    held = create_broker_demo({"key": KEY, "secret": SECRET, "base_url": url})
    path = settings.VAR / FAKE_BOOK
    if not path.exists():
        book = Book(cash=MORE_THAN_ENOUGH)
        book.held = {symbol: Decimal(shares) / MICROS for symbol, shares in held.items()}
        book.file = path
        book.save()


def note_streams() -> None:
    """For whoever starts the programs, and has no connection to ask: whether anybody at a broker tells us anything."""
    marker = settings.VAR / STREAM_WANTED
    if Account.objects.filter(adapter="alpaca").exclude(state=Account.Status.CLOSED).exists():
        marker.touch()
    else:
        marker.unlink(missing_ok=True)


def migrate() -> None:
    """Asking whether there is anything to do is ten times faster than doing nothing thoroughly."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", "--noinput", verbosity=0)


def tell_of_guards(**_: Any) -> None:
    """Said loudly and early; live trading stays disarmed, and readiness says the same."""
    for line in log_guards_missing():
        log.error("the log is not protected", missing=line)


def collect_static_files() -> None:
    root = Path(settings.STATIC_ROOT)
    stamp = root / ".collected"
    fingerprint = hashlib.sha256("\n".join(sorted(_static_files())).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == fingerprint:
        return
    call_command("collectstatic", "--noinput", "--clear", verbosity=0)
    stamp.write_text(fingerprint)


def _static_files() -> Iterator[str]:
    for finder in finders.get_finders():
        for path, storage in finder.list([]):
            status = Path(storage.path(path)).stat()
            yield f"{path} {status.st_size} {status.st_mtime_ns}"
