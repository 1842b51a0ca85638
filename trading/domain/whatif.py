"""What would have to differ for a decision that traded nothing to become an order: each input by itself. Pure.

Asked of `decide` itself. More of an input need not help forever (lots, the largest trade, `when_short`), so nothing is
bisected: a stretch is left out only where `bounds` proves that it holds no order.
"""

from typing import NamedTuple

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE, MICROS, MIN_PRICE, PPM
from portfolios.domain.exact import muldiv_floor
from portfolios.domain.holding import Holding, Rules, Sizing, effective_cash
from portfolios.domain.settings import SETTINGS
from trading.domain import band
from trading.domain.bounds import Stretch, may_act, may_act_closely
from trading.domain.choices import OPEN, Decision, Gates, Reason, Side, first_shut
from trading.domain.decision import decide
from trading.domain.sizing import triggered_side

NOWHERE = -1
LOOKS, QUICK, PROBES = 200, 60, 100
UP, DOWN = 1, -1
INPUTS = (
    *("price", "trigger_up", "trigger_down", "guardrail_low", "guardrail_high", "min_notional", "cash"),
    *("max_orders_per_day", "gates"),
)


class Case(NamedTuple):
    """What a decision was made of. sent: the robot's orders that left on that day."""

    holding: Holding
    rules: Rules
    price: int
    gates: Gates
    sent: int


class Change(NamedTuple):
    """The value nearest to the actual one that brings an order, all else as it was; decision: that order.

    NOWHERE and None where no value does. step: UP, DOWN, or 0 where either way would do and none did. Prices, cash and
    min_notional in micros, rates in ppm; of the gates how many have to open.
    """

    name: str
    step: int
    value: int
    decision: Decision | None


def changes(case: Case) -> tuple[Change, ...]:
    """One for each input; empty when the case trades as it is."""
    if answer(case).quantity:
        return ()
    inputs = (
        ("price", UP, price_up),
        ("price", DOWN, price_down),
        ("trigger_up", 0, trigger_up),
        ("trigger_down", 0, trigger_down),
        ("guardrail_low", 0, guardrail_low),
        ("guardrail_high", 0, guardrail_high),
        ("min_notional", DOWN, min_notional),
        ("cash", UP, cash_up),
        ("cash", DOWN, cash_down),
        ("max_orders_per_day", UP, daily_cap),
        ("gates", UP, open_gates),
    )
    return tuple(change_of(case, name, step, search(case)) for name, step, search in inputs)


def change_of(case: Case, name: str, step: int, value: int) -> Change:
    if value == NOWHERE:
        return Change(name, step, NOWHERE, None)
    if not step:
        step = UP if value > getattr(case.rules, name) else DOWN
    return Change(name, step, value, answer(changed(case, name, value)))


def answer(case: Case) -> Decision:
    return decide(case.holding, case.rules, case.price, case.gates)


def changed(case: Case, name: str, value: int) -> Case:
    """The same with one input at this value."""
    if name == "price":
        return case._replace(price=value)
    if name == "cash":
        return case._replace(holding=case.holding._replace(cash=value))
    if name == "gates":
        return case._replace(gates=OPEN)
    rules = case.rules._replace(**{name: value})
    if name == "max_orders_per_day":
        return case._replace(rules=rules, gates=case.gates._replace(daily_limit=int(case.sent >= value)))
    return case._replace(rules=rules)


def trades_at(case: Case, name: str, value: int) -> bool:
    return answer(changed(case, name, value)).quantity > 0


def price_up(case: Case) -> int:
    """Each region by itself: below the lower trigger, between the two, above the upper one."""
    below, above = regions(case)
    low, high = drift_edges(case)
    parts = (
        (Side.BUY, case.price + 1, below),
        (Side.NONE, max(case.price, below) + 1, min(low, above - 1)),
        (Side.NONE, max(case.price, below, low) + 1, min(high, above) - 1),
        (Side.NONE, max(case.price + 1, below + 1, low + 1, high), above - 1),
        (Side.SELL, max(case.price + 1, above), MAX_PRICE),
    )
    return first_of(case, "price", parts, UP)


def price_down(case: Case) -> int:
    below, above = regions(case)
    low, high = drift_edges(case)
    parts = (
        (Side.SELL, case.price - 1, above),
        (Side.NONE, min(case.price, above) - 1, max(high, below + 1)),
        (Side.NONE, min(case.price, above, high) - 1, max(low, below) + 1),
        (Side.NONE, min(case.price - 1, above - 1, high - 1, low), below + 1),
        (Side.BUY, min(case.price - 1, below), MIN_PRICE),
    )
    return first_of(case, "price", parts, DOWN)


def regions(case: Case) -> band.Band:
    return band.trigger_edges(case.holding, case.rules)


def drift_edges(case: Case) -> tuple[int, int]:
    """The highest price below the low guardrail, the lowest above the high one: good places to begin, no more."""
    holding, rules = case.holding, case.rules
    cash = effective_cash(holding)
    if cash <= 0:
        return 0, MAX_PRICE + 1
    low = band.drift_below(holding.shares, cash, rules.guardrail_low)
    high = band.drift_above(holding.shares, cash, rules.guardrail_high)
    return min(low, MAX_PRICE), max(min(high, MAX_PRICE + 1), low + 1)


