"""What the page of a new cell shows: the stock as it is known, the next orders both ways, five rehearsed years."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple
from uuid import uuid4

from dividends.models import Dividend, Split
from portfolios.domain.amounts import MICROS, PPM
from portfolios.domain.exact import muldiv_floor
from portfolios.domain.holding import Holding, Rules, Sizing, total_value
from portfolios.models import User
from reporting.comparison import Payout, Ratio
from reporting.hints import Choice, Hint, Known, choices_of, hints_of
from reporting.reading import money, shares
from reporting.rehearsal import Rehearsal, rehearse
from reporting.stormy import Storm, storm_over
from trading.domain.choices import Reason, Side
from trading.domain.explanation import stock_share
from trading.domain.ladder import Ladder, Rung, ladder, next_rung
from trading.forms import NewCellForm, Opening
from trading.market.models import Bar, Instrument
from trading.market.selectors import market_day
from trading.sight import glance
from trading.simulation.storm import Sailor

YEARS, SHORT = 5, 250
RUNGS, SYMBOLS = 5, 100


class Plan(NamedTuple):
    """A cell as it would begin. `first` is the order that drift alone brings at once; the ladder follows it.

    Without a price all that needs one is None.
    """

    opening: Opening
    value: int
    first: Rung | None
    begun: Holding
    ladder: Ladder | None
    rehearsal: Rehearsal | None
    storm: Storm | None
    warnings: list[str]

    @property
    def buy(self) -> Rung | None:
        return self.ladder.buys[0] if self.ladder and self.ladder.buys else None

    @property
    def sell(self) -> Rung | None:
        return self.ladder.sells[0] if self.ladder and self.ladder.sells else None

    @property
    def buys_end(self) -> Reason:
        return reason_of(self.ladder.buys[-1]) if self.ladder and self.ladder.buys else Reason.NONE

    @property
    def sells_end(self) -> Reason:
        return reason_of(self.ladder.sells[-1]) if self.ladder and self.ladder.sells else Reason.NONE

    @property
    def no_buy(self) -> Reason:
        return reason_of(self.buy)

    @property
    def no_sell(self) -> Reason:
        return reason_of(self.sell)

    @property
    def sells(self) -> tuple[Rung, ...]:
        """The farthest first, as prices stand above each other."""
        return self.ladder.sells[::-1] if self.ladder else ()

    @property
    def share_now(self) -> int:
        return stock_share(self.begun, self.begun.anchor)


class NewCell(NamedTuple):
    """The page: its form, what is known of the ticker, what the cell would do; key lets the form open one cell only."""

    form: NewCellForm
    known: Known | None
    plan: Plan | None
    symbols: list[Instrument]
    hints: dict[str, Hint]
    choices: list[Choice]
    key: str

    @property
    def typed(self) -> dict[str, str]:
        """What the confirmation sends: exactly what is shown."""
        return {name: str(self.form.data[name]) for name in self.form.base_fields if name in self.form.data}

    @property
    def complaints(self) -> str:
        """Why there is no plan although a ticker is named."""
        wrong = [f"{name.capitalize()}: {hint.text}" for name, hint in self.hints.items() if hint.wrong]
        return " ".join(wrong) if self.known else ""


def new_cell(user: User, typed: Mapping[str, Any]) -> NewCell:
    form = NewCellForm(user, typed)
    symbols = list(Instrument.objects.order_by("symbol")[:SYMBOLS])
    known = known_of(form.data["ticker"], form.source) if form.data["ticker"] else None
    opening = form.opening(known.price if known else 0)
    plan = plan_of(opening, known, form.source) if opening and known else None
    hints = hints_of(form, [instrument.symbol for instrument in symbols], known)
    return NewCell(form, known, plan, symbols, hints, choices_of(form), uuid4().hex)


def known_of(symbol: str, source: str) -> Known:
    """Nothing of the future of a replayed market: its own day is not over yet."""
    if "\x00" in symbol:
        return Known(symbol, None, None, [])
    day = market_day(source)
    since = date(day.year - YEARS, day.month, min(day.day, 28))
    bars = Bar.objects.filter(symbol=symbol, day__gte=since, day__lt=day).order_by("day")
    instrument = Instrument.objects.filter(symbol=symbol).first()
    return Known(symbol, instrument, glance(symbol, source), list(bars.values_list("day", "close")))


def plan_of(opening: Opening, known: Known, source: str) -> Plan:
    holding, rules, price = opening.holding, opening.rules, known.price
    reference = price or opening.anchor or (known.closes[-1][1] if known.closes else 0)
    value = total_value(holding, reference)
    first = first_order(holding, rules, price)
    begun = first.holding_after if first else holding
    steps = ladder(begun, rules, price or None, RUNGS) if begun.anchor and value else None
    crew = [Sailor(known.symbol, holding, rules, reference)] if reference and value else []
    plan = Plan(opening, value, first, begun, steps, None, storm_over(crew, asked=True), [])
    rehearsal = None
    if known.closes and value:
        share = stock_share(holding, reference)
        rehearsal = rehearse(value, share, rules, known.closes, actions_of(known, source))
    return plan._replace(rehearsal=rehearsal, warnings=warnings_of(plan, known))


def first_order(holding: Holding, rules: Rules, price: int) -> Rung | None:
    """What a cell outside its guardrails does as soon as it sees its first price."""
    if not price:
        return None
    rungs = (next_rung(holding, rules, side, price) for side in (Side.BUY, Side.SELL))
    return next((rung for rung in rungs if rung and rung.fired and rung.decision.quantity), None)


def actions_of(known: Known, source: str) -> list[Payout | Ratio]:
    span = {"symbol": known.symbol, "source": source, "ex_date__lte": known.closes[-1][0]}
    payouts = Dividend.objects.filter(**span, ex_date__gt=known.closes[0][0])
    splits = Split.objects.filter(**span, ex_date__gt=known.closes[0][0])
    return [
        *(Payout(ex_date, dps) for ex_date, dps in payouts.values_list("ex_date", "dps")),
        *(Ratio(*row) for row in splits.values_list("ex_date", "numerator", "denominator")),
    ]


def reason_of(rung: Rung | None) -> Reason:
    """Why a rung trades nothing."""
    if rung is None:
        return Reason.NO_ANCHOR
    return Reason.GUARDRAIL if at_guardrail(rung) else rung.ends


def at_guardrail(rung: Rung) -> bool:
    """Whether it is the guardrail that leaves so little: no cure is needed."""
    return bool(rung.ends) and rung.decision.after_guardrail < rung.decision.after_max_trade


def warnings_of(plan: Plan, known: Known) -> list[str]:
    """What an investor should know before he confirms, each a sentence with its cure."""
    found = []
    if not known.sight:
        found.append(
            f"No price of {known.symbol} is known yet. The cell can be opened and waits: the first good price "
            "becomes its anchor, and nothing is traded before."
        )
    if len(known.closes) < SHORT:
        recorded = f"only {len(known.closes)} sessions" if known.closes else "nothing"
        found.append(f"The record of {known.symbol} is short: {recorded} to rehearse on.")
    rules, typical = plan.opening.rules, muldiv_floor(plan.value, plan.opening.rules.rebalance_ratio, PPM)
    small = rules.sizing == Sizing.ANCHOR_RATIO and plan.value and typical < rules.min_notional
    reasons = {rung.ends for rung in (plan.buy, plan.sell) if rung and not at_guardrail(rung)}
    if small or Reason.BELOW_MIN_NOTIONAL in reasons:
        found.append(
            f"Too small: a trade would be worth about {money(typical)}, and below {money(rules.min_notional)} none "
            "is made, so this cell may never trade. More money helps, or a lower smallest trade in the settings."
        )
    step = "whole shares" if rules.lot == MICROS else f"steps of {shares(rules.lot)} shares"
    if Reason.LOT in reasons:
        found.append(f"Orders in {step} only: one is more than this cell trades at a time. More money helps.")
    elif rules.lot > 1:
        found.append(f"Orders in {step} only: sizes are rounded down.")
    if plan.first and plan.first.decision.reason != Reason.GUARDRAIL_REBALANCE:
        found.append("The anchor is so far from the price that a trigger has fired already: it trades at once.")
    return found
