"""What one holding made of itself: bought at the first close, every dividend reinvested, nothing else ever done."""

from collections.abc import Iterable
from typing import NamedTuple

from portfolios.domain.amounts import MICROS, as_text
from portfolios.domain.exact import muldiv_floor
from portfolios.domain.holding import Holding, Rules
from portfolios.domain.settings import merge_settings, parse_settings, rules_from
from trading.simulation.bars import Bars, Dividend, Split
from trading.simulation.baselines import buy_and_hold
from trading.simulation.engine import EX, PAY, SPLIT
from trading.simulation.stage import stage_of

PLACES = 4  # of a percentage


class TotalReturn(NamedTuple):
    """Amounts in micros; dividends is what came to the holder, after tax."""

    started: int
    value: int
    left: Holding
    dividends: int
    paid: int
    splits: int

    @property
    def percent(self) -> float:
        return float(100 * (self.value - self.started) / self.started)

    @property
    def named(self) -> dict[str, str | int | float]:
        return {
            "total_return_percent": round(self.percent, PLACES),
            "started_with": as_text(self.started),
            "value": as_text(self.value),
            "shares": as_text(self.left.shares),
            "cash": as_text(self.left.cash),
            "receivable": as_text(self.left.receivable),
            "dividends_net": as_text(self.dividends),
            "dividends_paid": self.paid,
            "splits": self.splits,
        }


def total_return(
    bars: Bars, dividends: Iterable[Dividend], splits: Iterable[Split], rules: Rules, cash: int
) -> TotalReturn:
    """Of daily bars. Each dividend buys more at the close of the day it is paid on."""
    stage = stage_of(bars, dividends, splits)
    start, steps = buy_and_hold(stage, rules, cash, 0)
    left = start
    if len(steps):
        shares, money, receivable = (int(amount) for amount in steps[-1][7:10])
        left = Holding(shares, money, receivable, 0, 0, 0)
    kinds = stage.happenings.kind.tolist()
    price = int(stage.points.prices[-1])
    return TotalReturn(
        cash,
        muldiv_floor(left.shares, price, MICROS) + left.cash + left.receivable,
        left,
        received(steps.tolist(), start),
        kinds.count(PAY),
        kinds.count(SPLIT),
    )


def received(steps: list[list[int]], start: Holding) -> int:
    """Cash and receivable grow on an ex-date by the net dividend, and by nothing else on that step."""
    total, before = 0, start.cash + start.receivable
    for step in steps:
        total += step[8] + step[9] - before if step[1] == EX else 0
        before = step[8] + step[9]
    return total


def rules_of_holder(withholding: int, commission: int) -> Rules:
    """Both in ppm; fractions of a share are held, down to a millionth."""
    rules = rules_from(merge_settings(parse_settings({})), default_buffer=0)
    return rules._replace(lot=1, withholding=withholding, commission_rate=commission, commission_min=0)


def on_ex_dates(dividends: Iterable[Dividend]) -> list[Dividend]:
    """As if each were paid on its ex-date: the way total return is counted everywhere."""
    return [row._replace(pay_date=row.ex_date) for row in dividends]
