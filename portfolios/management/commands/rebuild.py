"""Fold the events of every position and compare with its row (--check), or write the row anew."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portfolios.services.verification import differing_rows, rebuild_position


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a row differs")

    def handle(self, *_args: Any, **options: Any) -> None:
        differences = differing_rows()
        for difference in differences:
            position = difference.position
            self.stdout.write(
                f"{position.public_id} {position.symbol}: {position.folded} should be {difference.folded}"
            )
            if not options["check"]:
                rebuild_position(position_id=position.pk)
        if differences and options["check"]:
            raise CommandError(f"{len(differences)} positions differ from their events", returncode=1)
        self.stdout.write(
            f"{len(differences)} positions rebuilt" if differences else "every position is the fold of its events"
        )
