"""Sweeps: cut, carried out by whoever comes, stopped, judged once; and what of them may become a cell's settings."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portfolios.errors import Refused
from portfolios.models import Event
from tests.factories import NOON, make_portfolio, make_position, make_user
from tests.recorded import make_bars, make_run
from tests.swept import TAU, carried_out, make_sweep
from tests.unit.noise import bars_of_noise
from trading.market.models import Bar, Instrument
from trading.simulation import sweeps
from trading.simulation.applying import use_settings
from trading.simulation.locks import CHUNKS, alone_at
from trading.simulation.models import Sweep, SweepChunk
from trading.simulation.ranking import (
    Bound,
    chunks_to_ring,
    chunks_waiting,
    grid_of,
    heat_map,
    ranked,
    sweeps_of,
    table_of,
    time_left,
    trial,
    verdict_on,
)
from trading.simulation.services import cancel_work, carry_out, delete_work
from trading.simulation.sweeps import carry_out_chunk
from trading.simulation.trials import METRICS
from trading.tasks import ring_sweeps, run_sweep_chunk

pytestmark = pytest.mark.django_db


def make_noise(seed: int = 0, **traits: Any) -> None:
    """Ten recorded years."""
    Instrument.objects.get_or_create(symbol="IBM")
    bars = bars_of_noise(seed, **traits)
    begins = date(1970, 1, 1)
    closes = zip(bars.days.tolist(), bars.prices[:, 3].tolist(), strict=True)
    Bar.objects.bulk_create(
        Bar(symbol="IBM", day=begins + timedelta(days=day), open=at, high=at, low=at, close=at) for day, at in closes
    )


def test_a_sweep_is_cut_and_carried_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "LARGEST", 5)
    sweep = make_sweep(name=" first  grid ")
    assert (sweep.name, sweep.status, sweep.done, sweep.total, sweep.left_out) == ("first grid", "queued", 0, 12, 4)
    assert [str(chunk) for chunk in sweep.chunks.order_by("pk")] == ["0 to 5", "5 to 10", "10 to 12"]
    first, *_ = chunks_to_ring(sweep.pk)
    carry_out_chunk(chunk_id=first)
    sweep.refresh_from_db()
    assert (sweep.status, sweep.done) == ("running", 5)
    assert time_left(sweep) > timedelta(0)
    done = carried_out(sweep)
    assert (done.status, done.done, done.failure) == ("done", 12, "")
    assert (done.result["trials"], done.result["trials_before"], done.result["look_ahead"]) == (8, 0, True)
    assert len(done.data_sha256) == 64
    table = table_of(done)
    assert np.flatnonzero(np.isnan(table[:, 0])).tolist() == [2, 5, 8, 11]  # a low guardrail above the high one


def test_each_figure_is_that_of_the_run_with_these_settings() -> None:
    sweep = carried_out(make_sweep(slippage=500))
    grid, table = grid_of(sweep), table_of(sweep)
    for number in (0, 4, 10):
        told = trial(grid, table, number)
        wishes = {"settings": sweep.settings | told.given, "slippage": 500}
        run = carry_out(run_id=make_run(sweep.owner, **wishes).pk)
        assert (told.figures["value"], told.figures["fees"]) == (run.result["value"], run.result["fees"])
        assert told.figures["trades"] == run.result["trades"] > 0
        for name in METRICS[1:9]:
            assert told.figures[name] == run.result["metrics"][name], name


def test_ranking_filters_and_the_map_of_two_axes() -> None:
    sweep = carried_out(make_sweep())
    grid, table = grid_of(sweep), table_of(sweep)
    value = table[:, METRICS.index("value")]
    order = ranked(table, "value")
    assert value[order].tolist() == sorted(value[~np.isnan(value)].tolist(), reverse=True)
    assert value[ranked(table, "value", reverse=True)].tolist() == sorted(value[order].tolist())
    fees = table[ranked(table, "fees"), METRICS.index("fees")]
    assert fees.tolist() == sorted(fees.tolist())
    middle = float(np.median(value[order]))
    assert len(ranked(table, "value", bounds=[Bound("value", middle, None)])) == 4
    shown = heat_map(grid, table, "value", "tau", "guardrail_low")
    assert (shown.figures.shape, shown.x.name) == ((3, 4), "tau")
    assert np.isnan(shown.figures[2]).all()
    assert shown.numbers[1].tolist() == [1, 4, 7, 10]
    assert shown.figures[1].tolist() == value[[1, 4, 7, 10]].tolist()
    alone = heat_map(grid, table, "value", "tau", None)
    assert alone.figures.shape == (1, 4)
    assert alone.figures[0, 0] == np.nanmax(value[:3])


def test_a_dead_workers_chunk_is_taken_again_and_ends_the_same() -> None:
    sweep = make_sweep()
    chunk = sweep.chunks.get()
    SweepChunk.objects.update(taken_at=timezone.now(), tries=1)  # and its worker died: nobody holds its lock
    Sweep.objects.update(status="running", started_at=timezone.now(), created_at=timezone.now() - timedelta(minutes=1))
    assert chunks_waiting() == [chunk.pk]
    ring_sweeps()
    once = carried_out(sweep)
    kept = bytes(sweep.chunks.get().figures)
    again = carried_out(make_sweep(sweep.owner))
    assert (once.status, once.result["trials_before"], again.result["trials_before"]) == ("done", 0, 12)
    assert bytes(again.chunks.get().figures) == kept


def test_a_chunk_that_kills_its_workers_ends_the_sweep() -> None:
    sweep = make_sweep()
    SweepChunk.objects.update(tries=3)
    assert carried_out(sweep).failure == "Its worker died 3 times over settings 0 to 12."


def test_a_cancelled_sweep_stops_and_stays_so() -> None:
    sweep = make_sweep()
    assert cancel_work(work=sweep, actor="user:ann").status == "cancelled"
    assert carried_out(sweep).status == "cancelled"
    assert sweep.chunks.get().figures is None
    assert chunks_waiting() == []


def test_it_stops_between_two_trials_when_it_is_cancelled_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = make_sweep()
    monkeypatch.setattr(sweeps, "recorded", lambda sweep, kept=sweeps.recorded: (cancel(sweep), kept(sweep))[1])
    assert carried_out(sweep).status == "cancelled"
    assert sweep.chunks.get().figures is None


def cancel(sweep: Sweep) -> None:
    cancel_work(work=sweep, actor="user:ann")


def test_thrown_away_with_all_its_chunks() -> None:
    sweep = make_sweep()
    pk = sweep.chunks.get().pk
    delete_work(work=sweep)
    assert carry_out_chunk(chunk_id=pk) is None
    assert not SweepChunk.objects.exists()


def test_prices_that_change_meanwhile_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "LARGEST", 5)
    sweep = make_sweep()
    carry_out_chunk(chunk_id=chunks_to_ring(sweep.pk)[0])
    Bar.objects.filter(day=date(2007, 1, 4)).update(close=104 * 10**6, high=104 * 10**6)
    assert carried_out(sweep).failure == "The recorded prices changed while it was worked on; start it again."


def test_what_nobody_foresaw_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sweeps, "try_out", broken)
    assert carried_out(make_sweep()).failure == "It failed for a reason nobody foresaw (ZeroDivisionError)."


@pytest.mark.django_db(transaction=True)
def test_many_workers_share_a_sweep_and_judge_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "LARGEST", 1)
    sweep = make_sweep()
    judged: list[int] = []
    monkeypatch.setattr(sweeps, "result_of", lambda sweep, kept=sweeps.result_of: (judged.append(1), kept(sweep))[1])
    chunks = list(sweep.chunks.values_list("pk", flat=True))

    def worker(number: int) -> None:
        try:
            for pk in chunks[number:] + chunks[:number]:
                carry_out_chunk(chunk_id=pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(worker, (0, 3, 6, 9)))
    sweep.refresh_from_db()
    assert (sweep.status, sweep.done, sum(judged)) == ("done", 12, 1)
    assert set(sweep.chunks.values_list("tries", flat=True)) == {1}


@pytest.mark.django_db(transaction=True)
def test_a_chunk_somebody_is_at_is_left_to_him() -> None:
    sweep = make_sweep()
    chunk = sweep.chunks.get()

    def another() -> Any:
        try:
            return carry_out_chunk(chunk_id=chunk.pk).tries, chunks_to_ring(sweep.pk)
        finally:
            connections.close_all()

    with alone_at(chunk.pk, CHUNKS), ThreadPoolExecutor(1) as pool:
        assert pool.submit(another).result() == (0, [])


def test_the_bell_carries_on_with_the_next_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "LARGEST", 5)
    sweep = make_sweep()
    rung: list[int] = []
    monkeypatch.setattr("trading.tasks.ring", lambda bell, chunk_id: rung.append(chunk_id))
    first, second, _ = sweep.chunks.order_by("pk").values_list("pk", flat=True)
    run_sweep_chunk(chunk_id=first)
    assert rung == [second]


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"symbol": "NONE"}, "symbol", "unknown_symbol"),
    ({"settings": {"luck": "1"}}, "settings/luck", "invalid_setting"),
    ({"axes": []}, "axes", "invalid_axis"),
    ({"axes": [TAU | {"step": "0"}]}, "axes/0/step", "invalid_axis"),
    ({"axes": [{"name": "tau", "values": ["0.03"]}]}, "axes", "too_few_settings"),
    ({"axes": [{"name": "guardrail_low", "values": ["0.5", "0.6"]}]}, "axes", "too_few_settings"),
    ({"cash": 1}, "cash", "invalid_amount"),
    ({"in_stock": 1_000_001}, "in_stock", "invalid_amount"),
    ({"slippage": -1}, "slippage", "invalid_amount"),
    ({"first_day": date(1999, 1, 1)}, "first_day", "invalid_day"),
    ({"name": "x" * 121}, "name", "invalid_name"),
    ({"name": "two\nlines"}, "name", "invalid_name"),
]


@pytest.mark.parametrize(("wish", "field", "code"), BAD)
def test_what_cannot_be_swept_is_refused_by_name(wish: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        make_sweep(**wish)
    assert (refused.value.field, refused.value.code, refused.value.status) == (field, code, 422)
    assert not Sweep.objects.exists()


def test_nobody_fills_the_house_with_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    ann = make_user("ann")
    for _ in range(3):
        make_sweep(ann)
    with pytest.raises(Refused, match="at most 3 sweeps can wait") as refused:
        make_sweep(ann)
    assert (refused.value.code, refused.value.status) == ("too_many_unfinished_sweeps", 409)
    make_sweep(make_user("bob"))
    monkeypatch.setattr(sweeps, "MOST_KEPT", 3)
    Sweep.objects.update(status="done")
    with pytest.raises(Refused, match="at most 3 sweeps can be kept"):
        make_sweep(ann)
    assert sweeps_of(ann).count() == 3


def test_what_luck_found_is_withheld_and_overruling_stays_in_the_log() -> None:
    make_noise(0)
    cell = make_position(make_portfolio(make_user("ann")), symbol="IBM", anchor="100")
    sweep = carried_out(make_sweep(cell.portfolio.owner, axes=[TAU], settings={"min_notional": "50"}))
    best = sweep.result["best"]
    asked = {"sweep": sweep, "number": best, "position": cell, "author": cell.portfolio.owner, "market_at": NOON}
    with pytest.raises(Refused) as refused:
        use_settings(**asked)
    assert (refused.value.code, refused.value.status) == ("withheld", 409)
    assert refused.value.message == verdict_on(sweep, grid_of(sweep), table_of(sweep), best).sentence
    version = use_settings(**asked, override="I know  better")
    assert version.note == f"from sweep {sweep.public_id}, setting {best}, against its verdict: I know better"
    tau = trial(grid_of(sweep), table_of(sweep), best).given["trigger_up"]
    assert version.given == {"min_notional": "50", "trigger_down": tau, "trigger_up": tau}
    assert "against its verdict: I know better" in Event.objects.latest("pk").content["message"]


def test_what_is_more_than_luck_is_offered() -> None:
    make_noise(3, memory=0.9)
    cell = make_position(make_portfolio(make_user("ann")), symbol="IBM", anchor="100")
    axes = [TAU | {"to": "0.1"}, {"name": "r", "values": ["0.05", "0.2"]}]
    sweep = carried_out(make_sweep(cell.portfolio.owner, axes=axes, settings={}))
    number = sweep.result["best"]
    version = use_settings(
        sweep=sweep, number=number, position=cell, author=cell.portfolio.owner, market_at=NOON, override="needless"
    )
    assert version.note == f"from sweep {sweep.public_id}, setting {number}"


def test_what_was_not_tried_is_not_used() -> None:
    cell = make_position(make_portfolio(make_user("ann")), symbol="IBM", anchor="100")
    sweep = make_sweep(cell.portfolio.owner)
    asked = {"position": cell, "author": cell.portfolio.owner, "market_at": NOON}
    for wish, code in (
        ({"sweep": sweep, "number": 0}, "not_done_yet"),
        ({"sweep": (done := carried_out(sweep)), "number": 12}, "invalid_trial"),
        ({"sweep": done, "number": -1}, "invalid_trial"),
        ({"sweep": done, "number": 2}, "invalid_trial"),
        ({"sweep": done, "number": 0, "override": "x" * 200}, "invalid_note"),
    ):
        with pytest.raises(Refused) as refused:
            use_settings(**asked | wish)
        assert refused.value.code == code


def test_a_chunk_costs_the_same_queries_however_many_settings_it_has() -> None:
    make_bars()
    counts = []
    for axes in ([TAU], [TAU, {"name": "r", "values": ["0.05", "0.1", "0.2"]}]):
        sweep = make_sweep(make_user(f"user{len(axes)}"), axes=axes)
        with CaptureQueriesContext(connection) as captured:
            carried_out(sweep)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 45
