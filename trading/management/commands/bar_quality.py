"""`manage.py bar_quality SYMBOL [--resolution 1min]`: recorded bars beside the exchange's calendar."""

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from trading.bars.catalogue import BarsGone, series_of
from trading.bars.quality import Quality
from trading.bars.resolutions import DAILY, RESOLUTIONS
from trading.simulation.recorded import quality_now

BAD_INPUT = 2
SHOWN = 20


class Command(BaseCommand):
    help = "Say which sessions miss bars, what stands out, and how old the last bar is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("symbol")
        parser.add_argument("--resolution", choices=RESOLUTIONS, default=DAILY)
        parser.add_argument("--json", action="store_true", help="one object, with every gap and outlier")

    def handle(self, *args: Any, **options: Any) -> None:
        symbol, resolution = options["symbol"].upper(), options["resolution"]
        try:
            known = series_of(symbol, resolution)
            quality = quality_now(symbol, resolution, timezone.now()) if known else None
        except BarsGone as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from None
        if quality is None:
            raise CommandError(f"no {resolution} bars of {symbol[:12]!a} are recorded", returncode=BAD_INPUT)
        told = json.dumps(as_json(quality)) if options["json"] else in_words(symbol, resolution, quality)
        self.stdout.write(told)


def as_json(quality: Quality) -> dict[str, Any]:
    gaps = [gap._asdict() | {"day": gap.day.isoformat()} for gap in quality.gaps]
    return quality._asdict() | {"gaps": gaps, "outliers": [row._asdict() for row in quality.outliers]}


def in_words(symbol: str, resolution: str, quality: Quality) -> str:
    lines = [
        f"{symbol} {resolution}: {quality.rows:,} bars over {quality.sessions:,} sessions",
        f"  complete {quality.complete:,}, with gaps {len(quality.gaps):,}, bars missing {quality.missing_bars:,}",
        f"  standing out {len(quality.outliers):,}, sessions since the last bar {quality.behind:,}",
    ]
    lines += [f"  {gap.day}: {gap.missing} of {gap.expected} missing" for gap in quality.gaps[-SHOWN:]]
    lines += [
        f"  {datetime.fromtimestamp(row.begins, UTC):%Y-%m-%d %H:%M}: {row.what}, by {row.change:.0%}"
        for row in quality.outliers[-SHOWN:]
    ]
    return "\n".join(lines)
