"""Runs: asked for, carried out, stopped, thrown away; a worker's death costs time and nothing else."""

import os
import signal
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import psycopg
import pytest
import redis
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from dividends.services.announcements import announce_dividend, announce_split
from portfolios.domain.amounts import micros
from portfolios.errors import Refused
from tests.at_once import at_once
from tests.factories import make_user
from tests.programs import Program, running, wait_until
from tests.recorded import BEGINS, PRICES, make_bars, make_done_run, make_run
from trading.market.models import Bar
from trading.simulation import loading, services
from trading.simulation.archive import packed, unpacked
from trading.simulation.locks import RUNS
from trading.simulation.models import SimulationRun
from trading.simulation.selectors import SOON, over_soon, runs_waiting
from trading.simulation.services import (
    MOST_TRIES,
    MOST_UNFINISHED,
    cancel_work,
    carry_out,
    delete_work,
    forget_undone,
)
from trading.tasks import ring_runs, run_simulation
from trading.tasks.nightly import forget_undone_runs

pytestmark = pytest.mark.django_db
LIVE = pytest.mark.django_db(transaction=True)


def kept_of(run: SimulationRun) -> tuple[Any, ...]:
    """What must be the same to the last digit."""
    return run.result, bytes(run.series), run.data_sha256, run.settings_sha256, run.rule_version


def grown_old(run: SimulationRun, **traits: Any) -> SimulationRun:
    SimulationRun.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(minutes=1), **traits)
    run.refresh_from_db()
    return run


def test_a_run_is_carried_out_and_kept() -> None:
    run = make_run(settings={"tau": "0.03"}, name=" first  try ")
    assert (run.status, run.done, run.total, run.stage) == ("queued", 0, 4, "")
    assert (run.name, run.first_day, run.last_day) == ("first try", BEGINS, date(2007, 1, 12))
    assert run.settings == {"trigger_up": "0.03", "trigger_down": "0.03"}
    done = carry_out(run_id=run.pk)
    assert (done.status, done.done, done.failure, done.tries) == ("done", 4, "", 1)
    assert (done.result["bars"], done.result["from"], done.result["to"]) == (10, "2007-01-01", "2007-01-12")
    assert done.result["trades"] == done.result["buys"] + done.result["sells"] > 4
    assert "fills" not in done.result
    assert len(done.settings_sha256) == len(done.rule_version) == len(done.data_sha256) == 64
    series = unpacked(done.series)
    assert len(series.days) == len(series.closes) == len(series.daily) == len(PRICES)
    assert len(series.buy_and_hold) == len(series.constant_mix) == len(PRICES)
    assert series.closes.tolist() == [int(price) * 10**6 for price in PRICES]
    assert len(series.steps) == len(series.at) == done.result["trades"]
    assert packed(series) == bytes(done.series)


def test_the_same_asked_again_is_the_same_to_the_last_digit() -> None:
    ann = make_user()
    wishes = {"settings": {"tau": "0.02", "rebalance_ratio": "0.7"}, "path": "path", "slippage": 230}
    first, second = (carry_out(run_id=make_run(ann, **wishes).pk) for _ in range(2))
    assert kept_of(first) == kept_of(second)
    SimulationRun.objects.filter(pk=first.pk).update(status="running", result=None, series=None, tries=0)
    assert kept_of(carry_out(run_id=first.pk)) == kept_of(second)


def test_the_fingerprint_of_the_data_tells_one_bar_one_dividend_and_one_split_apart() -> None:
    ann = make_user()

    def fingerprint() -> str:
        return carry_out(run_id=make_run(ann).pk).data_sha256

    seen = {fingerprint(), fingerprint()}
    assert len(seen) == 1
    Bar.objects.filter(day=date(2007, 1, 4)).update(high=micros("103.01"))
    seen.add(fingerprint())
    announce_dividend(source="replay", symbol="IBM", ex_date=date(2007, 1, 9), dps=micros("0.3"))
    seen.add(fingerprint())
    announce_split(source="replay", symbol="IBM", ex_date=date(2007, 1, 10), numerator=2, denominator=1)
    seen.add(fingerprint())
    assert len(seen) == 4


