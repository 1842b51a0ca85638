"""Runs: asked for by a person, carried out by a worker, stopped, thrown away. No cell knows of them."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any, NamedTuple

import structlog
from django.db import OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from portfolios.domain.amounts import MAX_AMOUNT, MICROS, PPM, as_text
from portfolios.domain.exact import muldiv_floor
from portfolios.domain.settings import SettingError, fingerprint, merge_settings, parse_settings, rules_from, written
from portfolios.errors import Refused
from portfolios.models import User
from portfolios.services.rule_version import rule_version
from trading.bars.resolutions import DAILY
from trading.simulation.archive import packed, series_of
from trading.simulation.attending import attended
from trading.simulation.inside import inside_of
from trading.simulation.loading import past_of
from trading.simulation.locks import alone_at
from trading.simulation.models import STAGES, UNFINISHED, SimulationRun, Work
from trading.simulation.report import summary_of, worths_of
from trading.simulation.runs import CannotRun, quickest, run
from trading.simulation.spans import asked_span
from trading.simulation.stage import PATHS, starting

log = structlog.get_logger(__name__)
Status = Work.Status
MOST_UNFINISHED = 10
MOST_KEPT = 200
MOST_TRIES = 3
MOST_SERIES = 8 * 2**20  # bytes of one run's arrays
MAX_CASH = 10**15
MAX_SLIPPAGE = 100_000
KEPT_UNDONE = timedelta(days=30)


class Stopped(Exception):
    """The run was cancelled or thrown away while it was worked on."""


class Asked(NamedTuple):
    """A run, and whether this request made it (or found it made by an earlier one)."""

    run: SimulationRun
    is_first: bool


class Wish(NamedTuple):
    """A checked request. cash in micros, in_stock and slippage in ppm; settings parsed."""

    symbol: str
    resolution: str
    settings: Mapping[str, int]
    cash: int
    in_stock: int
    slippage: int
    first_day: date
    last_day: date
    path: str


def create_run(
    *,
    owner: User,
    symbol: str,
    settings: Mapping[str, Any],
    cash: int,
    in_stock: int,
    slippage: int,
    first_day: date | None,
    last_day: date | None,
    path: str,
    name: str,
    resolution: str = DAILY,
) -> SimulationRun:
    """A run that waits for a worker. cash in micros, in_stock and slippage in ppm; no day: as far as bars reach.

    Raises Refused, naming the field: unknown_symbol, invalid_resolution, no_such_bars, invalid_day, too_many_bars,
    invalid_amount, invalid_setting, invalid_path, invalid_name (422); too_many_unfinished_runs, too_many_runs (409);
    bars_gone (503).
    """
    wish = checked(symbol, resolution, settings, cash, in_stock, slippage, first_day, last_day, path)
    if len(name) > 120 or not name.isprintable():
        raise Refused("invalid_name", "must be at most 120 printable characters", field="name")
    with transaction.atomic():
        User.objects.select_for_update().get(pk=owner.pk)
        refuse_too_many(owner)
        return SimulationRun.objects.create(
            owner=owner,
            name=" ".join(name.split()),
            **wish._asdict() | {"settings": written(wish.settings)},
            settings_sha256=fingerprint(merge_settings(wish.settings)),
            rule_version=rule_version(),
            total=len(STAGES),
        )


@transaction.atomic
def ask_once(*, owner: User, key: str, fingerprint: str, ask: Callable[[], SimulationRun]) -> Asked:
    """One run for each key of an owner, however often and however fast it is asked for; a refusal uses up nothing.

    A rival waits for the owner's row. Raises Refused: idempotency_signature_mismatch (409), and what `ask` raises.
    """
    User.objects.select_for_update().get(pk=owner.pk)
    made = SimulationRun.objects.filter(owner=owner, asked_key=key).defer("series").first()
    if made is None:
        run = ask()
        run.asked_key, run.asked_sha256 = key, fingerprint
        run.save(update_fields=["asked_key", "asked_sha256"])
        return Asked(run, is_first=True)
    if made.asked_sha256 != fingerprint:
        raise Refused("idempotency_signature_mismatch", "this key was used for another request", status=409)
    return Asked(made, is_first=False)


def checked(
    symbol: str,
    resolution: str,
    settings: Mapping[str, Any],
    cash: int,
    in_stock: int,
    slippage: int,
    first_day: date | None,
    last_day: date | None,
    path: str,
) -> Wish:
    """Raises Refused for the first thing that cannot be."""
    if path not in PATHS:
        raise Refused("invalid_path", f"must be one of {', '.join(PATHS)}", field="path")
    span = asked_span(symbol, resolution, first_day, last_day, path)
    for field, given, low, high, unit in (
        ("cash", cash, MICROS, MAX_CASH, MICROS),
        ("in_stock", in_stock, 0, PPM, PPM),
        ("slippage", slippage, 0, MAX_SLIPPAGE, PPM),
    ):
        if not low <= given <= high:
            limits = " to ".join(as_text(bound * MICROS // unit) for bound in (low, high))
            raise Refused("invalid_amount", f"must be from {limits}", field=field)
    if muldiv_floor(cash, MICROS, span.close) > MAX_AMOUNT:
        raise Refused("invalid_amount", f"buys more than {as_text(MAX_AMOUNT)} shares on {span.first}", field="cash")
    try:
        parsed = parse_settings(settings)
        merge_settings(parsed)
    except SettingError as error:
        raise Refused("invalid_setting", error.message, field=f"settings/{error.field}") from error
    return Wish(symbol, resolution, parsed, cash, in_stock, slippage, span.first, span.last, path)


def refuse_too_many(owner: User) -> None:
    own = SimulationRun.objects.filter(owner=owner)
    if own.filter(status__in=UNFINISHED).count() >= MOST_UNFINISHED:
        message = f"at most {MOST_UNFINISHED} runs can wait or be worked on; cancel one or wait"
        raise Refused("too_many_unfinished_runs", message, status=409)
    if own.count() >= MOST_KEPT:
        raise Refused("too_many_runs", f"at most {MOST_KEPT} runs can be kept; delete one first", status=409)


def carry_out(*, run_id: int) -> SimulationRun | None:
    """Work a run through, unless it is over or another worker is at it; None where it was thrown away.

    May be called any number of times: a run whose worker died begins again, and ends the same.
    """
    with alone_at(run_id) as mine:
        if mine and taken_up(run_id):
            try:
                worked_through(SimulationRun.objects.get(pk=run_id))
            except (Stopped, SimulationRun.DoesNotExist):
                log.info("run stopped", run_id=run_id)
            except OperationalError:
                raise  # the database, not the run: the bell is rung again
            except CannotRun as error:
                fail(run_id, str(error))
            except Exception as error:
                log.exception("run failed", run_id=run_id)
                fail(run_id, f"It failed for a reason nobody foresaw ({type(error).__name__}).")
    return SimulationRun.objects.filter(pk=run_id).first()


def taken_up(run_id: int) -> bool:
    waiting = SimulationRun.objects.filter(pk=run_id, status__in=UNFINISHED)
    now = timezone.now()
    if waiting.filter(tries__lt=MOST_TRIES).update(status=Status.RUNNING, started_at=now, done=0, tries=F("tries") + 1):
        return True
    if waiting.exists():
        fail(run_id, f"Its worker died {MOST_TRIES} times over it.")
    return False


def worked_through(work: SimulationRun) -> None:
    """Its four stages. Raises Stopped where it was cancelled meanwhile, CannotRun."""
    bars, dividends, splits, stage, seen = past_of(work, partial(proceed, work.pk, 0), work.path)
    rules = rules_from(merge_settings(parse_settings(work.settings)), default_buffer=work.slippage)
    proceed(work.pk, 1, data_sha256=seen)
    start = starting(work.cash, work.in_stock, int(stage.points.prices[0]), rules.lot)
    wanted = partial(proceed, work.pk, 1)
    done = attended(lambda: run(stage, rules, start, work.slippage, by=quickest(len(stage.bar))), wanted)
    proceed(work.pk, 2)
    wanted = partial(proceed, work.pk, 2)
    worths = attended(lambda: worths_of(done, work.cash, work.in_stock, work.slippage), wanted)
    inside = attended(lambda: inside_of(done, work.path, bars, dividends, splits, work.slippage), wanted)
    proceed(work.pk, 3)
    wanted = partial(proceed, work.pk, 3)
    series = attended(lambda: packed(series_of(done, bars, worths, inside)), wanted)
    result = attended(lambda: summary_of(done, bars, worths, inside), wanted)
    if len(series) > MOST_SERIES:
        raise CannotRun(f"It made {len(done.outcome.steps)} steps, more than can be kept.")
    over = {"status": Status.DONE, "finished_at": timezone.now()}
    proceed(work.pk, len(STAGES), result=result, series=series, **over)


def proceed(run_id: int, done: int, **found: Any) -> None:
    """Seen by everybody at once. Raises Stopped where the run is no longer wanted."""
    if not SimulationRun.objects.filter(pk=run_id, status=Status.RUNNING).update(done=done, **found):
        raise Stopped


def fail(run_id: int, why: str) -> None:
    SimulationRun.objects.filter(pk=run_id, status__in=UNFINISHED).update(
        status=Status.FAILED, failure=why[:200], finished_at=timezone.now()
    )


def cancel_work(*, work: Work, actor: str) -> Work:
    """At any time before its end; a worker that is at it notices within a second. Twice is once.

    Raises Refused: already_over (409) for what is done or failed.
    """
    rows = type(work)._default_manager.filter(pk=work.pk)
    if rows.filter(status__in=UNFINISHED).update(status=Status.CANCELLED, finished_at=timezone.now()):
        log.info("work cancelled", work=str(work.public_id), actor=actor)
    work.refresh_from_db()
    if work.status != Status.CANCELLED:
        raise Refused("already_over", f"it is {work.status} already", status=409)
    return work


def delete_work(*, work: Work) -> None:
    """With all that came of it; a worker that is at it stops at its next stage."""
    work.delete()


def forget_undone() -> int:
    """Runs that came to nothing are kept for a month. How many went."""
    ended = timezone.now() - KEPT_UNDONE
    undone = SimulationRun.objects.filter(status__in=(Status.FAILED, Status.CANCELLED), finished_at__lt=ended)
    return undone.delete()[0]
