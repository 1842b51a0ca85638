"""`manage.py halt --reason TEXT`: the kill switch. Needs PostgreSQL and nothing else."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from trading.management import halting
from trading.services.halts import halt
from trading.tasks import ring_for_halt


class Command(BaseCommand):
    help = "Stop all trading, or that of one portfolio, position or account. Works while everything else is down."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        halting.add_arguments(parser)
        parser.add_argument("--cancel-working", action="store_true", help="ask the broker for orders that rest there")

    def handle(self, **options: Any) -> None:
        with halting.in_one_line():
            target = halting.target_in(options)
            known = halt(
                scope=target.scope,
                target_id=target.pk,
                reason=options["reason"],
                actor=halting.person_in(options),
                cancels=options["cancel_working"],
            )
        since = f"since {known.halted_at:%Y-%m-%d %H:%M:%S} UTC by {known.halted_by}"
        self.stdout.write(f"halted: {target.name}, {since}: {known.reason}")
        ring_for_halt(known)
