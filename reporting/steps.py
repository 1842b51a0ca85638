"""The ladder as its table shows it: sells from the highest price down, then buys, each with what is special about it.

Pure.
"""

from collections.abc import Sequence
from typing import NamedTuple

from portfolios.domain.amounts import MICROS, PPM
from portfolios.domain.exact import muldiv_floor
from portfolios.domain.holding import Holding, Rules
from reporting.wording import reason_in_words
from trading.domain.ladder import Rung, bitten_by, ladder

RUNGS = 5


class Step(NamedTuple):
    """One rung, how far its price is from today's (signed ppm, None without a price), and its amount in micros."""

    rung: Rung
    away: int | None
    amount: int
    notes: tuple[str, ...]


class Steps(NamedTuple):
    """Both by falling price, so that today's price stands between them."""

    sells: list[Step]
    buys: list[Step]


def steps_of(holding: Holding, rules: Rules, price: int | None) -> Steps:
    """The next orders each way."""
    both = ladder(holding, rules, price, RUNGS)
    return Steps(one_side(both.sells, price)[::-1], one_side(both.buys, price))


def one_side(rungs: Sequence[Rung], price: int | None) -> list[Step]:
    guardrail = bitten_by(tuple(rungs), "guardrail")
    spent = bitten_by(tuple(rungs), "insufficient_cash", "insufficient_shares")
    return [step_of(rung, price, rung is guardrail, rung is spent) for rung in rungs]


def step_of(rung: Rung, price: int | None, meets_guardrail: bool, is_spent: bool) -> Step:
    notes = []
    if meets_guardrail:
        notes.append("the guardrail bites from here on")
    if is_spent:
        notes.append("cash ends here" if rung.side.name == "BUY" else "shares end here")
    if rung.ends:
        notes.append(f"no order: {reason_in_words(rung.ends)}")
    away = None
    if price:
        away = muldiv_floor(abs(rung.price - price), PPM, price) * (1 if rung.price >= price else -1)
    return Step(rung, away, muldiv_floor(rung.decision.quantity, rung.price, MICROS), tuple(notes))