def trigger_up(case: Case) -> int:
    """The largest trigger that fires at this price, or the smallest that does not: whichever the rule's is not."""
    return trigger(case, "trigger_up", case.price * PPM // max(case.holding.anchor, 1) - PPM)


def trigger_down(case: Case) -> int:
    anchor = max(case.holding.anchor, 1)
    return trigger(case, "trigger_down", (anchor - case.price) * PPM // anchor)


def trigger(case: Case, name: str, edge: int) -> int:
    value = edge + 1 if getattr(case.rules, name) <= edge else edge
    inside = SETTINGS[name].low <= value <= SETTINGS[name].high
    return value if inside and trades_at(case, name, value) else NOWHERE


def guardrail_low(case: Case) -> int:
    rules = case.rules
    most = min(rules.guardrail_high - 1, rules.target_weight if rules.sizing == Sizing.CONSTANT_MIX else PPM)
    return nearer(case, "guardrail_low", 0, most)


def guardrail_high(case: Case) -> int:
    rules = case.rules
    least = max(rules.guardrail_low + 1, rules.target_weight if rules.sizing == Sizing.CONSTANT_MIX else 0)
    return nearer(case, "guardrail_high", least, PPM)


def nearer(case: Case, name: str, least: int, most: int) -> int:
    """Either way may help; of equals the lower. Once a trigger fired, only the guardrail ahead of it counts."""
    now = getattr(case.rules, name)
    side = triggered_side(case.holding, case.rules, case.price)
    if (side == Side.BUY and name == "guardrail_low") or (side == Side.SELL and name == "guardrail_high"):
        return NOWHERE
    down = along(case, name, now - 1, least)
    if down != NOWHERE:
        most = min(most, 2 * now - down - 1)
    up = along(case, name, now + 1, most)
    return up if up != NOWHERE else down


def min_notional(case: Case) -> int:
    """It takes away whole orders and changes none: what the order is worth without it is the most it may be."""
    free = answer(changed(case, "min_notional", 0))
    return muldiv_floor(free.quantity, case.price, MICROS) if free.quantity else NOWHERE


def cash_up(case: Case) -> int:
    return along(case, "cash", case.holding.cash + 1, MAX_AMOUNT)


def cash_down(case: Case) -> int:
    return along(case, "cash", case.holding.cash - 1, 0)


def daily_cap(case: Case) -> int:
    value = case.sent + 1
    inside = case.gates.daily_limit and value <= SETTINGS["max_orders_per_day"].high
    return value if inside and trades_at(case, "max_orders_per_day", value) else NOWHERE


def open_gates(case: Case) -> int:
    shut = sum(1 for gate in case.gates if gate)
    return shut if shut and trades_at(case, "gates", shut) else NOWHERE


def along(case: Case, name: str, near: int, deep: int) -> int:
    """Of an input that moves no trigger."""
    if case.holding.anchor == 0:
        return NOWHERE
    side = triggered_side(case.holding, case.rules, case.price)
    return first_of(case, name, ((side, near, deep),), UP if near > value_in(case, name) else DOWN)


def value_in(case: Case, name: str) -> int:
    return case.holding.cash if name == "cash" else int(getattr(case.rules, name))


def first_of(case: Case, name: str, parts: tuple[tuple[Side, int, int], ...], step: int) -> int:
    """The first value of these stretches that brings an order; each is (fired trigger, near end, far end)."""
    if first_shut(case.gates) != Reason.NONE or case.holding.anchor == 0:
        return NOWHERE
    for side, near, deep in parts:
        found = first_value(case, name, side, near, deep, step)
        if found != NOWHERE:
            return found
    return NOWHERE


def first_value(case: Case, name: str, side: Side, near: int, deep: int, step: int) -> int:
    """The nearest first, halving what may hold an order."""
    stretches, end = [(near, deep)], deep
    for look in range(LOOKS):
        if not stretches:
            return NOWHERE
        near, deep = stretches.pop()
        if (deep - near) * step < 0 or not may_act_between(case, name, side, near, deep):
            continue
        if look > QUICK and name != "price" and not may_act_between(case, name, side, near, deep, closely=True):
            continue
        if (near == deep or may_act_between(case, name, side, near, near)) and trades_at(case, name, near):
            return near
        middle = (near + deep) // 2 if step > 0 else -(-(near + deep) // 2)
        stretches += [(middle + step, deep), (near + step, middle)]
    return probed(case, name, near, end, step)


def probed(case: Case, name: str, near: int, deep: int, step: int) -> int:
    """Where roundings blur every bound, in cells of a few cents: the edge before the first probe that brings an order.

    The probes stand close to each other at both ends only, so a nearer edge may be passed over.
    """
    before, length = near, abs(deep - near)
    steps = [min(1 << (length.bit_length() * place // PROBES), length) for place in range(1, PROBES + 1)]
    for distance in sorted({*steps, *(length - step for step in steps[::2])}):
        probe = near + step * distance
        if trades_at(case, name, probe):
            while abs(probe - before) > 1:
                middle = (probe + before) // 2
                probe, before = (middle, before) if trades_at(case, name, middle) else (probe, middle)
            return probe
        before = probe
    return NOWHERE


def may_act_between(case: Case, name: str, side: Side, near: int, deep: int, closely: bool = False) -> bool:
    holding, rules = case.holding, case.rules
    prices, cash = (case.price, case.price), (holding.cash, holding.cash)
    low, high = (rules.guardrail_low, rules.guardrail_low), (rules.guardrail_high, rules.guardrail_high)
    ends = (near, deep) if near <= deep else (deep, near)
    if name == "price":
        prices = ends
    elif name == "cash":
        cash = ends
    elif name == "guardrail_low":
        low = ends
    else:
        high = ends
    test = may_act_closely if closely else may_act
    return test(holding, rules, side, Stretch(*prices, *cash, *low, *high))
