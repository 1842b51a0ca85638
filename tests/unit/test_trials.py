"""What a sweep tells of a setting is what a run of it alone tells, whoever it is tried beside and on how many cores."""

import numpy as np
import pytest

from portfolios.domain.settings import parse_settings, rules_from
from tests.unit.noise import bars_of_noise
from trading.simulation.bars import Dividend
from trading.simulation.grid import Grid, read_axes
from trading.simulation.honesty import block_sums, blocks_of, moments_of, timing_returns
from trading.simulation.metrics import metrics_of
from trading.simulation.ranking import AMOUNTS
from trading.simulation.runs import exposure, guardrail_time, run, totals_of, value_at_end
from trading.simulation.stage import Stage, stage_of, starting
from trading.simulation.trials import COLUMNS, METRICS, Money, asset_returns, try_out

MONEY = Money(10**10, 500_000, 200)
AXES = [
    {"name": "tau", "from": "0.01", "to": "0.05", "step": "0.01"},
    {"name": "sizing", "values": ["anchor_ratio", "constant_mix"]},
    {"name": "withholding", "values": ["0", "0.25"]},
    {"name": "guardrail_low", "values": ["0.3", "0.8"]},
]


@pytest.fixture(scope="module")
def stage() -> Stage:
    bars = bars_of_noise(7, drift=0.1)
    days = bars.days[100:2_500:63].astype("datetime64[D]").tolist()
    return stage_of(bars, [Dividend(day, day, 300_000) for day in days], [])


@pytest.fixture(scope="module")
def grid() -> Grid:
    return Grid(parse_settings({"guardrail_high": "0.75", "commission_bps": "5"}), read_axes(AXES))


def nothing() -> None: ...


def test_every_figure_is_that_of_a_run_alone(stage: Stage, grid: Grid) -> None:
    figures = try_out(stage, grid, 0, grid.size, MONEY, nothing)
    tried = 0
    for number in range(grid.size):
        merged, told = grid.merged(number), dict(zip(COLUMNS, figures.table[number].tolist(), strict=True))
        if merged is None:
            assert np.isnan(figures.table[number]).all()
            continue
        rules = rules_from(merged, default_buffer=MONEY.slippage)
        start = starting(MONEY.cash, MONEY.in_stock, int(stage.points.prices[0]), rules.lot)
        alone = run(stage, rules, start, MONEY.slippage)
        totals, days = totals_of(alone), stage.points.days[alone.ends]
        years = (int(days[-1]) - int(days[0])) / 365.25
        timing = timing_returns(
            alone.daily[:, 0], alone.daily[:, 5], asset_returns(stage, alone.ends, rules.withholding, MONEY)
        )
        expected = metrics_of(alone.daily[:, 0], days)._asdict() | {
            "value": value_at_end(alone),
            "exposure": exposure(alone),
            "guardrail_time": guardrail_time(alone),
            "trades": totals.trades,
            "turnover": pytest.approx(totals.traded / float(np.mean(alone.daily[:, 0])) / years, rel=1e-12),
            "fees": totals.fees,
            "timing_sharpe": moments_of(timing).sharpe,
        }
        assert {name: told[name] for name in METRICS} == expected
        sums = block_sums(timing, blocks_of(len(timing)))
        assert figures.totals[number] == pytest.approx(sums.totals, abs=1e-14)
        assert figures.squares[number] == pytest.approx(sums.squares, abs=1e-14)
        tried += 1
    assert tried == grid.size // 2
    assert set(AMOUNTS) <= set(METRICS)


def test_cut_anywhere_the_figures_are_the_same_bit_by_bit(stage: Stage, grid: Grid) -> None:
    whole = try_out(stage, grid, 0, grid.size, MONEY, nothing)
    for cut in (1, 7, 39):
        parts = (try_out(stage, grid, 0, cut, MONEY, nothing), try_out(stage, grid, cut, grid.size, MONEY, nothing))
        for one, *two in zip(whole, *parts, strict=True):
            assert one.tobytes() == np.concatenate(two).tobytes()
