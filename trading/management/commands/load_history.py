"""Load the shipped history: bars, dividends and splits. Running it again adds nothing."""

from typing import Any

from django.core.management.base import BaseCommand

from trading.services.demonstration import load_history


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(f"{load_history()} bars added")
