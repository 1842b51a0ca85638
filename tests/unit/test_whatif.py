"""What would have to differ: the named value trades, one unit less does not, and nothing nearer would have done."""

import statistics
from collections.abc import Callable
from time import process_time

import numpy as np
import pytest

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE, MICROS, MIN_PRICE, PPM, micros
from portfolios.domain.holding import Holding, Rules, Sizing, total_value
from portfolios.domain.settings import SETTINGS
from tests.unit.cells import cell, rules
from tests.unit.many_cases import draw_cases
from trading.domain.choices import OPEN, Action, Gates, Reason
from trading.domain.decision import decide
from trading.domain.whatif import DOWN, NOWHERE, UP, Case, Change, answer, changes, trades_at
from trading.simulation.machine import make_compilable

COUNT, LONG_COUNT = 250, 10_000
LOOKS, LONG_LOOKS = 60, 10_000
SEARCHED = ("price", "cash", "guardrail_low", "guardrail_high")


def drawn(count: int, seed: int) -> list[Case]:
    """Decisions that traded nothing, up to the limits of every operand; a third of them with whatever gates."""
    table, found = draw_cases(3 * count, seed), []
    for number in range(3 * count):
        case = Case(
            Holding(*table.holdings[number].tolist()),
            Rules(*table.rules[number].tolist()),
            int(table.prices[number]),
            Gates(*table.gates[number].tolist()) if number % 3 == 0 else OPEN,
            0,
        )
        case = case._replace(sent=case.rules.max_orders_per_day if case.gates.daily_limit else 0)
        if not answer(case).quantity and len(found) < count:
            found.append(case)
    return found


def by_name(case: Case) -> dict[str, Change]:
    """Prices and cash with their direction."""
    found = {}
    for row in changes(case):
        way = " up" if row.step == UP else " down"
        found[row.name + way if row.name in ("price", "cash") else row.name] = row
    return found


def spans(case: Case, change: Change) -> list[tuple[int, int]]:
    """The values nearer to the actual one than the named one; all there are where it names none."""
    if change.name == "price":
        least, most, now = MIN_PRICE, MAX_PRICE, case.price
    elif change.name == "cash":
        least, most, now = 0, MAX_AMOUNT, case.holding.cash
    else:
        now = getattr(case.rules, change.name)
        least, most = allowed(case.rules, change.name)
    reach = most if change.value == NOWHERE else abs(change.value - now) - 1
    up, down = (now + 1, min(most, now + reach)), (max(least, now - reach), now - 1)
    if change.name in ("price", "cash", "min_notional", "max_orders_per_day"):
        return [up] if change.step == UP else [down]
    return [up, down]


def allowed(settings: Rules, name: str) -> tuple[int, int]:
    mixes = settings.sizing == Sizing.CONSTANT_MIX
    if name == "guardrail_low":
        return 0, min(settings.guardrail_high - 1, settings.target_weight if mixes else PPM)
    if name == "guardrail_high":
        return max(settings.guardrail_low + 1, settings.target_weight if mixes else 0), PPM
    return SETTINGS[name].low, SETTINGS[name].high


