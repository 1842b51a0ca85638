"""`manage.py simulate --bars FILE|SYMBOL`: what these settings would have done, to the last micro-dollar."""

import json
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import django
from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from portfolios.domain.amounts import MAX_AMOUNT, MICROS, PPM, as_text, micros
from portfolios.domain.settings import SettingError, merge_settings, parse_settings, rules_from
from portfolios.strict_json import parse_json, reason
from trading.bars.lines import BadFile
from trading.bars.resolutions import DAILY, RESOLUTIONS
from trading.simulation.bars import Bars, Dividend, Split, read_bars, read_dividends, read_splits
from trading.simulation.report import report_of
from trading.simulation.runs import TooLarge
from trading.simulation.stage import CLOSE, HIGH_FIRST, LOW_FIRST, PATH

BAD_INPUT = 2
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MOST_SLIPPAGE = 1_000 * MICROS  # basis points


class Command(BaseCommand):
    """manage.py runs it without the apps, which take a second; whoever asks for the record sets them up."""

    help = "Runs the rule over recorded bars: what these settings would have done. A file needs no database."
    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **words: Any) -> CommandParser:
        """`--settings` is the cell's here: manage.py hands it on under its second name."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **words)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--bars",
            required=True,
            metavar="FILE|SYMBOL",
            help="CSV, CSV.gz or Parquet with date or timestamp, open, high, low, close; or a symbol of our own record",
        )
        parser.add_argument(
            "--resolution", choices=RESOLUTIONS, default=DAILY, help="of our own record; default: %(default)s"
        )
        parser.add_argument("--symbol", help="of the bars; default: what the file is called")
        parser.add_argument("--dividends", metavar="FILE", help="CSV: symbol, ex_date, pay_date, amount, type")
        parser.add_argument("--splits", metavar="FILE", help="CSV: symbol, ex_date, ratio")
        parser.add_argument(
            "--settings",
            "--cell-settings",
            dest="cell_settings",
            default="{}",
            metavar="JSON|FILE",
            help="of the cell, as people write them; what is not given is the default",
        )
        parser.set_defaults(settings=None)  # Django's own, which it looks for
        parser.add_argument("--cash", default="10000", help="what the cell begins with")
        parser.add_argument("--start-in-stock", default="0.5", metavar="SHARE", help="bought at the first close, free")
        parser.add_argument("--slippage-bps", default="0", metavar="BPS")
        parser.add_argument("--from", dest="first", metavar="DATE")
        parser.add_argument("--to", dest="last", metavar="DATE")
        parser.add_argument("--path", choices=(CLOSE, PATH, LOW_FIRST, HIGH_FIRST), default=CLOSE)
        parser.add_argument("--json", action="store_true", help="one object, fills included")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            answer = simulated(options)
        except SettingError as error:
            raise CommandError(f"--settings {error}", returncode=BAD_INPUT) from None
        except (BadFile, BadOption) as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from None
        except TooLarge as error:
            raise CommandError(f"--cash: {error.WHY}", returncode=BAD_INPUT) from None
        self.stdout.write(json.dumps(answer) if options["json"] else in_words(answer))


class BadOption(ValueError):
    """An option that cannot be: names it and the limit."""


class History(NamedTuple):
    bars: Bars
    dividends: list[Dividend]
    splits: list[Split]


def simulated(options: dict[str, Any]) -> dict[str, Any]:
    slippage = slippage_of(options)
    rules = rules_from(merge_settings(parse_settings(settings_of(options["cell_settings"]))), default_buffer=slippage)
    cash = amount_of(options, "cash", MICROS, MAX_AMOUNT)
    in_stock = amount_of(options, "start_in_stock", 0, PPM)
    first, last = date_of(options, "first"), date_of(options, "last")
    history = history_of(options)
    bars = history.bars.between(first, last)
    if len(bars.at) < 2:
        raise BadOption("--from, --to: leave fewer than two bars, the first of which only sets the anchor")
    return report_of(bars, history.dividends, history.splits, rules, cash, in_stock, slippage, options["path"])


def history_of(options: dict[str, Any]) -> History:
    """A file where there is one of that name, else our own record with its dividends and splits."""
    path = Path(options["bars"])
    from_file = path.exists() or path.suffix or len(path.parts) != 1
    symbol = options["symbol"] or path.name.split(".")[0].split("_")[0]
    history = (
        History(read_bars(path), [], []) if from_file else recorded_history(options["bars"], options["resolution"])
    )
    if options["dividends"]:
        history = history._replace(dividends=read_dividends(Path(options["dividends"]), symbol))
    if options["splits"]:
        history = history._replace(splits=read_splits(Path(options["splits"]), symbol))
    return history


def recorded_history(symbol: str, resolution: str) -> History:
    if not apps.ready:
        django.setup()
    from trading.bars.catalogue import BarsGone  # noqa: PLC0415 - 1 s
    from trading.simulation.recorded import recorded_actions, recorded_bars, recorded_symbols  # noqa: PLC0415 - 1 s

    kind = "record" if resolution == DAILY else f"{resolution} bars"
    missing = f"--bars: there is no file {symbol[:60]!a} and no {kind} of a symbol of that name"
    try:
        if "\x00" in symbol or not len((bars := recorded_bars(symbol, resolution=resolution)).at):
            raise BadOption(f"{missing}; recorded are {', '.join(recorded_symbols(resolution)) or 'none'}")
        return History(bars, *recorded_actions(symbol))
    except BarsGone as error:
        raise BadOption(f"--bars: {error}") from None
    except DatabaseError:
        raise BadOption(f"{missing}: the database cannot be asked") from None


def settings_of(given: str) -> dict[str, Any]:
    raw = given.encode(errors="surrogateescape")
    if not given.lstrip().startswith("{"):
        try:
            raw = Path(given).read_bytes()
        except (OSError, ValueError):
            raise BadOption(f"--settings: must be a JSON object or a file with one, not {given[:60]!a}") from None
    try:
        settings = parse_json(raw.removeprefix(BYTE_ORDER_MARK))
    except (ValueError, RecursionError) as error:
        raise BadOption(f"--settings: is not acceptable JSON: {reason(error)}") from None
    if not isinstance(settings, dict):
        raise BadOption("--settings: must be a JSON object")
    return settings


def slippage_of(options: dict[str, Any]) -> int:
    """In ppm."""
    bps = amount_of(options, "slippage_bps", 0, MOST_SLIPPAGE)
    slippage, rest = divmod(bps, MICROS // 100)
    if rest:
        raise BadOption("--slippage-bps: must be a multiple of 0.01")
    return slippage


def amount_of(options: dict[str, Any], name: str, low: int, high: int) -> int:
    option = f"--{name.replace('_', '-')}"
    try:
        amount = micros(options[name])
    except ValueError as error:
        raise BadOption(f"{option}: {error}") from None
    if not low <= amount <= high:
        raise BadOption(f"{option}: must be from {as_text(low)} to {as_text(high)}")
    return amount


def date_of(options: dict[str, Any], name: str) -> date | None:
    if not options[name]:
        return None
    try:
        return date.fromisoformat(options[name])
    except ValueError:
        option = {"first": "--from", "last": "--to"}[name]
        raise BadOption(f"{option}: must be a date such as 2020-08-31") from None


def in_words(answer: dict[str, Any]) -> str:
    lines = [
        f"{answer['bars']} bars, {answer['from']} to {answer['to']}: {answer['trades']} trades",
        f"  value {answer['value']}, of it {answer['shares']} shares and {answer['cash']} in cash",
        f"  fees {answer['fees']}, net dividends {answer['dividends_net']}",
    ]
    for name, figures in (("robot", answer["metrics"]), *answer["baselines"].items()):
        total, fall = figures["total_return"], figures["max_drawdown"]
        lines.append(f"  {name.replace('_', ' '):14} {100 * total:10.2f} %   deepest fall {100 * fall:7.2f} %")
    return "\n".join(lines)
