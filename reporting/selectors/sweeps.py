"""Sweeps as pages show them: somebody's list, and one with its verdict, map, ranking and a setting looked at."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from django.shortcuts import get_object_or_404

from portfolios.domain.settings import SETTINGS, parse_settings
from portfolios.models import Position, User
from portfolios.typed import WORDS, with_unit
from reporting.paging import Slice, slice_of
from trading.simulation.grid import Axis, Grid
from trading.simulation.models import Sweep
from trading.simulation.ranking import (
    SMALLER_IS_BETTER,
    Bound,
    figure_of,
    grid_of,
    heat_map,
    ranked,
    sweeps_of,
    table_of,
    trial,
    verdict_on,
)
from trading.simulation.trials import METRICS

SALT = "sweeps"
PAGE, WIDTH, CELLS, SHADES = 25, 40, 50, 5
PER_CENT = ("total_return", "cagr", "volatility", "max_drawdown", "exposure", "guardrail_time")
TAU = "Fall or rise of"
METRIC_WORDS = {name: name.replace("_", " ") for name in METRICS} | {
    "cagr": "return a year",
    "turnover": "turnover a year",
    "timing_sharpe": "timing Sharpe",
}


class Cell(NamedTuple):
    number: int
    text: str
    shade: str


class Map(NamedTuple):
    """x, y: labels; rows: the label of y with its cells. thinned: not every value of an axis is shown."""

    x: str
    y: str
    columns: list[str]
    rows: list[tuple[str, list[Cell]]]
    thinned: bool


class Ranked(NamedTuple):
    """figures: by what they are called; given: what the axes give it."""

    rank: int
    number: int
    figures: list[tuple[str, str]]
    given: str


class Looked(NamedTuple):
    number: int
    given: list[tuple[str, str]]
    figures: list[tuple[str, str]]
    verdict: Any


class Shown(NamedTuple):
    """begun: whether there is anything to show yet; kept: how many settings the filter leaves."""

    begun: bool
    axes: dict[str, str]
    asked: dict[str, str]
    map: Map | None
    rows: list[Ranked]
    names: list[str]
    metric: str
    page: int
    pages: int
    kept: int
    looked: Looked | None
    cells: list[Position]


def list_of(user: User, cursor: str) -> Slice[Sweep]:
    return slice_of(sweeps_of(user), cursor, SALT)


def sweep_seen_by(user: User, public_id: UUID) -> Sweep:
    """Raises Http404 for a stranger as for an unknown id."""
    return get_object_or_404(sweeps_of(user), public_id=public_id)


def shown_of(user: User, sweep: Sweep, query: Mapping[str, str]) -> Shown:
    """query: metric, x, y, trial, page, by, min, max; what does not fit counts as not given."""
    grid, table = grid_of(sweep), table_of(sweep)
    axes = {axis.name: named(axis) for axis in grid.axes}
    metric = query.get("metric", "") if query.get("metric") in METRICS else "timing_sharpe"
    names = list(axes)
    x = query["x"] if query.get("x") in axes else names[0]
    y = query["y"] if query.get("y") in set(axes) - {x} else next((name for name in names if name != x), None)
    order = ranked(table, metric, bounds=bounds_in(query))
    pages = max(-(-len(order) // PAGE), 1)
    page = min(max(whole(query.get("page", "")) or 1, 1), pages)
    number = whole(query.get("trial", ""))
    looked = looked_at(sweep, grid, table, number) if number is not None else None
    return Shown(
        bool(len(order)) or not np.isnan(table[:, 0]).all(),
        axes,
        {"metric": metric, "x": x, "y": y or ""} | {name: query.get(name, "")[:20] for name in ("by", "min", "max")},
        map_of(grid, table, metric, x, y) if len(order) else None,
        [
            row_of(grid, table, metric, rank, int(order[rank]))
            for rank in range((page - 1) * PAGE, min(page * PAGE, len(order)))
        ],
        [METRIC_WORDS[name] for name in shown_beside(metric)],
        METRIC_WORDS[metric],
        page,
        pages,
        len(order),
        looked,
        list(Position.objects.steered_by(user).select_related("portfolio").order_by("symbol", "pk")[:CELLS])
        if looked
        else [],
    )


def named(axis: Axis) -> str:
    return TAU if len(axis.targets) > 1 else label(axis.targets[0])


def label(name: str) -> str:
    return WORDS[name].label if name in WORDS else name


def whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def bounds_in(query: Mapping[str, str]) -> list[Bound]:
    """One filter: a metric within two numbers, per cents typed as per cents and amounts in dollars."""
    name = query.get("by", "")
    ends = [decimal(query.get(end, "")) for end in ("min", "max")]
    if name not in METRICS or ends == [None, None]:
        return []
    factor = (
        0.01
        if name in PER_CENT
        else 10**6
        if name in ("value", "fees")
        else 1 / 252**0.5
        if name == "timing_sharpe"
        else 1
    )
    low, high = (None if end is None else end * factor for end in ends)
    return [Bound(name, low, high)]


def decimal(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def shown_beside(metric: str) -> list[str]:
    return list(dict.fromkeys([metric, "total_return", "max_drawdown", "sharpe", "trades", "timing_sharpe"]))


def row_of(grid: Grid, table: np.ndarray, metric: str, rank: int, number: int) -> Ranked:
    figures = [
        (METRIC_WORDS[name], told(name, float(table[number, METRICS.index(name)]))) for name in shown_beside(metric)
    ]
    places = zip(grid.axes, grid.places(number), strict=True)
    given = ", ".join(f"{named(axis)} {value_of(axis, place)}" for axis, place in places)
    return Ranked(rank + 1, number, figures, given)


def value_of(axis: Axis, place: int) -> str:
    return with_unit(axis.targets[0], axis.values[place])


def told(name: str, value: float) -> str:
    figure = figure_of(name, value)
    if figure is None:
        return "–"
    if name in PER_CENT:
        return f"{100 * float(figure):.2f}\u00a0%".replace("-", "\u2212")
    if name in ("value", "fees"):
        return f"${float(figure):,.2f}"
    if name == "turnover":
        return f"{float(figure):.1f} ×"
    return str(figure) if isinstance(figure, int) else f"{float(figure):.2f}"


def map_of(grid: Grid, table: np.ndarray, metric: str, x: str, y: str | None) -> Map:
    found = heat_map(grid, table, metric, x, y)
    across, down = (max(-(-length // WIDTH), 1) for length in (found.figures.shape[1], found.figures.shape[0]))
    shades = shades_of(found.figures, worse_up=metric in SMALLER_IS_BETTER)
    rows = []
    for row in range(0, found.figures.shape[0], down):
        cells = [
            Cell(int(found.numbers[row, at]), told(metric, float(found.figures[row, at])), shades[row][at])
            for at in range(0, found.figures.shape[1], across)
        ]
        rows.append((value_of(found.y, row) if found.y else "", cells))
    columns = [value_of(found.x, at) for at in range(0, found.figures.shape[1], across)]
    return Map(named(found.x), named(found.y) if found.y else "", columns, rows, max(across, down) > 1)


def shades_of(figures: np.ndarray, *, worse_up: bool) -> list[list[str]]:
    """shade-0, the worst there is, to shade-5, the best; empty for what was left out."""
    known = figures[~np.isnan(figures)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    parts = (figures - low) / (high - low if high > low else 1.0)
    parts = 1 - parts if worse_up else parts
    return [["" if np.isnan(part) else f"shade-{round(part * SHADES)}" for part in row] for row in parts.tolist()]


def looked_at(sweep: Sweep, grid: Grid, table: np.ndarray, number: int) -> Looked | None:
    if number >= grid.size or np.isnan(table[number, 0]):
        return None
    given = parse_settings(trial(grid, table, number).given)
    return Looked(
        number,
        [(label(name), with_unit(name, given[name])) for name in SETTINGS if name in given],
        [(METRIC_WORDS[name], told(name, float(table[number, METRICS.index(name)]))) for name in METRICS],
        verdict_on(sweep, grid, table, number) if sweep.status == Sweep.Status.DONE else None,
    )
