"""Shows which months of quotes lie in files; moves those long past there, or brings all of them back into the table."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from trading.market.models import StoredQuotes
from trading.quotes.files import QuotesGone
from trading.quotes.moving import bring_back, move_old_months


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        one = parser.add_mutually_exclusive_group()
        one.add_argument("--move", action="store_true", help="what the beat does each night")
        one.add_argument("--bring-back", action="store_true", help="before the migration to monthly quotes is undone")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["move"]:
            move_old_months()
        if options["bring_back"]:
            self.bring_all_back()
        parts = StoredQuotes.objects.order_by("source", "month")
        for part in parts:
            self.stdout.write(f"{part.source:<20} {part.month:%Y-%m} {part.rows:>12,} {part.file}")
        if not parts:
            self.stdout.write("all quotes are in the table")

    def bring_all_back(self) -> None:
        """Each month by itself: what was brought back before a failure stays."""
        try:
            for part in StoredQuotes.objects.order_by("source", "month"):
                bring_back(part)
        except (QuotesGone, OperationalError) as error:
            raise CommandError(str(error), returncode=2) from error
