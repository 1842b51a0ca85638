"""Sweeps: a grid is cut into chunks, each worked on by whoever comes first; the last one out judges the whole."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from threading import Event
from typing import Any, TypeVar

import numpy as np
import structlog
from django.db import OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from portfolios.domain.settings import fingerprint, merge_settings, rules_from, written
from portfolios.errors import Refused
from portfolios.models import User
from portfolios.services.rule_version import rule_version
from trading.bars.catalogue import bars_between
from trading.bars.resolutions import DAILY
from trading.simulation.attending import attended
from trading.simulation.bars import Bars
from trading.simulation.grid import Grid, kept_axes, read_axes
from trading.simulation.honesty import Sums, block_sizes
from trading.simulation.loading import Past, past_of
from trading.simulation.locks import CHUNKS, SWEEPS, alone_at
from trading.simulation.machine import compiled
from trading.simulation.models import UNFINISHED, Sweep, SweepChunk, Work
from trading.simulation.ranking import figures_of, grid_of, trials_before, verdict_of
from trading.simulation.runs import CannotRun, session_ends
from trading.simulation.services import Stopped, checked
from trading.simulation.stage import CLOSE, Stage, stage_of, starting
from trading.simulation.trials import COLUMNS, Money, packed_figures, try_out
from trading.simulation.verdict import assessed

T = TypeVar("T")
log = structlog.get_logger(__name__)
Status = Work.Status
MOST_UNFINISHED = 3
MOST_KEPT = 50
MOST_TRIES = 3
MOST_BARS = 2_000_000  # looked at in one chunk: a second or two of work
SMALLEST, LARGEST = 200, 1_000  # settings of a chunk: fewer would be tried in less time than it takes to read bars
CUTS = (0.4, 0.7, 0.9)  # where the future is cut off to see whether the past changes


def create_sweep(
    *,
    owner: User,
    symbol: str,
    settings: Mapping[str, Any],
    axes: Any,
    cash: int,
    in_stock: int,
    slippage: int,
    first_day: date | None,
    last_day: date | None,
    name: str,
    resolution: str = DAILY,
) -> Sweep:
    """A sweep whose chunks wait for workers. `settings` rule wherever no axis does. Amounts as in `create_run`.

    Raises Refused, naming the field: what `create_run` raises, invalid_axis, too_many_settings, too_few_settings (422);
    too_many_unfinished_sweeps, too_many_sweeps (409).
    """
    if not isinstance(name, str) or len(name) > 120 or not name.isprintable():
        raise Refused("invalid_name", "must be at most 120 printable characters", field="name")
    wish = checked(symbol, resolution, settings, cash, in_stock, slippage, first_day, last_day, CLOSE)
    grid = Grid(wish.settings, read_axes(axes))
    left_out = sum(grid.merged(number) is None for number in range(grid.size))
    if grid.size - left_out < 2:
        raise Refused("too_few_settings", "must leave two combinations at least that a cell can have", field="axes")
    bars = bars_between(symbol, resolution, wish.first_day, wish.last_day)
    asked = wish._asdict() | {"settings": written(wish.settings)}
    del asked["path"]
    with transaction.atomic():
        User.objects.select_for_update().get(pk=owner.pk)
        refuse_too_many(owner)
        sweep = Sweep.objects.create(
            owner=owner,
            name=" ".join(name.split()),
            **asked,
            axes=kept_axes(axes),
            settings_sha256=fingerprint(merge_settings(wish.settings)),
            rule_version=rule_version(),
            total=grid.size,
            left_out=left_out,
        )
        SweepChunk.objects.bulk_create(cut(sweep, grid.size, bars))
    return sweep


def refuse_too_many(owner: User) -> None:
    own = Sweep.objects.filter(owner=owner)
    if own.filter(status__in=UNFINISHED).count() >= MOST_UNFINISHED:
        message = f"at most {MOST_UNFINISHED} sweeps can wait or be worked on; cancel one or wait"
        raise Refused("too_many_unfinished_sweeps", message, status=409)
    if own.count() >= MOST_KEPT:
        raise Refused("too_many_sweeps", f"at most {MOST_KEPT} sweeps can be kept; delete one first", status=409)


def cut(sweep: Sweep, size: int, bars: int) -> Iterable[SweepChunk]:
    """Small enough that all machines share the work and a dead worker costs seconds."""
    step = min(max(MOST_BARS // bars, SMALLEST), LARGEST)
    return [SweepChunk(sweep=sweep, begin=at, end=min(at + step, size)) for at in range(0, size, step)]


def carry_out_chunk(*, chunk_id: int) -> SweepChunk | None:
    """Work a chunk through unless that is done or another worker is at it; None where the sweep was thrown away.

    May be called any number of times: a chunk whose worker died begins again, and ends the same. Whoever finds no
    chunk left to do judges the sweep.
    """
    with alone_at(chunk_id, CHUNKS) as mine:
        if mine and (sweep := taken_up(chunk_id)):
            with told(sweep.pk):
                work_through(sweep, SweepChunk.objects.get(pk=chunk_id))
    chunk = SweepChunk.objects.filter(pk=chunk_id).defer("figures").first()
    if chunk and not SweepChunk.objects.filter(sweep=chunk.sweep_id, figures=None).exists():
        finish(sweep_id=chunk.sweep_id)
    return chunk


class told:
    """What goes wrong inside is told to the owner, except a database that went away: then the bell rings again."""

    def __init__(self, sweep_id: int) -> None:
        self.sweep_id = sweep_id

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> bool:
        if isinstance(error, Stopped | SweepChunk.DoesNotExist | Sweep.DoesNotExist):
            log.info("sweep stopped", sweep_id=self.sweep_id)
        elif isinstance(error, CannotRun):
            fail(self.sweep_id, str(error))
        elif isinstance(error, Exception) and not isinstance(error, OperationalError):
            log.exception("sweep failed", sweep_id=self.sweep_id, exc_info=error)
            fail(self.sweep_id, f"It failed for a reason nobody foresaw ({type(error).__name__}).")
        else:
            return False
        return True


def taken_up(chunk_id: int) -> Sweep | None:
    now = timezone.now()
    waiting = SweepChunk.objects.filter(pk=chunk_id, figures=None, sweep__status__in=UNFINISHED)
    chunk = waiting.select_related("sweep").first()
    if chunk is None:
        return None
    if chunk.tries >= MOST_TRIES:
        fail(chunk.sweep_id, f"Its worker died {MOST_TRIES} times over settings {chunk}.")
        return None
    waiting.update(taken_at=now, tries=F("tries") + 1)
    Sweep.objects.filter(pk=chunk.sweep_id, status=Status.QUEUED).update(status=Status.RUNNING, started_at=now)
    return chunk.sweep


def work_through(sweep: Sweep, chunk: SweepChunk) -> None:
    """Its figures, stored together with the progress. Raises Stopped, CannotRun."""
    stage = recorded(sweep).stage
    money = Money(sweep.cash, sweep.in_stock, sweep.slippage)
    grid = grid_of(sweep)
    figures = while_wanted(sweep, lambda tell: try_out(stage, grid, chunk.begin, chunk.end, money, tell))
    kept = packed_figures(figures)
    with transaction.atomic():
        rows = SweepChunk.objects.filter(pk=chunk.pk, figures=None)
        if rows.update(figures=kept):
            running = Sweep.objects.filter(pk=sweep.pk, status=Status.RUNNING)
            running.update(done=F("done") + chunk.end - chunk.begin)


def while_wanted(sweep: Sweep, work: Callable[[Callable[[], None]], T]) -> T:
    """What `work` returns. It is given what it calls now and then, which ends it once nobody wants it any more."""
    unwanted, ask = Event(), asking(sweep.pk)

    def wanted() -> None:
        try:
            ask()
        except Stopped:
            unwanted.set()
            raise

    def tell() -> None:
        if unwanted.is_set():
            raise Stopped

    wanted()
    return attended(lambda: work(tell), wanted)


def recorded(sweep: Sweep) -> Past:
    """The same past for every chunk. Raises Stopped, and CannotRun where it changed meanwhile."""
    past = past_of(sweep, asking(sweep.pk))
    Sweep.objects.filter(pk=sweep.pk, data_sha256="").update(data_sha256=past.sha256)
    if Sweep.objects.values_list("data_sha256", flat=True).get(pk=sweep.pk) != past.sha256:
        raise CannotRun("The recorded prices changed while it was worked on; start it again.")
    return past


def asking(sweep_id: int) -> Callable[[], None]:
    """Raises Stopped where nobody wants it any more."""

    def ask() -> None:
        if not Sweep.objects.filter(pk=sweep_id, status=Status.RUNNING).exists():
            raise Stopped

    return ask


def finish(*, sweep_id: int) -> None:
    """Judge a sweep whose chunks are all done, once."""
    with alone_at(sweep_id, SWEEPS) as mine:
        sweep = Sweep.objects.filter(pk=sweep_id, status=Status.RUNNING).first()
        if not mine or sweep is None:
            return
        with told(sweep_id):
            found = result_of(sweep)
            over = {"status": Status.DONE, "done": sweep.total, "finished_at": timezone.now(), "result": found}
            Sweep.objects.filter(pk=sweep_id, status=Status.RUNNING).update(**over)


def result_of(sweep: Sweep) -> dict[str, Any]:
    figures = figures_of(sweep)
    sharpes = figures.table[:, COLUMNS.index("timing_sharpe")]
    numbers = np.flatnonzero(~np.isnan(sharpes))
    past = recorded(sweep)
    sessions = len(session_ends(past.stage)) - 1
    sums = Sums(block_sizes(sessions), figures.totals[numbers].T, figures.squares[numbers].T)
    found = assessed(sharpes[numbers], sums, numbers)
    found["trials_before"] = trials_before(sweep)
    found["look_ahead"] = attended(lambda: is_blind(sweep, found["best"], past), asking(sweep.pk))
    found["verdict"] = verdict_of(found, grid_of(sweep), figures.table, found["best"]).plain
    return found


def is_blind(sweep: Sweep, number: int, past: Past) -> bool:
    """Whether cutting the future off at three places changes nothing that happened before, step by step."""
    whole, bars = steps_of(sweep, number, past.stage), past.bars
    for part in CUTS:
        length = max(int(len(bars.at) * part), 2)
        early = Bars(bars.at[:length], bars.days[:length], bars.prices[:length], bars.market[:length], bars.is_daily)
        steps = steps_of(sweep, number, stage_of(early, past.dividends, past.splits))
        if not np.array_equal(steps, whole[whole[:, 0] < length]):
            return False
    return True


def steps_of(sweep: Sweep, number: int, stage: Stage) -> np.ndarray:
    merged = grid_of(sweep).merged(number)
    assert merged is not None
    rules = rules_from(merged, default_buffer=sweep.slippage)
    start = starting(sweep.cash, sweep.in_stock, int(stage.points.prices[0]), rules.lot)
    steps: np.ndarray = compiled("simulate")(stage.points, stage.happenings, rules, start, sweep.slippage)[1]
    return steps


def fail(sweep_id: int, why: str) -> None:
    Sweep.objects.filter(pk=sweep_id, status__in=UNFINISHED).update(
        status=Status.FAILED, failure=why[:200], finished_at=timezone.now()
    )
