"""A decision in words and figures: its reason by name, the trims that bit, and the stock share it leads to."""

from typing import NamedTuple

from portfolios.domain.amounts import PPM
from portfolios.domain.exact import muldiv_floor
from portfolios.domain.holding import Holding, total_value, value_of
from trading.domain.choices import Action, Decision, Reason, Side
from trading.domain.costs import notional_of


class Trim(NamedTuple):
    """One cut of the wanted quantity, in micro-shares."""

    name: str
    before: int
    after: int


def reason_name(reason: Reason) -> str:
    return reason.name.lower()


def trims_of(decision: Decision) -> list[Trim]:
    """The trims that bit, in their order."""
    steps = (
        Trim("max_trade", decision.raw, decision.after_max_trade),
        Trim("guardrail", decision.after_max_trade, decision.after_guardrail),
        Trim("insufficient_cash", decision.after_guardrail, decision.after_cash),
        Trim("insufficient_shares", decision.after_cash, decision.after_shares),
        Trim("lot", decision.after_shares, decision.after_lot),
    )
    return [step for step in steps if step.after < step.before]


def stock_share(holding: Holding, price: int) -> int:
    """A/V in ppm, floored; 0 for a cell worth nothing."""
    value = total_value(holding, price)
    if value <= 0:
        return 0
    return muldiv_floor(value_of(holding.shares, price), PPM, value)


def after_trade(holding: Holding, decision: Decision, price: int) -> Holding:
    """The holding once the decision's order has filled at its own price, fee paid; unchanged when it does not trade."""
    shares, cash = holding.shares, holding.cash
    if decision.action == Action.BUY:
        shares += decision.quantity
        cash -= notional_of(Side.BUY, decision.quantity, price) + decision.commission
    elif decision.action == Action.SELL:
        shares -= decision.quantity
        cash += notional_of(Side.SELL, decision.quantity, price) - decision.commission
    return Holding(shares, cash, holding.receivable, holding.reserved_cash, holding.reserved_shares, holding.anchor)
