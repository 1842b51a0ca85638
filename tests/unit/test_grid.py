"""A grid over settings: exact ranges with both ends, numbers there and back, and what is refused."""

from decimal import Decimal
from typing import Any

import pytest

from portfolios.domain.settings import parse_settings
from portfolios.errors import Refused
from trading.simulation.grid import Grid, kept_axes, read_axes


def values(**axis: Any) -> list[str]:
    (read,) = read_axes([axis])
    return [read.shown(place) for place in range(len(read.values))]


def test_ranges_are_exact_and_include_both_ends() -> None:
    assert values(name="tau", **{"from": "0.01", "to": "0.03", "step": "0.005"}) == [
        "0.01", "0.015", "0.02", "0.025", "0.03",
    ]  # fmt: skip
    assert len(values(name="trigger_up", **{"from": "0.001", "to": "0.1", "step": "0.001"})) == 100
    assert values(name="commission_bps", **{"from": 0, "to": 1, "step": Decimal("0.5")}) == ["0", "0.5", "1"]
    assert values(name="min_notional", **{"from": "0", "to": "250", "step": "100"}) == ["0", "100", "200"]
    assert values(name="max_trade", values=["0.1", None]) == ["0.1", "none"]


def test_every_combination_has_a_number() -> None:
    axes = read_axes(
        [{"name": "tau", "values": ["0.02", "0.03"]}, {"name": "sizing", "values": ["constant_mix", "anchor_ratio"]},
         {"name": "guardrail_low", "from": "0.1", "to": "0.3", "step": "0.1"}]
    )  # fmt: skip
    grid = Grid(parse_settings({"guardrail_high": "0.9"}), axes)
    assert (grid.size, grid.shape) == (12, (2, 2, 3))
    assert [grid.number(grid.places(number)) for number in range(12)] == list(range(12))
    assert grid.settings(11) == parse_settings(
        {"tau": "0.03", "sizing": "anchor_ratio", "guardrail_low": "0.3", "guardrail_high": "0.9"}
    )
    assert sorted(grid.neighbours(0)) == [1, 6]  # another sizing is no neighbour: words have no order
    assert sorted(grid.neighbours(4)) == [3, 5, 10]


def test_a_combination_that_no_cell_could_have_is_left_out() -> None:
    lows = {"name": "guardrail_low", "values": ["0.2", "0.6"]}
    axes = read_axes([lows, {"name": "guardrail_high", "values": ["0.5"]}])
    grid = Grid({}, axes)
    assert [grid.merged(number) is None for number in range(2)] == [False, True]


def test_what_is_kept_reads_the_same() -> None:
    given = [
        {"name": "tau", "from": Decimal("0.01"), "to": "0.05", "step": "0.01"},
        {"name": "after_hours", "values": [True, False]},
        {"name": "max_trade", "values": [None, 1]},
    ]
    kept = kept_axes(given)
    assert kept[0] == {"from": "0.01", "name": "tau", "step": "0.01", "to": "0.05"}
    assert read_axes(kept) == read_axes(given)


RANGE = {"name": "tau", "from": "0.01", "to": "0.05", "step": "0.01"}
BAD = [
    (None, "axes", "invalid_axis"),
    ([], "axes", "invalid_axis"),
    ([RANGE] * 7, "axes", "invalid_axis"),
    (["tau"], "axes/0/name", "invalid_axis"),
    ([{"name": "tau"}], "axes/0/name", "invalid_axis"),
    ([RANGE | {"values": ["0.1"]}], "axes/0/name", "invalid_axis"),
    ([RANGE | {"name": "luck"}], "axes/0/name", "invalid_axis"),
    ([RANGE | {"name": ["tau"]}], "axes/0/name", "invalid_axis"),
    ([RANGE | {"from": "0"}], "axes/0/from", "invalid_axis"),
    ([RANGE | {"from": "x"}], "axes/0/from", "invalid_axis"),
    ([RANGE | {"from": True}], "axes/0/from", "invalid_axis"),
    ([RANGE | {"from": {"a": 1}}], "axes/0/from", "invalid_axis"),
    ([RANGE | {"to": "0.6"}], "axes/0/to", "invalid_axis"),
    ([RANGE | {"to": "0.005"}], "axes/0/to", "invalid_axis"),
    ([RANGE | {"step": "0"}], "axes/0/step", "invalid_axis"),
    ([RANGE | {"step": "-0.01"}], "axes/0/step", "invalid_axis"),
    ([RANGE | {"step": "0.0000001"}], "axes/0/step", "invalid_axis"),
    ([RANGE | {"step": "nan"}], "axes/0/step", "invalid_axis"),
    ([RANGE | {"step": 0.01}], "axes/0/step", "invalid_axis"),
    ([RANGE | {"step": None}], "axes/0/step", "invalid_axis"),
    ([RANGE, {"name": "trigger_up", "values": ["0.1"]}], "axes/1/name", "invalid_axis"),
    ([{"name": "sizing", "from": "1", "to": "2", "step": "1"}], "axes/0/values", "invalid_axis"),
    ([{"name": "sizing", "values": ["sideways"]}], "axes/0/values", "invalid_axis"),
    ([{"name": "sizing", "values": [["proportional"]]}], "axes/0/values", "invalid_axis"),
    ([{"name": "after_hours", "values": ["true"]}], "axes/0/values", "invalid_axis"),
    ([{"name": "tau", "values": []}], "axes/0/values", "invalid_axis"),
    ([{"name": "tau", "values": "0.1"}], "axes/0/values", "invalid_axis"),
    ([{"name": "tau", "values": ["0.1", "0.10"]}], "axes/0/values", "invalid_axis"),
    ([{"name": "max_trade", "from": None, "to": "1", "step": "0.1"}], "axes/0/from", "invalid_axis"),
    ([{"name": "min_notional", "from": "0", "to": "1000000000", "step": "0.000001"}], "axes/0/step", "invalid_axis"),
    (
        [{"name": name, "from": "0.01", "to": "0.5", "step": "0.001"} for name in ("trigger_up", "trigger_down")],
        "axes",
        "too_many_settings",
    ),
]


@pytest.mark.parametrize(("given", "field", "code"), BAD)
def test_what_is_no_grid_is_refused_by_name(given: Any, field: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read_axes(given)
    assert (refused.value.field, refused.value.code, refused.value.status) == (field, code, 422)
