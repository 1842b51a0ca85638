"""`manage.py total_return --bars FILE|SYMBOL`: holding with dividends reinvested, by our own ledger."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portfolios.domain.amounts import MAX_AMOUNT, MICROS, PPM
from trading.bars.lines import BadFile
from trading.management.commands.simulate import (
    BAD_INPUT,
    BadOption,
    amount_of,
    date_of,
    history_of,
)
from trading.simulation.report import day_text
from trading.simulation.total_return import TotalReturn, on_ex_dates, rules_of_holder, total_return

EX, PAID = "ex", "paid"


class Command(BaseCommand):
    help = "Buy at the first close, hold, reinvest each dividend: the total return, by the ledger's own arithmetic."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--bars", required=True, metavar="FILE|SYMBOL", help="daily bars; or a symbol of our record"
        )
        parser.add_argument("--symbol", help="of the bars; default: what the file is called")
        parser.add_argument("--dividends", metavar="FILE", help="CSV: symbol, ex_date, pay_date, amount, type")
        parser.add_argument("--splits", metavar="FILE", help="CSV: symbol, ex_date, ratio")
        parser.add_argument("--from", dest="first", metavar="DATE")
        parser.add_argument("--to", dest="last", metavar="DATE")
        parser.add_argument("--cash", default="1000000", help="bought for at the first close; default: %(default)s")
        parser.add_argument("--withholding", default="0", metavar="SHARE", help="tax on dividends, 0 to 1")
        parser.add_argument("--commission-bps", default="0", metavar="BPS")
        parser.add_argument(
            "--reinvest", choices=(EX, PAID), default=EX, help="at the close of the ex-date, or of the pay date"
        )
        parser.add_argument("--json", action="store_true", help="one object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            answer = answered(options)
        except (BadFile, BadOption) as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from None
        self.stdout.write(json.dumps(answer) if options["json"] else in_words(answer))


def answered(options: dict[str, Any]) -> dict[str, Any]:
    cash = amount_of(options, "cash", MICROS, MAX_AMOUNT // MICROS)
    rules = rules_of_holder(amount_of(options, "withholding", 0, PPM), commission_of(options))
    first, last = date_of(options, "first"), date_of(options, "last")
    history = history_of(options | {"resolution": "1day"})
    if not history.bars.is_daily:
        raise BadOption("--bars: must be daily bars, whose close is the price of reinvesting")
    bars = history.bars.between(first, last)
    if len(bars.at) < 2:
        raise BadOption("--from, --to: leave fewer than two bars")
    dividends = history.dividends if options["reinvest"] == PAID else on_ex_dates(history.dividends)
    found: TotalReturn = total_return(bars, dividends, history.splits, rules, cash)
    return {
        "bars": len(bars.at),
        "from": day_text(int(bars.days[0])),
        "to": day_text(int(bars.days[-1])),
        **found.named,
    }


def commission_of(options: dict[str, Any]) -> int:
    """In ppm."""
    rate, rest = divmod(amount_of(options, "commission_bps", 0, 1_000 * MICROS), MICROS // 100)
    if rest:
        raise BadOption("--commission-bps: must be a multiple of 0.01")
    return rate


def in_words(answer: dict[str, Any]) -> str:
    return "\n".join(
        [
            f"{answer['bars']} bars, {answer['from']} to {answer['to']}: "
            f"{answer['total_return_percent']:,.2f} % in all",
            f"  {answer['started_with']} became {answer['value']}: {answer['shares']} shares, "
            f"{answer['cash']} in cash, {answer['receivable']} to come",
            f"  {answer['dividends_paid']} dividends, {answer['dividends_net']} in all; {answer['splits']} splits",
        ]
    )
