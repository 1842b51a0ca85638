"""Forget the daily snapshots and make them anew from events, executions and prices."""

from typing import Any

from django.core.management.base import BaseCommand

from reporting.snapshots import rebuild_snapshots


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(f"{rebuild_snapshots()} snapshots written")
