"""`manage.py simulate --bars FILE`: what these settings would have done, to the last micro-dollar."""

import json
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portfolios.domain.amounts import MICROS, PPM, as_dollars, micros
from portfolios.domain.settings import SettingError, merge_settings, parse_settings, rules_from
from trading.simulation.bars import BadFile, read_bars, read_dividends, read_splits
from trading.simulation.report import report_of
from trading.simulation.stage import CLOSE, HIGH_FIRST, LOW_FIRST, PATH

BAD_INPUT = 2


class Command(BaseCommand):
    help = "Runs the rule over recorded bars: what these settings would have done. Needs no database."
    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **words: Any) -> CommandParser:
        """`--settings` is the cell's here: manage.py hands it on under its second name."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **words)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--bars", required=True, metavar="FILE", help="CSV or CSV.gz: date or timestamp, o, h, l, c"
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
        self.stdout.write(json.dumps(answer) if options["json"] else in_words(answer))


class BadOption(ValueError):
    """An option that cannot be: names it and the limit."""


def simulated(options: dict[str, Any]) -> dict[str, Any]:
    slippage = amount_of(options, "slippage_bps", 0, 1_000 * MICROS) // (MICROS // 100)
    rules = rules_from(merge_settings(parse_settings(settings_of(options["cell_settings"]))), default_buffer=slippage)
    cash = amount_of(options, "cash", MICROS, 10**18)
    in_stock = amount_of(options, "start_in_stock", 0, PPM)
    path = Path(options["bars"])
    symbol = options["symbol"] or path.name.split(".")[0].split("_")[0]
    bars = read_bars(path).between(date_of(options, "first"), date_of(options, "last"))
    if len(bars.at) < 2:
        raise BadOption("--from, --to: leave fewer than two bars")
    dividends = read_dividends(Path(options["dividends"]), symbol) if options["dividends"] else []
    splits = read_splits(Path(options["splits"]), symbol) if options["splits"] else []
    return report_of(bars, dividends, splits, rules, cash, in_stock, slippage, options["path"])


def settings_of(given: str) -> dict[str, Any]:
    text = given
    if not given.lstrip().startswith("{"):
        try:
            text = Path(given).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise BadOption(f"--settings: must be a JSON object or a file with one, not {given[:60]}") from None
    try:
        settings = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadOption(f"--settings: is not JSON: {error}") from None
    if not isinstance(settings, dict):
        raise BadOption("--settings: must be a JSON object")
    return settings


def amount_of(options: dict[str, Any], name: str, low: int, high: int) -> int:
    option = f"--{name.replace('_', '-')}"
    try:
        amount = micros(options[name])
    except ValueError as error:
        raise BadOption(f"{option}: {error}") from None
    if not low <= amount <= high:
        raise BadOption(f"{option}: must be from {as_dollars(low)[1:]} to {as_dollars(high)[1:]}")
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
