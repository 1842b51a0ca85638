"""Make an API token and print its secret, the only time it is shown."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portfolios.errors import Refused
from portfolios.models import User
from portfolios.services.tokens import SCOPES, create_token

BAD_INPUT = 2


class Command(BaseCommand):
    help = "Make an API token for a user. Prints the secret alone on standard output; it cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="command line", help="what the token is for")
        parser.add_argument("--scopes", default="read", help=f"comma-separated, among {' '.join(SCOPES)}")
        parser.add_argument("--days", type=int, default=90, help="how long it lives")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"there is no user {options['username']!r}", returncode=BAD_INPUT)
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        try:
            token, secret = create_token(user=user, name=options["name"], scopes=scopes, days=options["days"])
        except Refused as refused:
            raise CommandError(refused.message, returncode=BAD_INPUT) from refused
        self.stderr.write(f"{token.name}: {', '.join(token.scopes)} until {token.expires_at:%Y-%m-%d}")
        self.stdout.write(secret)
