"""Fold the events of every stream and compare with its row (--check), or write the row anew."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portfolios.services.ends import rebuild_end, rows_astray
from portfolios.services.verification import differing_rows, rebuild_position


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a row differs")

    def handle(self, *_args: Any, **options: Any) -> None:
        rows = self.amounts(check=options["check"]) + self.ends(check=options["check"])
        if rows and options["check"]:
            raise CommandError(f"{rows} differ from their events", returncode=1)
        self.stdout.write(f"{rows} rebuilt" if rows else "every row is the fold of its events")

    def amounts(self, *, check: bool) -> int:
        """Cells whose shares, cash, anchor or state are not what their events come to."""
        differences = differing_rows()
        for position, folded in differences:
            self.stdout.write(f"{position.public_id} {position.symbol}: {position.folded} should be {folded}")
            if not check:
                rebuild_position(position_id=position.pk)
        return len(differences)

    def ends(self, *, check: bool) -> int:
        """Cells, portfolios, accounts and the house that do not name their last event or its state."""
        astray = rows_astray()
        for row in astray:
            self.stdout.write(str(row))
            if not check:
                rebuild_end(table=row.table, public_id=row.public_id)
        return len(astray)
