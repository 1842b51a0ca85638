"""Reads of sweeps: whose they are, what waits, the figures of a grid, ranked, filtered, or laid out on two axes."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from django.db.models import QuerySet, Sum
from django.utils import timezone

from portfolios.domain.amounts import as_text
from portfolios.domain.settings import parse_settings, written
from trading.simulation.grid import Axis, Grid, read_axes
from trading.simulation.honesty import Moments
from trading.simulation.locks import CHUNKS, key_of, worked_on
from trading.simulation.metrics import YEAR
from trading.simulation.models import UNFINISHED, Sweep, SweepChunk, Work
from trading.simulation.trials import COLUMNS, METRICS, Figures, unpacked_figures, unpacked_table
from trading.simulation.verdict import Verdict, judged

AT_A_TIME = 8
PATIENCE = timedelta(seconds=5)
AMOUNTS = ("value", "fees")
COUNTS = ("trades",)
SMALLER_IS_BETTER = ("volatility", "fees", "trades", "exposure", "turnover")
SHARPE = COLUMNS.index("timing_sharpe")


class Trial(NamedTuple):
    """One combination: what it gives beyond the base, as people write it, and its figures, see `figure_of`."""

    number: int
    given: dict[str, str | bool | None]
    figures: dict[str, str | float | int | None]


class Bound(NamedTuple):
    """Only trials whose metric is within these, both included; None for open."""

    metric: str
    low: float | None
    high: float | None


class HeatMap(NamedTuple):
    """figures: rows of y by columns of x, the best over all other axes; numbers: which trial that was."""

    x: Axis
    y: Axis | None
    metric: str
    figures: np.ndarray
    numbers: np.ndarray


def sweeps_of(user: Any) -> QuerySet[Sweep]:
    return Sweep.objects.visible_to(user)


def grid_of(sweep: Sweep) -> Grid:
    return Grid(parse_settings(sweep.settings), read_axes(sweep.axes))


def trials_before(sweep: Sweep) -> int:
    """What the same person tried on the same symbol before: luck is counted over all of it."""
    earlier = Sweep.objects.filter(owner=sweep.owner_id, symbol=sweep.symbol, pk__lt=sweep.pk)
    sums = earlier.exclude(status=Work.Status.FAILED).aggregate(done=Sum("done"))
    return int(sums["done"] or 0)


def chunks_to_ring(sweep_id: int, most: int = AT_A_TIME) -> list[int]:
    """Chunks that nobody is at; of a sweep that only lacks its judgement, any one."""
    todo = list(SweepChunk.objects.filter(sweep=sweep_id, figures=None).order_by("pk").values_list("pk", flat=True))
    if not todo:
        return list(SweepChunk.objects.filter(sweep=sweep_id).order_by("pk").values_list("pk", flat=True)[:1])
    held = worked_on(CHUNKS)
    return [pk for pk in todo if key_of(pk) not in held][:most]


def chunks_waiting() -> list[int]:
    """For the sweeper: of every unfinished sweep as many as keep all workers busy until it looks again."""
    asked = Sweep.objects.filter(status__in=UNFINISHED, created_at__lt=timezone.now() - PATIENCE).order_by("pk")
    return [pk for sweep_id in asked.values_list("pk", flat=True)[:20] for pk in chunks_to_ring(sweep_id)]


def next_chunk(chunk: SweepChunk) -> int | None:
    """What a worker that is through with one goes on with."""
    unfinished = SweepChunk.objects.filter(sweep=chunk.sweep_id, figures=None, sweep__status__in=UNFINISHED)
    held = worked_on(CHUNKS)
    free = (pk for pk in unfinished.order_by("pk").values_list("pk", flat=True) if key_of(pk) not in held)
    return next(free, None)


def time_left(sweep: Sweep) -> timedelta | None:
    """By the pace so far; None while that is not known."""
    if sweep.status != Work.Status.RUNNING or not sweep.done or not sweep.started_at:
        return None
    return (timezone.now() - sweep.started_at) * ((sweep.total - sweep.done) / sweep.done)


def table_of(sweep: Sweep) -> np.ndarray:
    """A row per combination, NaN where it was left out or is not done yet."""
    table = np.full((sweep.total, len(COLUMNS)), np.nan)
    for begin, end, kept in chunks_done(sweep):
        table[begin:end] = unpacked_table(kept)
    return table


def figures_of(sweep: Sweep) -> Figures:
    parts = [unpacked_figures(kept) for _, _, kept in chunks_done(sweep)]
    return Figures(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def chunks_done(sweep: Sweep) -> Iterator[tuple[int, int, bytes]]:
    done = sweep.chunks.exclude(figures=None).order_by("begin")
    for begin, end, kept in done.values_list("begin", "end", "figures").iterator(chunk_size=16):
        yield begin, end, bytes(kept or b"")


def ranked(table: np.ndarray, metric: str, *, bounds: Sequence[Bound] = (), reverse: bool = False) -> np.ndarray:
    """Numbers of the trials within the bounds, best first (or worst); of equals the lower number."""
    column = table[:, METRICS.index(metric)]
    kept = ~np.isnan(column)
    for bound in bounds:
        values = table[:, METRICS.index(bound.metric)]
        kept &= (values >= (-np.inf if bound.low is None else bound.low)) & (
            values <= (np.inf if bound.high is None else bound.high)
        )
    numbers = np.flatnonzero(kept)
    upwards = (metric in SMALLER_IS_BETTER) != reverse
    return numbers[np.argsort(column[numbers] * (1 if upwards else -1), kind="stable")]


def trial(grid: Grid, table: np.ndarray, number: int) -> Trial:
    names = [target for axis in grid.axes for target in axis.targets]
    settings = grid.settings(number)
    given = written({name: settings[name] for name in names})
    figures = {name: figure_of(name, float(table[number, place])) for place, name in enumerate(METRICS)}
    return Trial(number, given, figures)


def figure_of(name: str, value: float) -> str | float | int | None:
    """Amounts as text, counts whole, Sharpe ratios a year, all else a fraction; None where it cannot be told."""
    if np.isnan(value):
        return None
    if name in AMOUNTS:
        return as_text(round(value))
    if name in COUNTS:
        return int(value)
    return value * sqrt(YEAR) if name == "timing_sharpe" else value


def verdict_on(sweep: Sweep, grid: Grid, table: np.ndarray, number: int) -> Verdict:
    """Of a sweep that is done, on one of its combinations that was not left out."""
    return verdict_of(sweep.result or {}, grid, table, number)


def verdict_of(found: Mapping[str, Any], grid: Grid, table: np.ndarray, number: int) -> Verdict:
    _, mean, deviation, skewness, kurtosis = (float(value) for value in table[number, SHARPE:])
    sharpes = table[list(grid.neighbours(number)), SHARPE]
    moments = Moments(int(found["sessions"]), mean, deviation, skewness, kurtosis)
    return judged(found, moments, sharpes[~np.isnan(sharpes)])


def heat_map(grid: Grid, table: np.ndarray, metric: str, x: str, y: str | None) -> HeatMap:
    """Raises StopIteration for an axis the grid does not have."""
    column = table[:, METRICS.index(metric)] * (-1 if metric in SMALLER_IS_BETTER else 1)
    places = [row for name in (y, x) if name is not None for row in (place_of(grid, name),)]
    order = [*places, *(row for row in range(len(grid.shape)) if row not in places)]
    width = grid.shape[places[-1]]
    numbers = np.arange(grid.size).reshape(grid.shape).transpose(order).reshape(-1, width, order_size(grid, places))
    values = np.where(np.isnan(column), -np.inf, column)[numbers]
    best = np.take_along_axis(numbers, np.argmax(values, axis=2)[:, :, None], axis=2)[:, :, 0]
    axes = [grid.axes[row] for row in places]
    return HeatMap(axes[-1], axes[0] if y else None, metric, table[best, METRICS.index(metric)], best)


def place_of(grid: Grid, name: str) -> int:
    return next(row for row, axis in enumerate(grid.axes) if axis.name == name)


def order_size(grid: Grid, places: Sequence[int]) -> int:
    size = grid.size
    for row in places:
        size //= grid.shape[row]
    return size
