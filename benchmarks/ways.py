"""The ways a year of quotes can be walked; each says how much it wrote and how long that took."""

import io
import time
from collections.abc import Callable
from datetime import date

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from portfolios.models import Event
from trading.market.calendars import calendar_for
from trading.market.models import Bar, Quote
from trading.models import Order
from trading.services.demonstration import BEGINS_ON, create_demo, load_history
from trading.services.replay import SOURCE


def prepare(_until: str) -> None:
    call_command("migrate", verbosity=0)
    load_history()


def bare(until: str) -> dict[str, float]:
    """The rows the feed will have written, each its own INSERT and commit, as forgetful of the disk as the feed."""
    quotes = recorded_quotes(date.fromisoformat(until))

    def write() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")
        for quote in quotes:
            quote.save(force_insert=True)

    return timed(write)


def market(until: str) -> dict[str, float]:
    return timed(lambda: feed(until))


def demo(until: str) -> dict[str, float]:
    create_demo()
    return timed(lambda: feed(until))


def feed(until: str) -> None:
    call_command("feed", fast_forward_to=date.fromisoformat(until), stdout=io.StringIO())


def timed(walk: Callable[[], None]) -> dict[str, float]:
    """Quotes, events and orders that came, and the seconds; building the calendar (2 s, once) is not counted."""
    calendar_for()
    connection.ensure_connection()
    before = counts()
    started = time.perf_counter()
    walk()
    seconds = time.perf_counter() - started
    came = {name: number - before[name] for name, number in counts().items()}
    return came | {"seconds": seconds}


def counts() -> dict[str, int]:
    return {"quotes": Quote.objects.count(), "events": Event.objects.count(), "orders": Order.objects.count()}


def recorded_quotes(until: date) -> list[Quote]:
    quotes = []
    for bar in Bar.objects.filter(day__gte=BEGINS_ON, day__lte=until).order_by("day", "symbol"):
        session = calendar_for().session_on(bar.day)
        if session is None:
            raise ValueError(f"{bar.day} is not a session")
        for at, last in ((session.open, bar.open), (session.close, bar.close)):
            quotes.append(Quote(symbol=bar.symbol, source=SOURCE, at=at, last=last, received_at=timezone.now()))
    return quotes