def test_settings_are_told_by_what_they_come_to() -> None:
    ann = make_user()
    short, long = ({"tau": "0.03"}, {"trigger_up": "0.030", "trigger_down": "0.03", "fractional": True})
    assert make_run(ann, settings=short).settings_sha256 == make_run(ann, settings=long).settings_sha256
    assert make_run(ann, settings={"tau": "0.031"}).settings_sha256 != make_run(ann).settings_sha256


BAD = [
    ({"symbol": "NONE"}, "unknown_symbol", "symbol"),
    ({"symbol": ""}, "unknown_symbol", "symbol"),
    ({"symbol": "IBM\x00"}, "unknown_symbol", "symbol"),
    ({"symbol": "A" * 5_000}, "unknown_symbol", "symbol"),
    ({"first_day": date(1, 1, 1)}, "invalid_day", "first_day"),
    ({"last_day": date(9999, 12, 31)}, "invalid_day", "last_day"),
    ({"first_day": date(2007, 1, 12)}, "invalid_day", "last_day"),
    ({"first_day": date(2007, 1, 6), "last_day": date(2007, 1, 7)}, "invalid_day", "last_day"),
    ({"cash": 0}, "invalid_amount", "cash"),
    ({"cash": 10**15 + 1}, "invalid_amount", "cash"),
    ({"in_stock": -1}, "invalid_amount", "in_stock"),
    ({"in_stock": 10**6 + 1}, "invalid_amount", "in_stock"),
    ({"slippage": 100_001}, "invalid_amount", "slippage"),
    ({"path": "sideways"}, "invalid_path", "path"),
    ({"name": "x" * 121}, "invalid_name", "name"),
    ({"name": "a\nb"}, "invalid_name", "name"),
    ({"settings": {"x": 1}}, "invalid_setting", "settings/x"),
    ({"settings": {"trigger_up": float("nan")}}, "invalid_setting", "settings/trigger_up"),
    ({"settings": {"guardrail_low": "0.9"}}, "invalid_setting", "settings/guardrail_low"),
]


