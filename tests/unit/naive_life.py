"""A life told again from the contract, day by day and bar by bar, without band, machine code or the engine's loop.

It shares with the engine only the rule (`decide`); days, corporate actions, fills and fees are stated anew.
"""

from collections import Counter
from datetime import timedelta
from typing import NamedTuple

from portfolios.domain.amounts import MAX_AMOUNT
from portfolios.domain.holding import Holding, Rules
from tests.unit.simulations import Life
from trading.domain.choices import Action, Gates, Reason, Side
from trading.domain.decision import decide
from trading.simulation.bars import EPOCH
from trading.simulation.engine import ANCHOR_RESET, ANCHOR_SET, EX, FILL, PAY, SPLIT

MILLION = 1_000_000
OF_SIZE = ("max_trade", "guardrail", "insufficient_cash", "insufficient_shares", "lot", "below_min_notional")


class Told(NamedTuple):
    """point, kind, signed shares, price, notional, fee; shares, cash, receivable, anchor after it."""

    steps: list[tuple[int, ...]]
    skips: dict[str, int]
    left: tuple[int, int, int, int]


def up(n: int, d: int) -> int:
    return -(-n // d)


def look_prices(bar: list[int], path: str) -> list[int]:
    opened, high, low, close = bar
    if path == "close":
        return [close]
    low_first = {"low-first": True, "high-first": False}.get(path, opened - low <= high - opened)
    return [opened, low, high, close] if low_first else [opened, high, low, close]


def told(life: Life, path: str) -> Told:
    cell = {"shares": life.start.shares, "cash": life.start.cash, "receivable": 0, "anchor": life.start.anchor}
    rules, steps, skips = life.rules, [], Counter()
    today, sent, paused, before, point = None, 0, False, 0, -1
    waiting = agenda(life)
    owed: dict[int, int] = {}

    def write(kind: int, *trade: int) -> None:
        trade = trade or (0, 0, 0, 0)
        steps.append((point, kind, *trade, cell["shares"], cell["cash"], cell["receivable"], cell["anchor"]))

    for number, bar in enumerate(life.bars.prices.tolist()):
        day = EPOCH + timedelta(days=int(life.bars.days[number]))
        session = int(life.bars.market[number])
        for price in look_prices(bar, path if number else "close"):
            point += 1
            if day != today:
                today, sent = day, 0
            if point == 0:
                waiting = [item for item in waiting if item[0] > day]
                known = {item[2] for item in waiting if item[1] == EX}
                waiting = [item for item in waiting if item[1] != PAY or item[2] in known]
                before = price
                continue
            while waiting and waiting[0][0] <= day:
                _, kind, which, action = waiting.pop(0)
                if kind == SPLIT:
                    split(cell, rules, action, before)
                elif kind == EX:
                    gross = cell["shares"] * action.dps // MILLION
                    owed[which] = gross - up(gross * rules.withholding, MILLION)
                    cell["receivable"] += owed[which]
                    had, cell["anchor"] = cell["anchor"], max(cell["anchor"] - action.dps, 0)
                    paused = paused or bool(had and not cell["anchor"])
                else:
                    cell["receivable"] -= owed[which]
                    cell["cash"] += owed[which]
                write(kind)
            before = price
            if cell["anchor"] == 0:
                cell["anchor"] = price
                write(ANCHOR_SET)
                continue
            shut = session == 1 and not rules.after_hours
            gates = Gates(int(paused), 0, 0, 0, 0, int(shut), 0, 0, int(sent >= rules.max_orders_per_day))
            holding = Holding(cell["shares"], cell["cash"], cell["receivable"], 0, 0, cell["anchor"])
            decision = decide(holding, rules, price, gates)
            if decision.action == Action.SKIP:
                name = Reason(decision.reason).name.lower()
                skips[name] += 1
                if rules.reanchor_after_skip and name in OF_SIZE:
                    cell["anchor"] = price
                    write(ANCHOR_RESET)
            elif decision.action in (Action.BUY, Action.SELL):
                trade = filled(cell, rules, decision.side, decision.quantity, price, life.slippage)
                if trade is None:
                    skips["not_sent"] += 1
                else:
                    sent += 1
                    write(FILL, *trade)
    return Told(steps, dict(skips), tuple(cell.values()))


def agenda(life: Life) -> list[tuple]:
    """Everything dated, in order: by day, and on one day splits, ex-dates, payments."""
    items = [(item.ex_date, SPLIT, number, item) for number, item in enumerate(life.splits)]
    for number, item in enumerate(life.dividends):
        items += [(item.ex_date, EX, number, item), (item.pay_date, PAY, number, item)]
    order = {SPLIT: 0, EX: 1, PAY: 2}
    return sorted(items, key=lambda item: (item[0], order[item[1]], item[2]))


def split(cell: dict[str, int], rules: Rules, action, before: int) -> None:
    n, m = action.numerator, action.denominator
    whole = cell["shares"] * n // m
    rest = whole % rules.lot
    cell["shares"] = whole - rest
    cell["cash"] += rest * before * m // (MILLION * n)
    cell["anchor"] = (2 * cell["anchor"] * m + n) // (2 * n)


def filled(cell: dict[str, int], rules: Rules, side: Side, quantity: int, price: int, slippage: int):
    """Books an order filled at once and whole; None where it cannot leave."""
    if side == Side.BUY:
        paid = up(price * (MILLION + slippage), MILLION)
        if rules.limit_orders:
            limit = up(price * (MILLION + rules.limit_offset), MILLION)
            paid, worst = min(paid, limit), limit
        else:
            worst = paid
        needed = up(quantity * worst, MILLION)
        if needed + fee_of(rules, needed) > max(cell["cash"], 0):
            return None
        notional = up(quantity * paid, MILLION)
        fee = fee_of(rules, notional)
        cell["shares"] += quantity
        cell["cash"] -= notional + fee
    else:
        paid = price * (MILLION - slippage) // MILLION
        asked = price
        if rules.limit_orders:
            paid = max(paid, price * (MILLION - rules.limit_offset) // MILLION)
        if quantity * asked // MILLION + cell["cash"] > MAX_AMOUNT:
            return None
        notional = quantity * paid // MILLION
        fee = fee_of(rules, notional)
        cell["shares"] -= quantity
        cell["cash"] += notional - fee
    cell["anchor"] = paid
    return (quantity if side == Side.BUY else -quantity), paid, notional, fee


def fee_of(rules: Rules, notional: int) -> int:
    return max(rules.commission_min, up(notional * rules.commission_rate, MILLION))
