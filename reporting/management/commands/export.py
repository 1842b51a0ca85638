"""`manage.py export KIND --output FILE`: data as a file, for whoever runs the house and may see all of it."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import QueryDict

from portfolios.api.problems import Problem
from portfolios.errors import Refused
from reporting.exports.files import FORMATS, write
from reporting.exports.kinds import KINDS
from reporting.exports.query import export_of
from reporting.metrics.periods import PRESETS

PARAMETERS = {"portfolio": "portfolio_id", "position": "position_id"} | {
    name: name for name in ("from", "to", "preset", "only")
}
BAD_INPUT = 2


class Command(BaseCommand):
    help = "Writes an export of all portfolios, of one or of one cell. The file is whole or not there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", help=", ".join(KINDS))
        parser.add_argument("--format", help=f"{', '.join(FORMATS)}; left out: as the file's name ends")
        parser.add_argument("--portfolio", metavar="ID")
        parser.add_argument("--position", metavar="ID")
        parser.add_argument("--from", metavar="DAY", help="first market day, as 2007-01-03")
        parser.add_argument("--to", metavar="DAY", help="last market day, included")
        parser.add_argument("--preset", help=", ".join(PRESETS))
        parser.add_argument("--only", help="trades: leave out what was not traded")
        parser.add_argument("--output", required=True, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["output"])
        kind = chosen(KINDS, "kind", options["kind"])
        form = chosen(FORMATS, "format", options["format"] or path.suffix.removeprefix("."))
        parameters = QueryDict(mutable=True)
        parameters.update({name: options[own] for own, name in PARAMETERS.items() if options[own] is not None})
        try:
            write(export_of(kind, None, parameters), form, path)
        except Problem as problem:
            raise CommandError(in_one_line(problem), returncode=BAD_INPUT) from None
        except Refused as refused:
            raise CommandError(refused.message, returncode=BAD_INPUT) from None
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror or error}", returncode=BAD_INPUT) from None


def chosen(known: dict[str, Any], what: str, name: str) -> Any:
    if name not in known:
        raise CommandError(f"{what} must be one of {', '.join(known)}, not {name!r}", returncode=BAD_INPUT)
    return known[name]


def in_one_line(problem: Problem) -> str:
    """Each fault under the name of the option it came from."""
    options = {name: own for own, name in PARAMETERS.items()}
    faults = [f"--{options.get(fault.parameter, fault.parameter)}: {fault.detail}" for fault in problem.faults]
    return " ".join(faults or [problem.text])
