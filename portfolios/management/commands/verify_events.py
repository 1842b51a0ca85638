"""Verify the hash chain and sequence of every stream of events, and that nothing published is missing."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portfolios.services.heads import BadKey, Forged, Heads, public_key, read_heads
from portfolios.services.verification import verify_events

BAD_INPUT = 2


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--heads", type=Path, metavar="FILE", help="what export_heads wrote: finds a log cut short")
        parser.add_argument("--public-key", type=Path, metavar="FILE", help="whose heads; else this house's own")

    def handle(self, *_args: Any, **options: Any) -> None:
        published = self.published(options["heads"], options["public_key"]) if options["heads"] else None
        verified = verify_events(published.heads if published else None)
        for finding in verified.findings[:50]:
            self.stderr.write(f"{finding.stream_id} #{finding.seq}: {finding.problem}")
        if verified.findings:
            raise CommandError(f"{len(verified.findings)} findings in {verified.events} events", returncode=1)
        also = f", with all that was published at {published.made_at}" if published else ""
        self.stdout.write(f"{verified.events} events in {verified.streams} streams verified{also}")

    def published(self, heads: Path, key: Path | None) -> Heads:
        try:
            return read_heads(heads.read_bytes(), trusted=key.read_text() if key else public_key())
        except Forged as error:
            raise CommandError(f"{heads} is forged or altered: {error}", returncode=1) from error
        except (BadKey, UnicodeDecodeError) as error:
            raise CommandError(f"{key or 'VBALANCE_HEADS_KEY'}: {error}", returncode=BAD_INPUT) from error
        except OSError as error:
            raise CommandError(f"cannot read {error.filename}: {error.strerror}", returncode=BAD_INPUT) from error
