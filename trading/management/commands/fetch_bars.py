"""`manage.py fetch_bars IBM --resolution 1min --since 2024-01-02`: recorded bars from Alpaca, all of them or none."""

import csv
import sys
import tempfile
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from portfolios.services.positions import SYMBOL
from trading.bars.catalogue import series_of
from trading.bars.resolutions import DAILY, RESOLUTIONS, seconds_of
from trading.bars.services import Wish
from trading.management.commands import import_bars
from trading.management.progress import ProgressBar
from trading.market.base import PriceUnavailable
from trading.market.calendars import calendar_for
from trading.market.selectors import exchange_of
from trading.market.sources.alpaca_bars import AlpacaBars, ToldBar

SAID_EVERY = 1_000  # bars


def day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("must be a date such as 2024-01-02") from None


class Command(import_bars.Command):
    help = "Fetch recorded bars from Alpaca with the house's keys, look them over as any file, and take them in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("symbol")
        parser.add_argument("--resolution", choices=RESOLUTIONS, default=DAILY)
        parser.add_argument("--since", type=day, help="the first day; else where what is recorded ends")
        parser.add_argument("--until", type=day, help="the last day; else as far as there are whole bars")
        parser.add_argument("--dry-run", action="store_true", help="only say what there is")
        parser.add_argument("--replace", action="store_true", help="other values than those recorded replace them")
        parser.add_argument("--accept-jumps", action="store_true", help="jumps without a known split are real")
        parser.add_argument("--json", action="store_true", help="one object")

    def handle(self, *args: Any, **options: Any) -> None:
        symbol, resolution = options["symbol"].upper(), options["resolution"]
        if not SYMBOL.fullmatch(symbol):
            raise CommandError("symbol: must be a symbol such as IBM or BRK.B", returncode=import_bars.BAD_INPUT)
        first, last = self.span(symbol, resolution, options["since"], options["until"])
        bar = ProgressBar(sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"alpaca-{symbol}-{resolution}.csv"
            try:
                told = AlpacaBars().between(symbol, resolution, first, last)
                written = write(path, resolution, watched(whole(told, resolution), first, last, bar))
            except PriceUnavailable as error:
                raise CommandError(f"{error}; nothing is imported", returncode=import_bars.BAD_INPUT) from None
            finally:
                bar.clear()
            if not written:
                self.stdout.write(f"{symbol} {resolution}: Alpaca has no bar from {first:%Y-%m-%d} to {last:%Y-%m-%d}")
                return
            self.take(Wish(path, path.name, symbol, resolution, options["accept_jumps"]), options, bar)

    def span(self, symbol: str, resolution: str, since: date | None, until: date | None) -> tuple[datetime, datetime]:
        """By the exchange's clock. What is recorded last is asked for again: it shows whether both are the same."""
        zone = calendar_for(exchange_of(symbol)).timezone
        if since:
            first = datetime.combine(since, time(), zone)
        elif known := series_of(symbol, resolution):
            first = datetime.fromtimestamp(known.last, UTC)
        else:
            raise CommandError("--since: nothing is recorded yet: say from which day", returncode=import_bars.BAD_INPUT)
        last = datetime.combine(until, time.max, zone) if until else timezone.now()
        if last < first:
            raise CommandError("--until: is before the first day", returncode=import_bars.BAD_INPUT)
        return first, last


def whole(bars: Iterable[ToldBar], resolution: str) -> Iterable[ToldBar]:
    """Without the bar that is still growing; a day is whole when another one has begun by UTC."""
    now = timezone.now().timestamp()
    return (bar for bar in bars if bar.begins.timestamp() // 1 + seconds_of(resolution) <= now)


def watched(bars: Iterable[ToldBar], first: datetime, last: datetime, progress: ProgressBar) -> Iterable[ToldBar]:
    days = max((last - first).days, 1)
    for number, bar in enumerate(bars):
        if number % SAID_EVERY == 0:
            progress("fetching", (bar.begins - first).days, days)
        yield bar


def write(path: Path, resolution: str, bars: Iterable[ToldBar]) -> int:
    """As a file of ours; how many. A day stands under its date in New York, where Alpaca's days begin at midnight."""
    zone = calendar_for().timezone
    count = 0
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["date" if resolution == DAILY else "timestamp", "open", "high", "low", "close", "volume"])
        for bar in bars:
            count += 1
            at = bar.begins.astimezone(zone).date() if resolution == DAILY else bar.begins.isoformat()
            lines.writerow([at, *bar[1:]])
    return count
