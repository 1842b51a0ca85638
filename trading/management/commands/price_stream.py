"""Listen to what Alpaca tells of the symbols held by its feed; each second the newest of each is taken in."""

import time
from typing import Any

import structlog
from django.core.cache import cache
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from trading.market.base import PriceUnavailable
from trading.market.cache import HEARD
from trading.market.selectors import newest_quotes
from trading.market.sources.alpaca import keys_of_the_house
from trading.market.sources.alpaca_stream import AlpacaPrices
from trading.selectors import held_symbols
from trading.services.polling import open_ones, take_all
from trading.sockets import pause
from trading.tasks import ring_for

log = structlog.get_logger(__name__)
FEED = "alpaca"
EVERY = 1.0  # seconds between two prices of a symbol: the feed's own cadence
LOOK = 5.0  # seconds between looks at which symbols are held
REMEMBERED = 7 * 86_400  # seconds
SILENT = 20.0  # seconds without a price, while others tell of prices since


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Connected while an exchange is open for somebody; again and again, less often while that fails."""
        try:
            keys_of_the_house()
        except PriceUnavailable as error:
            raise CommandError(str(error), returncode=2) from None
        failures = 0
        while True:
            close_old_connections()
            listener = Listener()
            try:
                listener.listen()
            except (PriceUnavailable, DatabaseError) as error:
                failures = 0 if listener.has_told else failures + 1
                words = str(error) if isinstance(error, PriceUnavailable) else type(error).__name__
                log.warning("the stream of prices is down", why=words)
            else:
                failures = 0
            time.sleep(pause(failures) if failures else LOOK if not listener.has_told else 0.0)


class Listener:
    """Over one connection."""

    def __init__(self) -> None:
        self.has_told = False
        self.told_at = time.monotonic()

    def listen(self) -> None:
        """Until nobody holds a symbol whose exchange is open. Raises PriceUnavailable when the stream fails."""
        if not wanted():
            return
        with AlpacaPrices(keys_of_the_house()) as stream:
            log.info("the stream of prices is open")
            while symbols := wanted():
                stream.follow(symbols)
                self.refuse_silence(symbols)
                looked = time.monotonic()
                while time.monotonic() < looked + LOOK:
                    self.hear(stream)

    def hear(self, stream: AlpacaPrices) -> None:
        """For a second; then what is newest is taken in, and whoever it wakes is rung for."""
        until = time.monotonic() + EVERY
        while (left := until - time.monotonic()) > 0:
            raw = stream.next(left)
            if raw is not None:
                stream.hear(raw)
        if told := stream.taken():
            self.has_told, self.told_at = True, time.monotonic()
            cache.set(HEARD, timezone.now(), REMEMBERED)
            ring_for(take_all(told, source=FEED))

    def refuse_silence(self, symbols: list[str]) -> None:
        """It answers, and yet tells nothing: that shows where the polls, which stand in for it, find new prices."""
        silence = time.monotonic() - self.told_at
        if silence < SILENT:
            return
        quotes = newest_quotes(symbols, FEED).values()
        if any((timezone.now() - quote.received_at).total_seconds() < silence - EVERY for quote in quotes):
            raise PriceUnavailable("the stream tells nothing while prices move")


def wanted() -> list[str]:
    close_old_connections()
    return open_ones(held_symbols(FEED), timezone.now(), source=FEED)