@pytest.mark.parametrize(("wishes", "code", "field"), BAD, ids=[str(row[0])[:40] for row in BAD])
def test_what_cannot_be_names_its_field(wishes: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(Refused) as raised:
        make_run(**wishes)
    assert (raised.value.code, raised.value.field) == (code, field)
    assert not SimulationRun.objects.exists()


def test_shares_beyond_counting_are_refused() -> None:
    make_bars(prices=("0.0001", "0.0002"))
    with pytest.raises(Refused, match="buys more than 1000000000000 shares on 2007-01-01"):
        make_run(cash=10**15)


def test_a_click_waits_for_a_run_no_longer_than_its_page_may_take() -> None:
    run, begun = make_run(), monotonic()
    assert not over_soon(run.pk)
    assert SOON <= monotonic() - begun < SOON + 1
    carry_out(run_id=run.pk)
    assert over_soon(run.pk)


def test_cancelled_while_it_waits_it_is_never_taken_up() -> None:
    run = make_run()
    assert cancel_work(work=run, actor="user:ann").status == "cancelled"
    assert carry_out(run_id=run.pk).tries == 0


@pytest.mark.parametrize("stage", range(4))
@pytest.mark.parametrize("end", [cancel_work, delete_work])
def test_stopped_at_any_stage_it_keeps_nothing(end: Any, stage: int, monkeypatch: pytest.MonkeyPatch) -> None:
    run, seen = make_run(), []
    proceed = services.proceed

    def watched(run_id: int, done: int, **found: Any) -> None:
        now = SimulationRun.objects.get(pk=run_id)
        seen.append((now.stage, now.done))
        if len(seen) - 1 == stage:
            end(work=now, **({"actor": "user:ann"} if end is cancel_work else {}))
        proceed(run_id, done, **found)

    monkeypatch.setattr(services, "proceed", watched)
    left = carry_out(run_id=run.pk)
    assert seen == [("loading", 0), ("running", 1), ("baselines", 2), ("storing", 3)][: stage + 1]
    assert left is None or (left.status, left.result, left.series) == ("cancelled", None, None)
    assert (left is None) == (end is delete_work)


@LIVE
@pytest.mark.parametrize("end", [cancel_work, delete_work])
@pytest.mark.parametrize("part", ["run", "worths_of", "inside_of", "packed", "summary_of"])
def test_stopped_in_the_middle_of_a_long_stage_its_worker_is_free_within_a_second(
    end: Any, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, begun, over = make_run(), Event(), Event()
    monkeypatch.setattr(services, part, lambda *_, **__: begun.set() or over.wait(30))
    freed: list[float] = []

    def stop() -> None:
        assert begun.wait(10)
        end(work=SimulationRun.objects.get(pk=run.pk), **({"actor": "user:ann"} if end is cancel_work else {}))
        freed.append(monotonic())

    def work() -> None:
        carry_out(run_id=run.pk)
        freed.append(monotonic())

    assert at_once(work, stop) == [None, None]
    over.set()
    assert freed[1] - freed[0] < 1
    left = SimulationRun.objects.filter(pk=run.pk).values_list("status", "result")
    assert list(left) == ([] if end is delete_work else [("cancelled", None)])


def test_what_nobody_foresaw_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run()
    monkeypatch.setattr(services, "worths_of", lambda *_: 1 / 0)
    failed = carry_out(run_id=run.pk)
    assert (failed.status, failed.failure) == ("failed", "It failed for a reason nobody foresaw (ZeroDivisionError).")
    assert failed.result is None
    assert failed.finished_at


def test_bars_that_are_gone_are_told() -> None:
    run = make_run()
    Bar.objects.exclude(day=BEGINS).delete()
    assert carry_out(run_id=run.pk).failure == "Fewer than two bars are recorded for these days now."


def test_more_steps_than_can_be_kept_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_SERIES", 10)
    failed = carry_out(run_id=make_run(settings={"tau": "0.03"}).pk)
    assert (failed.status, failed.series) == ("failed", None)
    assert failed.failure == "It made 8 steps, more than can be kept."


def test_an_amount_beyond_its_limit_is_told() -> None:
    make_bars(prices=("1", "1.01", "1.02"))
    announce_dividend(source="replay", symbol="IBM", ex_date=date(2007, 1, 2), dps=10**12)
    failed = carry_out(run_id=make_run(cash=10**15, in_stock=10**6).pk)
    assert failed.status == "failed"
    assert failed.failure.startswith("It cannot be carried to its end: a dividend or a split takes the cell past")


def test_a_database_that_is_busy_leaves_the_run_for_the_next_try(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run()

    def busy(*_: Any) -> None:
        raise OperationalError("busy")

    with monkeypatch.context() as patched:
        patched.setattr(loading, "recorded_to_read", busy)
        with pytest.raises(OperationalError):
            carry_out(run_id=run.pk)
    assert carry_out(run_id=run.pk).status == "done"


def test_a_run_that_kills_its_workers_is_given_up() -> None:
    run = grown_old(make_run(), status="running", tries=MOST_TRIES)
    assert carry_out(run_id=run.pk).failure == f"Its worker died {MOST_TRIES} times over it."
    assert runs_waiting() == []


def test_the_sweeper_finds_what_waits_too_long_and_nothing_that_is_over() -> None:
    ann = make_user()
    fresh, old, abandoned = (make_run(ann) for _ in range(3))
    grown_old(old)
    grown_old(abandoned, status="running", tries=1)
    for status in ("done", "failed", "cancelled"):
        grown_old(make_done_run(ann, status=status))
    assert runs_waiting() == [old.pk, abandoned.pk]
    assert fresh.pk not in runs_waiting()


def test_what_came_to_nothing_is_forgotten_after_a_month() -> None:
    ann = make_user()
    long_ago, lately = timezone.now() - timedelta(days=31), timezone.now() - timedelta(days=29)
    for status in ("done", "failed", "cancelled"):
        for finished in (long_ago, lately):
            make_done_run(ann, status=status, finished_at=finished, name=f"{status} {finished == lately}")
    forget_undone_runs()
    assert set(SimulationRun.objects.values_list("name", flat=True)) == {
        "done False",
        "done True",
        "failed True",
        "cancelled True",
    }
    assert forget_undone() == 0


def test_no_cell_and_no_log_knows_of_a_run() -> None:
    """A run writes to its own row and nowhere else."""
    run = make_run()
    with connection.execute_wrapper(refuse_other_tables):
        assert carry_out(run_id=run.pk).status == "done"


def refuse_other_tables(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    writes = sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))
    assert not writes or '"simulation_simulationrun"' in sql
    return execute(sql, params, many, context)


@LIVE
def test_two_workers_at_once_do_it_once() -> None:
    run = make_run()
    at_once(*[lambda: carry_out(run_id=run.pk)] * 4)
    run.refresh_from_db()
    assert (run.status, run.tries) == ("done", 1)


@LIVE
def test_many_who_ask_at_once_get_no_more_than_their_share() -> None:
    make_bars()
    ann = make_user()
    outcomes = at_once(*[lambda: make_run(ann)] * (MOST_UNFINISHED + 3))
    refused = [one for one in outcomes if isinstance(one, Refused)]
    assert [one.code for one in refused] == ["too_many_unfinished_runs"] * 3
    assert SimulationRun.objects.count() == MOST_UNFINISHED


@LIVE
def test_a_run_is_left_alone_for_as_long_as_its_worker_lives() -> None:
    """The database itself lets go of what a dead worker held."""
    run = grown_old(make_run(), status="running", tries=1)
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.ClientCursor}) as worker:
        worker.execute("SELECT pg_advisory_lock(%s, %s)", [RUNS, run.pk])
        assert runs_waiting() == []
        assert carry_out(run_id=run.pk).status == "running"
    wait_until(lambda: runs_waiting() == [run.pk], what="the lock to go")
    assert carry_out(run_id=run.pk).status == "done"