def looks(random: np.random.Generator, low: int, high: int, count: int) -> set[int]:
    """Half of them evenly spread, half ever nearer to either end."""
    if low > high:
        return set()
    even = {low + (high - low) * place // count for place in range(count // 2 + 1)}
    near = [int(2**bits) for bits in random.uniform(0, max((high - low).bit_length(), 1), count // 4)]
    return even | {min(low + step, high) for step in near} | {max(high - step, low) for step in near} | {low, high}


def agree(count: int, seed: int, scan: Callable[[Case, str, set[int]], bool], most: int, nearer: bool) -> None:
    """scan: whether any of these values trades. nearer: also look between the actual value and the named one."""
    random = np.random.default_rng(seed)
    named = 0
    for case in drawn(count, seed):
        for change in changes(case):
            if change.value != NOWHERE and change.name != "gates":
                named += 1
                assert change.decision is not None
                assert change.decision.quantity > 0, (case, change)
                assert trades_at(case, change.name, change.value), (case, change)
                assert not trades_at(case, change.name, change.value - change.step), (case, change)
            if change.name == "gates" or (change.value != NOWHERE and not nearer) or is_blurred(case):
                continue
            for low, high in spans(case, change):
                values = looks(random, low, high, most if change.value == NOWHERE else LOOKS)
                assert not scan(case, change.name, values), (case, change)
    assert named > count // 2


def is_blurred(case: Case) -> bool:
    """Worth less than a cent: roundings of a micro decide alone, and an order may flicker in and out unseen."""
    return total_value(case.holding, case.price) < MICROS // 100


def interpreted(case: Case, name: str, values: set[int]) -> bool:
    return any(trades_at(case, name, value) for value in values)


def test_the_named_value_trades_one_unit_less_does_not_and_nothing_nearer_does():
    agree(COUNT, 2026, interpreted, LOOKS, nearer=True)


@pytest.mark.long
def test_ten_thousand_evaluations_and_ten_thousand_looks_where_it_says_none():
    """The looks by the rule as machine code, for the four inputs that are searched; the others are few.

    Not whether anything nearer trades: beside a fee of billions, roundings can make that flicker from micro to micro.
    """
    trades = compiled_scan()

    def scan(case: Case, name: str, values: set[int]) -> bool:
        if name not in SEARCHED:
            return interpreted(case, name, set(sorted(values)[:: max(len(values) // LOOKS, 1)]))
        table = np.array(sorted(values), np.int64)
        return bool(trades(case.holding, case.rules, case.price, case.gates, SEARCHED.index(name), table))

    agree(LONG_COUNT, 5, scan, LONG_LOOKS, nearer=False)


def compiled_scan() -> Callable[..., bool]:
    numba = pytest.importorskip("numba")
    make_compilable()

    @numba.njit(error_model="numpy")
    def trades(holding, rules, price, gates, place, values):
        for value in values:
            at, cash, low, high = price, holding.cash, rules.guardrail_low, rules.guardrail_high
            if place == 0:
                at = value
            elif place == 1:
                cash = value
            elif place == 2:
                low = value
            else:
                high = value
            cell = Holding(
                holding.shares, cash, holding.receivable, holding.reserved_cash, holding.reserved_shares, holding.anchor
            )
            changed = Rules(*rules[:5], low, high, *rules[7:])
            if decide(cell, changed, at, gates).quantity > 0:
                return True
        return False

    return trades


def test_it_takes_a_few_milliseconds():
    """Aim: 5 ms each, of the processor's time; operands at their limits, cells of a few cents among them."""
    taken = []
    for case in drawn(COUNT, seed=7):
        began = process_time()
        changes(case)
        taken.append(process_time() - began)
    assert statistics.median(taken) < 0.005
    assert sorted(taken)[len(taken) * 95 // 100] < 0.04


@pytest.fixture
def quiet():
    """Half stock, half cash, a hair short of the upper trigger."""
    return Case(cell("100", "10000", "100"), rules(), micros("102.61"), OPEN, 0)


def test_a_quiet_minute_names_both_prices_and_the_trigger(quiet):
    found = by_name(quiet)
    assert (found["price up"].value, found["price down"].value) == (micros("103"), micros("97"))
    assert (found["trigger_up"].value, found["trigger_up"].step) == (26_100, DOWN)
    assert found["trigger_up"].decision.reason == Reason.TRIGGER_UP
    assert found["trigger_down"].value == NOWHERE
    assert found["guardrail_high"].decision.reason == Reason.GUARDRAIL_REBALANCE
    assert found["gates"].value == NOWHERE


def test_a_skip_for_its_size_names_the_smallest_order(quiet):
    small = quiet._replace(rules=rules(min_notional="1500"), price=micros("103"))
    found = by_name(small)
    assert answer(small).reason == Reason.BELOW_MIN_NOTIONAL
    assert found["min_notional"].value == 9_567_348 * 103_000_000 // MICROS == 985_436_844
    assert found["min_notional"].decision.action == Action.SELL
    assert found["cash up"].value > micros("10000")


def test_a_buy_without_cash_names_the_cash_it_needs():
    case = Case(cell("100", "0", "100", receivable="5000"), rules(), micros("97"), OPEN, 0)
    assert answer(case).reason == Reason.INSUFFICIENT_CASH
    found = by_name(case)
    assert found["cash up"].decision.quantity == 1_030_928  # at 97 the least that is worth 100
    assert found["cash up"].value == micros("100.010017")  # for 100.000016, and a fee of 0.010001


def test_a_skip_at_the_guardrail_names_the_guardrail():
    case = Case(cell("70", "2000", "100"), rules(), micros("97"), OPEN, 0)
    assert answer(case).reason == Reason.GUARDRAIL
    found = by_name(case)
    assert found["guardrail_low"].value == NOWHERE
    assert found["guardrail_high"].step == UP
    assert 770_000 < found["guardrail_high"].value < 790_000


def test_shut_gates_are_named_and_nothing_else_helps(quiet):
    closed = OPEN._replace(market_closed=1)
    found = by_name(quiet._replace(price=micros("103"), gates=closed))
    assert found.pop("gates").value == 1
    assert {row.value for row in found.values()} == {NOWHERE}
    assert by_name(quiet._replace(gates=closed))["gates"].value == NOWHERE


def test_the_daily_cap_helps_where_it_is_all_that_stands_in_the_way(quiet):
    used_up = quiet._replace(price=micros("103"), gates=OPEN._replace(daily_limit=1), sent=5)
    found = by_name(used_up)
    assert (found["max_orders_per_day"].value, found["gates"].value) == (6, 1)
    both = used_up._replace(gates=OPEN._replace(daily_limit=1, paused=1))
    assert (by_name(both)["max_orders_per_day"].value, by_name(both)["gates"].value) == (NOWHERE, 2)


def test_what_trades_needs_no_change_and_without_an_anchor_nothing_does(quiet):
    assert changes(quiet._replace(price=micros("103"))) == ()
    assert {row.value for row in changes(quiet._replace(holding=cell("100", "10000")))} == {NOWHERE}


@pytest.mark.parametrize(
    ("holding", "sized", "price"),
    [
        (
            Holding(0, MAX_AMOUNT, 0, 0, 0, 37_053_777_423),
            {"sizing": Sizing.FIXED_PERCENTAGE, "rebalance_ratio": 1_196_532, "market_buffer": 33},
            27_216_988_976,
        ),
        (
            Holding(100_290_383_223_032, 18_003_586_924_935_204, 0, 0, 0, 350_810_846),
            {"sizing": Sizing.PROPORTIONAL, "rebalance_ratio": 608_941, "commission_rate": 1_014, "market_buffer": 4},
            179_514_589,
        ),
    ],
)
def test_a_few_cents_at_the_far_end_of_a_fortune_are_found(holding, sized, price):
    """Sized beyond the cash and skipped when short: only where roundings are as large as the order does it fit."""
    settings = rules()._replace(guardrail_high=PPM, min_notional=0, skip_when_short=1, trigger_down=100)
    case = Case(holding, settings._replace(**sized), price, OPEN, 0)
    change = by_name(case)["cash down"]
    assert change.value != NOWHERE
    assert trades_at(case, "cash", change.value)
    assert not trades_at(case, "cash", change.value + 1)
