"""Check everything that must hold, one line for each thing that does not; exit 1 if there is any. Writes nothing."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portfolios.services.heads import BadKey, Forged
from trading.audit import audited


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        findings = 0
        try:
            for line in audited():
                findings += 1
                self.stdout.write(line)
        except (Forged, BadKey) as error:
            raise CommandError(f"the newest file of heads cannot be trusted: {error}", returncode=1) from error
        if findings:
            raise CommandError(f"{findings} findings", returncode=1)
        self.stdout.write("the log, the rows and everything that must hold: nothing to report")