@pytest.fixture
def queue() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield client
        for key in client.scan_iter(f"{settings.KEY_PREFIX}*"):
            client.delete(key)


@LIVE
def test_a_worker_killed_in_the_middle_costs_time_and_nothing_else(queue: redis.Redis) -> None:
    ann = make_user()
    undisturbed = carry_out(run_id=make_run(ann).pk)
    run = grown_old(make_run(ann))
    with running("worker") as worker, transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {Bar._meta.db_table} IN ACCESS EXCLUSIVE MODE")  # it hangs while it loads
        run_simulation.delay(run_id=run.pk)
        wait_until(lambda: SimulationRun.objects.get(pk=run.pk).status == "running", what="the run")
        killed_with_children(worker)
    wait_until(lambda: runs_waiting() == [run.pk], what="the lock to go")
    with running("worker"):
        ring_runs()
        wait_until(lambda: SimulationRun.objects.get(pk=run.pk).status == "done", seconds=180, what="the second try")
    run.refresh_from_db()
    assert run.tries == 2
    assert kept_of(run) == kept_of(undisturbed)


def killed_with_children(worker: Program) -> None:
    """The pool's processes would finish what they have begun."""
    pid = worker.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    worker.kill()
    for child in children:
        os.kill(int(child), signal.SIGKILL)
