"""`manage.py resume --reason TEXT`: lifts one halt. What other halts stop stays stopped."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.management import halting
from trading.risk.models import Halt
from trading.services.halts import rearm


class Command(BaseCommand):
    help = "Let the house trade again, or one portfolio, position or account."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        halting.add_arguments(parser)

    def handle(self, **options: Any) -> None:
        with halting.in_one_line():
            target = halting.target_in(options)
            known = Halt.objects.in_force().filter(**target.filter).first()
            if known is None:
                raise CommandError(f"{target.name} is not halted itself", returncode=halting.BAD_INPUT)
            rearm(halt_id=known.pk, reason=options["reason"], actor=halting.person_in(options))
            others = Halt.objects.in_force().count()
        self.stdout.write(f"armed again: {target.name}; {others} other halts are in force")
