"""A storm is what the engine makes of it, bit for bit, cell by cell; and its sums are the cells'."""

from time import process_time

import numpy as np
import pytest

from portfolios.domain.amounts import MAX_AMOUNT, MICROS, PPM, micros
from portfolios.domain.holding import Holding, Rules, total_value
from tests.unit.cells import cell, rules
from tests.unit.many_cases import draw_holdings, draw_rules
from trading.simulation import engine, machine, storm
from trading.simulation.storm import Sailor, rehearse, scenarios

PORTFOLIOS, LONG_PORTFOLIOS = 50, 1_000


def drawn(count: int, seed: int) -> list[Sailor]:
    random = np.random.default_rng(seed)
    prices = random.integers(MICROS, 1_000 * MICROS, count)
    holdings, settings = draw_holdings(random, prices), draw_rules(random, count)
    return [
        Sailor(
            f"S{number}", Holding(*holdings[number].tolist()), Rules(*settings[number].tolist()), int(prices[number])
        )
        for number in range(count)
    ]


def agree(count: int, seed: int) -> None:
    """Through the engine itself, interpreted, week by week; left alone is the start at each price."""
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 4, count)
    everybody = drawn(int(sizes.sum()), seed)
    for number, size in enumerate(sizes.tolist()):
        crew = [everybody.pop() for _ in range(size)]
        passages = rehearse(crew)
        assert len(passages) == len(scenarios()) == 8
        passage = passages[number % len(passages)]
        value = [0] * len(passage.value)
        held = [0] * len(passage.value)
        for sailor, course in zip(crew, passage.courses, strict=True):
            points = storm.sea(passage.scenario.levels, sailor.price)
            start = storm.at_anchor(sailor)
            outcome = engine.simulate(points, storm.no_happenings(), sailor.rules, start, 0)
            assert np.array_equal(course.steps, outcome.steps)
            weeks = engine.follow(points, start, outcome.steps, np.arange(len(points.prices)))
            assert np.array_equal(course.weeks, weeks)
            value = [total + int(week) for total, week in zip(value, weeks[:, 0], strict=True)]
            held = [total + total_value(start, int(price)) for total, price in zip(held, points.prices, strict=True)]
        assert list(passage.value) == value
        assert list(passage.held) == held


def test_fifty_portfolios_are_what_the_engine_makes_of_them() -> None:
    agree(PORTFOLIOS, 1)


@pytest.mark.long
def test_a_thousand_portfolios_are_what_the_engine_makes_of_them() -> None:
    machine.compiled("trade")
    machine.compiled("follow")
    agree(LONG_PORTFOLIOS, 2)


def test_every_scenario_begins_at_todays_price_falls_and_comes_back() -> None:
    for scenario in scenarios():
        assert scenario.levels[0] == PPM
        assert scenario.levels[-1] >= PPM
        assert min(scenario.levels[scenario.bottom :]) == scenario.levels[scenario.bottom] < PPM
    assert [row.depth for row in scenarios()[:4]] == [100_000, 200_000, 350_000, 500_000]
    depths = {row.name: round(row.depth / 10_000) for row in scenarios()[5:]}
    assert depths == {"2000": 49, "2008": 56, "2020": 34}


def test_the_robot_buys_on_the_way_down_and_what_the_way_back_brings_is_told_as_it_is() -> None:
    (passage,) = (
        row
        for row in rehearse([Sailor("IBM", cell("100", "10000", "100"), rules(), 100 * MICROS)])
        if row.scenario.name == "fall-35"
    )
    assert passage.cash_needed == passage.courses[0].cash_needed > micros("2000")
    assert passage.held[-1] == micros("20000")
    assert passage.gained == passage.value[-1] - passage.held[-1]
    assert passage.against == min(passage.value) - passage.held[passage.worst]
    assert passage.against < 0
    assert passage.share_at_worst <= passage.highest_share < 800_000
    assert passage.dry == []


def test_a_cell_without_guardrail_runs_dry_and_says_where() -> None:
    bold = Sailor("KO", cell("100", "3000", "100"), rules(guardrail_high="1", rebalance_ratio="0.2"), 100 * MICROS)
    passage = rehearse([bold])[3]
    (name, level) = passage.dry[0]
    assert name == "KO"
    assert 500_000 < level < PPM
    week = passage.courses[0].dry
    assert passage.courses[0].weeks[week, 2] < micros("100") <= passage.courses[0].weeks[week - 1, 2]


def test_sums_beyond_64_bits_are_exact() -> None:
    rich = [Sailor(f"R{n}", Holding(0, MAX_AMOUNT, 0, 0, 0, 100), rules(auto_rebalance=False), 100) for n in range(12)]
    assert rehearse(rich)[0].value[0] == 12 * MAX_AMOUNT
    assert rehearse([]) == ()


def test_five_cells_take_no_longer_than_a_page_may() -> None:
    crew = [Sailor(f"S{n}", cell("100", "10000", "100"), rules(), 100 * MICROS) for n in range(5)]
    began = process_time()
    rehearse(crew)
    assert process_time() - began < 3
