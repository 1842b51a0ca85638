"""Statistics of a run against a published implementation (empyrical), and where there is nothing to tell."""

import warnings

import numpy as np
import pytest

from portfolios.domain.amounts import MICROS
from trading.simulation.metrics import CALENDAR_YEAR, YEAR, drawdowns, metrics_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pandas speaks of its own future while it is imported
    import empyrical

SEED = 20_070_103


def worths(kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Values in micros at n sessions' closes, and their dates: five of seven days, with holidays."""
    random = np.random.default_rng(seed)
    size = int(random.integers(3, 3_000))
    pace, lean = {"calm": (0.004, 0.0004), "wild": (0.05, 0), "ruin": (0.03, -0.02), "rise": (0.002, 0.003)}[kind]
    returns = random.normal(lean, pace, size).clip(-0.9, 2)
    values = (10_000 * MICROS * np.cumprod(np.append(1, 1 + returns))).clip(1, 10**18).astype(np.int64)
    days = 13_500 + np.cumsum(random.choice([1, 1, 1, 1, 3, 4], size + 1))
    return values, days


@pytest.mark.parametrize("seed", range(SEED, SEED + 10))
@pytest.mark.parametrize("kind", ["calm", "wild", "ruin", "rise"])
def test_every_figure_is_that_of_a_published_implementation(kind, seed):
    values, days = worths(kind, seed)
    returns = values[1:] / values[:-1] - 1
    # empyrical counts a year as so many returns; ours has 365.25 days, so it is told how many returns that is here
    a_year = len(returns) / ((days[-1] - days[0]) / CALENDAR_YEAR)
    expected = {
        "total_return": empyrical.cum_returns_final(returns),
        "cagr": empyrical.cagr(returns, annualization=a_year),
        "volatility": empyrical.annual_volatility(returns, annualization=YEAR),
        "sharpe": empyrical.sharpe_ratio(returns, annualization=YEAR),
        "sortino": empyrical.sortino_ratio(returns, annualization=YEAR),
        "max_drawdown": empyrical.max_drawdown(returns),
        "calmar": empyrical.calmar_ratio(returns, annualization=a_year),
    }
    found = metrics_of(values, days)._asdict()
    assert found.keys() == expected.keys()
    for name, figure in expected.items():
        assert found[name] == pytest.approx(figure, rel=1e-9, abs=1e-9), name


def test_figures_that_can_be_checked_in_the_head():
    found = metrics_of(np.array([100, 110, 99, 121]) * MICROS, np.array([0, 1, 2, 1461]))
    assert found.total_return == pytest.approx(0.21)
    assert found.cagr == pytest.approx(1.21**0.25 - 1)  # 1,461 days are four years
    assert found.max_drawdown == pytest.approx(-0.1)
    assert found.calmar == pytest.approx(found.cagr / 0.1)
    assert drawdowns(np.array([100.0, 110, 99, 121])).tolist() == pytest.approx([0, 0, -0.1, 0])


@pytest.mark.parametrize(
    ("values", "days", "untold"),
    [
        ([5, 5, 5], [0, 1, 2], {"sharpe", "sortino", "calmar"}),  # nothing ever moved
        ([5, 6, 8], [0, 1, 2], {"sortino", "calmar"}),  # no loss
        ([5], [0], {"cagr", "volatility", "sharpe", "sortino", "calmar"}),  # one day
        ([5, 6], [0, 1], {"volatility", "sharpe", "sortino", "calmar"}),  # one return
        ([5, 0], [0, 1], {"cagr", "volatility", "sharpe", "sortino", "calmar"}),  # all lost
        ([5, 500], [0, 1], {"cagr", "volatility", "sharpe", "sortino", "calmar"}),  # 10^730 a year
        ([5, 0, 1], [0, 1, 2], {"volatility", "sharpe", "sortino"}),  # returns of nothing
        ([0, 5, 6], [0, 1, 2], {"cagr", "volatility", "sharpe", "sortino", "calmar"}),  # began with nothing
    ],
)
def test_what_cannot_be_told_is_none_and_never_an_infinity(values, days, untold):
    found = metrics_of(np.array(values, np.int64), np.array(days))._asdict()
    assert {name for name, figure in found.items() if figure is None} == untold
    assert all(np.isfinite(figure) for figure in found.values() if figure is not None)
