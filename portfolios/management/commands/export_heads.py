"""Write the last event of every stream to a signed file; print the public key that proves it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portfolios.services.heads import BadKey, export_heads, public_key


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", type=Path, metavar="FILE", help="another place than heads/ of the data folder")
        parser.add_argument("--public-key", action="store_true", help="write nothing, only print the public key")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            if not options["public_key"]:
                self.stderr.write(f"written to {export_heads(at=timezone.now(), to=options['to'])}")
            self.stdout.write(public_key())
        except BadKey as error:
            raise CommandError(f"VBALANCE_HEADS_KEY: {error}", returncode=2) from error
        except OSError as error:
            raise CommandError(f"not written: {error.strerror}: {error.filename}", returncode=1) from error
