"""Give the programs' database role what they need, and nothing that could change the log. Run as the owner.

The role is that of DATABASE_APP_URL, or --role; it is made if it is not there. Running it again changes nothing.
"""

from argparse import ArgumentParser
from typing import Any

import dj_database_url
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from portfolios.services.guards import grant_role

BAD_INPUT = 2


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--role", default="", help="another than that of DATABASE_APP_URL; its password stays")

    def handle(self, *_args: Any, **options: Any) -> None:
        given = dj_database_url.parse(settings.DATABASE_APP_URL) if settings.DATABASE_APP_URL else {}
        role = options["role"] or given.get("USER", "")
        if not role:
            raise CommandError("which role? Give --role NAME or DATABASE_APP_URL", returncode=BAD_INPUT)
        if role == connection.settings_dict["USER"]:
            raise CommandError(f"{role} is the owner itself; the programs need a role of their own", returncode=2)
        try:
            grant_role(role=role, password="" if options["role"] else given.get("PASSWORD", ""))
        except DatabaseError as error:
            raise CommandError(f"not granted: {str(error).strip().splitlines()[0]}", returncode=1) from error
        self.stdout.write(f"{role} may do what the programs do; the log it may only add to")
