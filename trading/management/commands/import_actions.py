"""`manage.py import_actions --dividends FILE --splits FILE`: announcements out of files, all of them or none."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from portfolios.errors import Refused
from portfolios.services.positions import SYMBOL
from trading.bars.lines import BadFile, Line, lines_of
from trading.market.selectors import market_now
from trading.services.told_actions import Told, ToldDividend, ToldSplit, summed, take_actions
from trading.simulation.bars import read_dividends, read_splits

BAD_INPUT = 2


class Command(BaseCommand):
    help = "Announce dividends and splits out of CSV files. The same files again announce nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dividends", metavar="FILE", help="CSV: symbol, ex_date, pay_date, amount, type")
        parser.add_argument("--splits", metavar="FILE", help="CSV: symbol, ex_date, ratio")
        parser.add_argument(
            "--source", choices=sorted(settings.PRICE_SOURCES), default="replay", help="of prices; default: %(default)s"
        )
        parser.add_argument("--correct", action="store_true", help="other terms than announced replace them")
        parser.add_argument("--json", action="store_true", help="one object")

    def handle(self, *args: Any, **options: Any) -> None:
        source = options["source"]
        try:
            told = told_by(options["dividends"], options["splits"])
            taken = take_actions(
                source=source,
                told=told,
                corrects=options["correct"],
                market_at=market_now(source),
                actor="import",
            )
        except BadFile as error:
            raise CommandError(f"{error}; nothing is announced", returncode=BAD_INPUT) from None
        except Refused as error:
            raise CommandError(f"{error.message}; nothing is announced", returncode=BAD_INPUT) from None
        except DatabaseError:
            raise CommandError("the database cannot be asked", returncode=BAD_INPUT) from None
        if options["json"]:
            self.stdout.write(json.dumps(taken._asdict()))
            return
        self.stdout.write(f"new {taken.new:,}, already announced {taken.same:,}, corrected {taken.corrected:,}")
        if taken.different:
            first = ", ".join(taken.different[:5])
            self.stdout.write(f"announced otherwise and left so: {len(taken.different)} ({first}); see --correct")


def told_by(dividends: str | None, splits: str | None) -> Told:
    """Raises BadFile, and CommandError where no file is named."""
    if not (dividends or splits):
        raise CommandError("--dividends, --splits: name a file or two", returncode=BAD_INPUT)
    paid = dividends_in(Path(dividends)) if dividends else ()
    return Told(paid, splits_in(Path(splits)) if splits else ())


def dividends_in(path: Path) -> tuple[ToldDividend, ...]:
    known = {(symbol_of(line), line.text("ex_date"), line.given("pay_date")) for line in lines_of(path, ("symbol",))}
    dated = {(symbol, ex_date) for symbol, ex_date, pay_date in known if pay_date}
    rows = (
        ToldDividend(symbol, row.ex_date, row.dps, row.pay_date if (symbol, row.ex_date.isoformat()) in dated else None)
        for symbol in sorted({symbol for symbol, *_ in known})
        for row in read_dividends(path, symbol)
    )
    return summed(rows)


def splits_in(path: Path) -> tuple[ToldSplit, ...]:
    symbols = sorted({symbol_of(line) for line in lines_of(path, ("symbol",))})
    return tuple(ToldSplit(symbol, *row) for symbol in symbols for row in read_splits(path, symbol))


def symbol_of(line: Line) -> str:
    symbol = line.text("symbol").upper()
    if not SYMBOL.fullmatch(symbol):
        raise line.bad("symbol", "must be a symbol such as IBM or BRK.B")
    return symbol
