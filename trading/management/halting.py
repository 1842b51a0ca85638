"""What `halt` and `resume` share: which scope is meant, who types, and one line for whatever cannot be."""

import getpass
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

from django.core.management.base import CommandError
from django.db import OperationalError

from portfolios.errors import Refused
from portfolios.models import Account, Portfolio, Position
from trading.risk.models import Halt

BAD_INPUT = 2
MODELS: dict[str, type[Portfolio] | type[Position] | type[Account]] = {
    "portfolio": Portfolio,
    "position": Position,
    "account": Account,
}


class Target(NamedTuple):
    """What is halted, and how it is called in a sentence."""

    scope: str
    pk: int | None
    name: str

    @property
    def filter(self) -> dict[str, Any]:
        return {"scope": self.scope} | ({f"{self.scope}_id": self.pk} if self.pk else {})


def add_arguments(parser: ArgumentParser) -> None:
    for name in MODELS:
        parser.add_argument(f"--{name}", metavar="ID", help=f"only this {name}; left out: the whole house")
    parser.add_argument("--reason", default="", metavar="TEXT", help="one line, kept in the log; needed")
    parser.add_argument("--by", default="", metavar="NAME", help="who you are; left out: who is logged in here")


def target_in(options: dict[str, Any]) -> Target:
    """Raises CommandError, exit code 2."""
    given = {name: options[name] for name in MODELS if options[name] is not None}
    if len(given) > 1:
        raise CommandError(f"name one of {', '.join(f'--{name}' for name in given)}", returncode=BAD_INPUT)
    for name, text in given.items():
        row = MODELS[name].objects.filter(public_id=read_id(name, text)).first()
        if row is None:
            raise CommandError(f"--{name}: there is no such {name}", returncode=BAD_INPUT)
        return Target(name, row.pk, f"{name} {row}")
    return Target(Halt.Scope.GLOBAL, None, "the whole house")


def read_id(name: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise CommandError(f"--{name}: {text!r} is no id", returncode=BAD_INPUT) from None


def person_in(options: dict[str, Any]) -> str:
    """Raises CommandError, exit code 2."""
    name = options["by"].strip() or getpass.getuser()
    if len(name) > 100 or not name.isprintable():
        raise CommandError("--by: must be one line of at most 100 characters", returncode=BAD_INPUT)
    return f"shell:{name}"


@contextmanager
def in_one_line() -> Iterator[None]:
    """Raises CommandError for what is refused (exit code 2) and for a database that is away (1)."""
    try:
        yield
    except Refused as refused:
        option = f"--{refused.field}: " if refused.field else ""
        raise CommandError(f"{option}{refused.message}", returncode=BAD_INPUT) from None
    except OperationalError as error:
        first = str(error).strip().partition("\n")[0]
        raise CommandError(f"the database does not answer ({first}); under ./run type: ./run manage ...") from None
