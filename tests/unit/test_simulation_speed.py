"""What makes the engine quick changes nothing: whatever is skipped, shared or compiled, the figures are the same."""

import subprocess
import sys
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from portfolios.domain.holding import Holding, Rules
from tests.unit.simulations import usual_life
from trading.domain.choices import OPEN, Side
from trading.domain.decision import decide
from trading.domain.quiet import quiet_until
from trading.simulation import machine
from trading.simulation.engine import simulate
from trading.simulation.many import (
    BUYS,
    DIVIDENDS,
    FEES,
    INSIDE,
    TRADED,
    TRADES,
    VALUE,
    holding_in,
    rules_in,
    simulate_many,
)
from trading.simulation.runs import guardrail_time, run, session_ends, totals_of, value_at_end

SEED = 20_080_915
ROOT = Path(__file__).parents[2]
WITHOUT_NUMBA = """
import sys
sys.modules["numba"] = None
from trading.simulation.engine import trade
from trading.simulation.machine import compiled
from tests.unit.simulations import usual_life
assert compiled("trade") is trade
outcome = compiled("trade")(*usual_life({seed}, 1_000).given)
print([tuple(map(int, outcome.holding)), outcome.steps.tolist()])
"""


def test_steps_are_the_same_whether_skips_are_counted_or_not():
    skipped = 0
    for seed in range(SEED, SEED + 60):
        life = usual_life(seed, 20_000)
        every, quick = machine.compiled("simulate")(*life.given), machine.compiled("trade")(*life.given)
        assert every.steps.tolist() == quick.steps.tolist()
        assert tuple(every.holding) == tuple(quick.holding)
        skipped += int(every.skips.sum() - quick.skips.sum())
    assert skipped > 20_000


def test_nothing_trades_where_it_is_said_to_be_quiet():
    """From the edge of each trigger: at both ends of the stretch, and at places in between."""
    random = np.random.default_rng(SEED)
    proven = 0
    for seed in range(SEED, SEED + 400):
        life = usual_life(seed, 50)
        price = life.start.anchor
        cash = int(life.start.cash * random.choice((0.001, 0.01, 0.1, 1)))
        holding = Holding(life.start.shares, cash, 0, 0, 0, price)
        for side, near, deep in (
            (Side.SELL, price + price * life.rules.trigger_up // 10**6 + 1, 10**12),
            (Side.BUY, price - price * life.rules.trigger_down // 10**6 - 1, 100),
        ):
            until = quiet_until(holding, life.rules, side, True, near, deep)
            low, high = sorted((near, until))
            if abs(until - near) < 2 or (until - near) * (deep - near) < 0:
                continue
            proven += 1
            for place in (*random.uniform(low, min(high, 3 * near), 40).astype(np.int64).tolist(), low, high):
                assert decide(holding, life.rules, place, OPEN).quantity == 0
    assert proven > 100


def test_many_settings_at_once_come_to_what_each_comes_to_alone():
    life = usual_life(SEED, 30_000)
    lives = [usual_life(seed, 60) for seed in range(SEED, SEED + 40)]
    rules, starts = [other.rules for other in lives], [life.start] * len(lives)
    given = (life.stage.points, life.stage.happenings, rules, starts, life.slippage, session_ends(life.stage))
    figures = simulate_many(*given)
    assert simulate_many(*given, workers=1).tolist() == figures.tolist()
    for row, ruled in enumerate(rules):
        alone = run(life.stage, ruled, life.start, life.slippage)
        totals, amounts = totals_of(alone), figures[row]
        assert amounts[VALUE] == value_at_end(alone)
        assert (amounts[TRADES], amounts[BUYS], amounts[TRADED]) == (totals.trades, totals.buys, totals.traded)
        assert (amounts[FEES], amounts[DIVIDENDS]) == (totals.fees, totals.dividends_net)
        assert amounts[INSIDE] == round(guardrail_time(alone) * len(alone.ends))
    assert figures[:, TRADES].sum() > 1_000


def test_rows_become_rules_and_holdings_field_by_field():
    assert rules_in(np.arange(len(Rules._fields))) == Rules(*range(len(Rules._fields)))
    assert holding_in(np.arange(len(Holding._fields))) == Holding(*range(len(Holding._fields)))


@pytest.mark.parametrize(
    "name", ["trading.domain.decision", "portfolios.domain.amounts", "trading.simulation.products"]
)
def test_a_changed_source_has_machine_code_of_its_own(name, monkeypatch, tmp_path):
    before = machine.sources()
    changed = tmp_path / "changed.py"
    changed.write_bytes(machine.source_of(name).read_bytes() + b"\n# changed\n")
    usual = machine.source_of
    monkeypatch.setattr(machine, "source_of", lambda other: changed if other == name else usual(other))
    assert machine.sources() != before


def test_all_that_the_machine_compiles_is_in_its_fingerprint():
    """Every module of the domain floors that a compiled one imports: numba would not notice a change in it."""
    known = {*machine.RULE, *machine.BENEATH}
    for name in machine.RULE:
        for line in machine.source_of(name).read_text().splitlines():
            if line.startswith("from ") and (".domain." in line or ".simulation." in line):
                assert line.split()[1] in known


def test_without_numba_everything_runs_interpreted_and_comes_to_the_same():
    seed = next(
        seed for seed in count(SEED) if len(machine.compiled("trade")(*usual_life(seed, 1_000).given).steps) > 9
    )
    code = WITHOUT_NUMBA.format(seed=seed)
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    outcome = simulate(*usual_life(seed, 1_000).given)
    assert answer.stdout.strip() == str([tuple(outcome.holding), outcome.steps.tolist()])
