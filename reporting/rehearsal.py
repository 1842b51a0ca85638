"""What a cell would have done with recorded closes: the very rule, once a day, beside buying and holding. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from dividends.domain.payments import anchor_ex_dividend, payment_for
from dividends.domain.splits import split_holding
from portfolios.domain.amounts import MICROS, PPM
from portfolios.domain.exact import muldiv_floor
from portfolios.domain.holding import Holding, Rules, total_value, value_of
from reporting.comparison import Payout, Ratio, Untouched, left_alone_over, order_of, value_untouched
from trading.domain.band import wake_band
from trading.domain.choices import OPEN, Action, moves_anchor
from trading.domain.decision import decide
from trading.domain.explanation import after_trade

PAID_AFTER = timedelta(days=30)  # as for every pay date nobody knows
Closes = Sequence[tuple[date, int]]


class State(NamedTuple):
    """The cell on its way; `due` are the dividends gone ex and not yet paid."""

    holding: Holding
    due: tuple[tuple[date, int], ...] = ()
    trades: int = 0
    fees: int = 0
    dividends: int = 0


class Course(NamedTuple):
    """One way through the years: its worth on each day (micros) and the deepest fall from a peak (ppm)."""

    values: list[int]
    deepest: int

    @property
    def end(self) -> int:
        return self.values[-1]

    @property
    def gain_ppm(self) -> int:
        return (self.end - self.values[0]) * PPM // max(self.values[0], 1)


class Rehearsal(NamedTuple):
    days: list[date]
    cell: Course
    held: Course
    trades: int
    fees: int
    dividends: int
    held_dividends: int


def rehearse(
    value: int, stock_share: int, rules: Rules, closes: Closes, actions: Iterable[Payout | Ratio]
) -> Rehearsal:
    """The same money (micros) with the same stock share (ppm) from the first close on; at least one close."""
    actions = sorted(actions, key=order_of)
    days, (opened_on, first) = [day for day, _ in closes], closes[0]
    state, previous, values = State(opening(value, stock_share, rules, first)), first, []
    waiting = [action for action in reversed(actions) if action.ex_date > opened_on]
    for day, close in closes:
        state = paid(state, day)
        while waiting and waiting[-1].ex_date <= day:
            state = gone_ex(state, waiting.pop(), rules, previous)
        state = traded(state, rules, close)
        values.append(total_value(state.holding, close))
        previous = close
    bought = opening(value, PPM, rules, first)
    start = Untouched(bought.shares, bought.cash)
    held = list(left_alone_over(days, opened_on, start, rules.withholding, actions))
    beside = [value_untouched(untouched, close) for untouched, (_, close) in zip(held, closes, strict=True)]
    counted = state.trades, state.fees, state.dividends, held[-1].cash - start.cash
    return Rehearsal(days, course(values), course(beside), *counted)


def opening(value: int, stock_share: int, rules: Rules, price: int) -> Holding:
    """Shares worth that part of the money, whole lots, the rest in cash; the anchor at the price."""
    shares = muldiv_floor(value, stock_share, PPM, MICROS, price)
    shares -= shares % rules.lot
    return Holding(shares, value - value_of(shares, price), 0, 0, 0, price)


def paid(state: State, day: date) -> State:
    """Receivables whose pay date has come become cash."""
    net = sum(amount for due, amount in state.due if due <= day)
    if not net:
        return state
    holding = state.holding
    holding = holding._replace(cash=holding.cash + net, receivable=holding.receivable - net)
    return state._replace(holding=holding, due=tuple(item for item in state.due if item[0] > day))


def gone_ex(state: State, action: Payout | Ratio, rules: Rules, last_close: int) -> State:
    holding = state.holding
    if isinstance(action, Ratio):
        ratio = action.numerator, action.denominator
        split = split_holding(holding.shares, holding.anchor, rules.lot, *ratio, last_close)
        cash = holding.cash + split.cash_in_lieu
        return state._replace(holding=holding._replace(shares=split.shares, anchor=split.anchor, cash=cash))
    net = payment_for(holding.shares, action.per_share, rules.withholding).net
    anchor = anchor_ex_dividend(holding.anchor, action.per_share)
    return state._replace(
        holding=holding._replace(receivable=holding.receivable + net, anchor=anchor),
        due=(*state.due, (action.ex_date + PAID_AFTER, net)),
        dividends=state.dividends + net,
    )


def traded(state: State, rules: Rules, close: int) -> State:
    """One look at the close; an order fills at it, and the anchor follows. Inside the wake-up band there is none."""
    holding = state.holding
    if holding.anchor == 0:
        return state._replace(holding=holding._replace(anchor=close))
    band = wake_band(holding, rules)
    if band.below < close < band.above:
        return state
    decision = decide(holding, rules, close, OPEN)
    if decision.action in (Action.BUY, Action.SELL):
        holding = after_trade(holding, decision, close)._replace(anchor=close)
        return state._replace(holding=holding, trades=state.trades + 1, fees=state.fees + decision.commission)
    if rules.reanchor_after_skip and moves_anchor(decision.reason):
        return state._replace(holding=holding._replace(anchor=close))
    return state


def course(values: list[int]) -> Course:
    peak, deepest = values[0], 0
    for value in values:
        peak = max(peak, value)
        deepest = max(deepest, (peak - value) * PPM // max(peak, 1))
    return Course(values, deepest)
