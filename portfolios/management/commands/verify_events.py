"""Verify the hash chain and sequence of every stream of events."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portfolios.services.verification import verify_events


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        verified = verify_events()
        for finding in verified.findings[:50]:
            self.stderr.write(f"{finding.stream_id} #{finding.seq}: {finding.problem}")
        if verified.findings:
            raise CommandError(f"{len(verified.findings)} findings in {verified.events} events", returncode=1)
        self.stdout.write(f"{verified.events} events in {verified.streams} streams verified")
