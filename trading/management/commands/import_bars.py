"""`manage.py import_bars FILE --symbol X`: recorded bars out of a file of any size, all of them or none."""

import json
import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from portfolios.errors import Refused
from trading.bars.catalogue import BarsGone
from trading.bars.faults import Unfit
from trading.bars.imports import found_in, take_in
from trading.bars.resolutions import DAILY, RESOLUTIONS
from trading.bars.services import Findings, Wish, look_over
from trading.management.progress import ProgressBar

BAD_INPUT = 2


class Command(BaseCommand):
    help = "Import bars from CSV, CSV.gz or Parquet. Says all that is wrong with a file, up to 20 lines, and then none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="with date or timestamp, open, high, low, close and, if there is, volume")
        parser.add_argument("--symbol", required=True, help="whose bars they are")
        parser.add_argument(
            "--resolution", default="", help=f"{', '.join(RESOLUTIONS)}; found in the file if not given"
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what is in it")
        parser.add_argument("--replace", action="store_true", help="other values than those recorded replace them")
        parser.add_argument("--accept-jumps", action="store_true", help="jumps without a known split are real")
        parser.add_argument("--json", action="store_true", help="one object")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["file"])
        wish = Wish(path, path.name, options["symbol"].upper(), options["resolution"], options["accept_jumps"])
        self.take(wish, options, ProgressBar(sys.stderr))

    def take(self, wish: Wish, options: dict[str, Any], bar: ProgressBar) -> None:
        try:
            if options["dry_run"]:
                found = look_over(wish, bar)
            else:
                found = take_in(wish, replace=options["replace"], progress=bar)
        except Unfit as error:
            raise self.unfit(error, wish.path, as_json=options["json"]) from None
        except Refused as error:
            option = {"replace": "--replace: ", "symbol": "--symbol: ", "resolution": "--resolution: "}
            raise CommandError(option.get(error.field, "") + error.message, returncode=BAD_INPUT) from None
        except BarsGone as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from None
        except DatabaseError:
            raise CommandError("the database cannot be asked", returncode=BAD_INPUT) from None
        finally:
            bar.clear()
        told = found_in(found) | {"imported": not options["dry_run"]}
        self.stdout.write(json.dumps(told) if options["json"] else in_words(found, options["dry_run"]))

    def unfit(self, error: Unfit, path: Path, *, as_json: bool) -> CommandError:
        """The first in the one line that ends the command; all of them before it."""
        if as_json:
            self.stdout.write(json.dumps({"imported": False, "errors": [fault._asdict() for fault in error.faults]}))
        elif len(error.faults) > 1:
            self.stderr.write("\n".join(f"{path.name} {fault}" for fault in error.faults))
        more = f"; {len(error.faults)} errors in all" if len(error.faults) > 1 else ""
        more = "; 20 errors or more" if len(error.faults) == 20 else more
        return CommandError(f"{path.name} {error.faults[0]}{more}; nothing is imported", returncode=BAD_INPUT)


def in_words(found: Findings, is_dry: bool) -> str:
    first, last = (moment(at, found.resolution) for at in (found.first, found.last))
    lines = [
        f"{found.symbol} {found.resolution}: {found.rows:,} bars, {first} to {last}",
        f"  new {found.new:,}, already there {found.same:,}, recorded otherwise {found.different:,}",
        *(f"  note: {warning}" for warning in found.warnings),
    ]
    return "\n".join([*lines, "nothing is imported: this was a dry run"] if is_dry else lines)


def moment(at: int, resolution: str) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d" if resolution == DAILY else "%Y-%m-%d %H:%M UTC")
