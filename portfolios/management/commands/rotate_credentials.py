"""Encrypt every account's credentials under the newest of VBALANCE_CREDENTIAL_KEYS. Running it again is harmless."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portfolios.services.accounts import rotate_credentials


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        changed, unchanged, unreadable = rotate_credentials()
        for code in unreadable:
            self.stderr.write(f"{code}: encrypted under a key that is not here")
        self.stdout.write(
            f"{changed} re-encrypted, {unchanged} already under the newest key, {len(unreadable)} unreadable"
        )
        if unreadable:
            raise CommandError("keep the old keys, or give these accounts their credentials again", returncode=1)
