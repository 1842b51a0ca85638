"""Run a fake Alpaca on this machine: orders, positions, market data, both streams, and what goes wrong by script."""

import asyncio
import json
import threading
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections

from dividends.models import Dividend, Split
from portfolios.domain.amounts import MICROS, PPM
from portfolios.domain.settings import SETTINGS
from trading.brokers.fake_alpaca import HOST, KEY, SECRET
from trading.brokers.fake_alpaca.book import Book
from trading.brokers.fake_alpaca.days import Hours, market_day
from trading.brokers.fake_alpaca.entries import Action
from trading.brokers.fake_alpaca.script import NOW, OPENING, WRONG, read_script
from trading.brokers.fake_alpaca.server import FakeAlpaca
from trading.market.calendars import calendar_for
from trading.market.models import Instrument
from trading.market.selectors import market_now, newest_quotes

PORT = 8100
WITHHELD = Decimal(SETTINGS["withholding"].default or 0) / PPM  # as cells reckon with where nobody set it otherwise
LOOK = 0.2  # seconds between looks at the prices of a source


def port_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise ArgumentTypeError("must be a port from 0 (any that is free) to 65535")
    return int(text)


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=port_number, default=PORT)
        parser.add_argument("--script", type=Path, help=f"JSON: {', '.join(sorted(OPENING | NOW))}")
        hours = "always open, or while New York is: then orders wait for it, and those for the day end with it"
        parser.add_argument("--hours", choices=("always", "real"), default="always", help=hours)
        parser.add_argument("--state", type=Path, help="a file that keeps its book over a restart")
        parser.add_argument("--bars", type=Path, help="CSV: symbol, timestamp, open, high, low, close, volume")
        parser.add_argument("--prices", help="a source of ours whose newest quotes are its market, such as replay")

    def handle(self, *_args: Any, **options: Any) -> None:
        fake = FakeAlpaca()
        fake.book.hours = Hours(calendar_for, real=options["hours"] == "real")
        try:
            set_up(fake, options["script"], options["state"], options["bars"])
        except (OSError, *WRONG) as error:
            words = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise CommandError(f"cannot use what was given: {words[:200]}", returncode=2) from None
        if options["prices"]:
            threading.Thread(target=follow, args=(fake.book, options["prices"]), daemon=True).start()
        try:
            asyncio.run(fake.serve(options["port"], lambda: self.say(fake)))
        except OSError as error:
            raise CommandError(f"port {options['port']}: {error.strerror}", returncode=2) from None
        except KeyboardInterrupt:
            pass

    def say(self, fake: FakeAlpaca) -> None:
        self.stdout.write(
            f"a fake Alpaca at {fake.url}, key {KEY}, secret {SECRET}; its stream at ws://{HOST}:{fake.port}/stream"
        )
        self.stdout.flush()


def set_up(fake: FakeAlpaca, script: Path | None, state: Path | None, bars: Path | None) -> None:
    """Raises what reading files of any content can raise."""
    told = json.loads(script.read_text()) if script else {}
    book = fake.book
    read_script(book, fake.faults, told, OPENING | NOW)
    if bars:
        book.prices.read(bars)
    if state:
        book.load(state)


def follow(book: Book, source: str) -> None:
    """Its market is a source of ours: what was decided at a price is filled at it, and dividends are the same."""
    book.wall = lambda: book.told_now or datetime.now(UTC)
    while True:
        close_old_connections()
        try:
            book.told_now = market_now(source)
            announce_ahead(book, source)
            symbols = list(Instrument.objects.values_list("symbol", flat=True))
            quotes = newest_quotes(symbols, source)
            book.prices.told.update({symbol: Decimal(quote.last) / MICROS for symbol, quote in quotes.items()})
        except DatabaseError:
            pass  # the price before this one stands
        threading.Event().wait(LOOK)


def announce_ahead(book: Book, source: str) -> None:
    """Dividends and splits of that market whose ex-date is still to come, of shares it holds."""
    coming = {"source": source, "ex_date__gt": market_day(book.wall()), "symbol__in": list(book.held)}
    known = {action.id for action in book.actions}
    found = [
        Action(
            "cash_dividend",
            row.symbol,
            f"{row.ex_date}",
            f"{row.pay_date}",
            Decimal(row.dps) / MICROS,
            withheld=WITHHELD,
        )
        for row in Dividend.objects.filter(**coming, cancelled_at=None)
    ]
    for split in Split.objects.filter(**coming, cancelled_at=None):
        kind = "forward_split" if split.numerator > split.denominator else "reverse_split"
        rates: dict[str, Any] = {"new_rate": Decimal(split.numerator), "old_rate": Decimal(split.denominator)}
        found.append(Action(kind, split.symbol, f"{split.ex_date}", f"{split.ex_date}", **rates))
    for action in found:
        if action.id not in known:
            book.announce(action)
