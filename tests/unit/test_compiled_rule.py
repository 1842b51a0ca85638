"""The rule can be compiled as it stands, then decides bit for bit the same, and keeps its promises 100,000 times."""

import random

import numpy as np
import pytest

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE, MIN_PRICE, PPM
from portfolios.domain.exact import LARGEST, compare_products, muldiv_ceil, muldiv_floor
from portfolios.domain.holding import Holding, Rules
from tests.unit.cells import stock_and_value, traded
from tests.unit.compiled_rule import bands_of, compare_each, decide_all, ladders_of, muldiv_each
from tests.unit.many_cases import draw_cases
from trading.domain.band import wake_band
from trading.domain.choices import Action, Decision, Gates, Reason, Side
from trading.domain.decision import decide
from trading.domain.ladder import next_rung

COUNT = 100_000
SEED = 20_070_103


@pytest.fixture(scope="module")
def cases():
    return draw_cases(COUNT, SEED)


@pytest.fixture(scope="module")
def values(cases):
    """The same cases as the rule knows them."""
    holdings = [Holding(*row) for row in cases.holdings.tolist()]
    rules = [Rules(*row) for row in cases.rules.tolist()]
    gates = [Gates(*row) for row in cases.gates.tolist()]
    return list(zip(holdings, rules, cases.prices.tolist(), gates, strict=True))


@pytest.fixture(scope="module")
def decisions(values):
    return [decide(*value) for value in values]


def compiled_decisions(cases, prices):
    decided = np.empty((len(prices), len(Decision._fields)), dtype=np.int64)
    decide_all(cases.holdings, cases.rules, prices, cases.gates, decided)
    return decided


def test_compiled_and_interpreted_decide_the_same_bit_for_bit(cases, decisions):
    assert np.array_equal(compiled_decisions(cases, cases.prices), np.array(decisions, dtype=np.int64))


def test_the_cases_reach_every_action_and_every_reason(decisions):
    assert {decision.action for decision in decisions} == set(Action)
    assert {decision.reason for decision in decisions} == set(Reason) - {Reason.NONE}


def test_the_promises_hold_in_every_one_of_the_cases(values, decisions):
    for (holding, rules, price, _), decision in zip(values, decisions, strict=True):
        if decision.quantity == 0:
            continue
        after = traded(holding, rules, decision.side, decision.quantity, price)
        stock, value = stock_and_value(after, price)
        assert after.cash >= 0
        assert after.shares >= 0
        if decision.action == Action.BUY:
            assert stock * PPM <= rules.guardrail_high * value
        else:
            assert stock * PPM >= rules.guardrail_low * value


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_compiled_and_interpreted_ladders_are_the_same(cases, values, side):
    few = slice(0, COUNT // 50)
    compiled = np.empty((COUNT // 50, 1 + len(Holding._fields)), dtype=np.int64)
    ladders_of(cases.holdings[few], cases.rules[few], cases.prices[few], side, compiled)
    rungs = [(next_rung(holding, rules, side, price), holding) for holding, rules, price, _ in values[few]]
    assert compiled.tolist() == [
        [rung.price, *rung.holding_after] if rung else [0, *holding] for rung, holding in rungs
    ]


def test_compiled_and_interpreted_bands_are_the_same(cases, values):
    bands = np.empty((COUNT, 2), dtype=np.int64)
    bands_of(cases.holdings, cases.rules, bands)
    assert np.array_equal(bands, np.array([wake_band(holding, rules) for holding, rules, _, _ in values]))


@pytest.mark.parametrize("place", [0.0, 0.000_001, 0.3, 0.7, 0.999_999, 1.0])
def test_no_cell_sleeps_through_a_decision(cases, place):
    """At the lowest price inside the band, the highest, and some between: a quiet hold in every one of the cases."""
    bands = np.empty((COUNT, 2), dtype=np.int64)
    bands_of(cases.holdings, cases.rules, bands)
    lowest, highest = bands[:, 0].clip(MIN_PRICE - 1, MAX_PRICE) + 1, bands[:, 1].clip(MIN_PRICE, MAX_PRICE + 1) - 1
    asleep = lowest <= highest
    prices = lowest + ((highest - lowest) * place).astype(np.int64)
    reasons = compiled_decisions(cases, np.where(asleep, prices, MIN_PRICE))[asleep, Decision._fields.index("reason")]
    assert asleep.sum() > COUNT // 4
    assert set(reasons.tolist()) <= {Reason.INSIDE_BAND, Reason.OVER_LIMIT}


def operands(count, *bits):
    """Rows of operands with up to so many bits each, limits and their neighbours among them."""
    drawn = random.Random(SEED)

    def operand(most):
        limit = 2 ** drawn.randint(0, most)
        return min(drawn.choice((drawn.randrange(limit), limit - 1, limit, limit + 1)), LARGEST)

    return [[operand(most) for most in bits] for _ in range(count)]


def test_a_product_of_three_over_two_is_exact_up_to_121_bits_and_saturates():
    rows = operands(50_000, 60, 40, 21, 40, 40)
    rows = [[a, b, c, max(d, 1), max(e, 1)] for a, b, c, d, e in rows]
    rows += [[MAX_AMOUNT, MAX_PRICE, 2 * PPM, 1, 1], [MAX_AMOUNT, MAX_PRICE, 2 * PPM, MIN_PRICE, MIN_PRICE]]
    rows += [[LARGEST, 1, 1, 1, 1], [LARGEST, LARGEST, 1, LARGEST, 1], [LARGEST, 2, 1, 1, 2], [LARGEST, 2, 1, 1, 1]]
    floors, ceils = muldiv_each(np.array(rows, dtype=np.int64))
    assert floors.tolist() == [muldiv_floor(a, b, d, c, e) for a, b, c, d, e in rows]
    assert ceils.tolist() == [muldiv_ceil(a, b, d, c, e) for a, b, c, d, e in rows]
    assert 0.01 < np.mean(floors == LARGEST) < 0.5


def test_a_quotient_is_exact_next_to_every_whole_number():
    """(n*d - 1, n*d, n*d + 1) / d, where a floor or a ceiling that is off by one would show."""
    rows = [
        [n * d + off, 1, 1, d, 1]
        for n, d in operands(20_000, 31, 31)
        for off in (-1, 0, 1)
        if d > 0 and 0 <= n * d + off <= LARGEST
    ]
    floors, ceils = muldiv_each(np.array(rows, dtype=np.int64))
    assert floors.tolist() == [a // d for a, _, _, d, _ in rows]
    assert ceils.tolist() == [-(-a // d) for a, _, _, d, _ in rows]


def test_products_compare_exactly_equal_ones_and_negative_ones_too():
    drawn = random.Random(SEED)
    rows = [
        [a * drawn.choice((1, -1)), b, c * drawn.choice((1, -1)), d] for a, b, c, d in operands(20_000, 62, 62, 62, 62)
    ]
    rows += [[a * b, c, a, b * c] for a, b, c in operands(20_000, 31, 31, 31)]
    rows += [[-a * b, c, a, -b * c + off] for a, b, c in operands(20_000, 20, 31, 31) for off in (-1, 0, 1)]
    found = compare_each(np.array(rows, dtype=np.int64))
    assert found.tolist() == [compare_products(*row) for row in rows]
    assert set(found.tolist()) == {-1, 0, 1}
