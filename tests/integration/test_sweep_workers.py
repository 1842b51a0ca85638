"""One sweep, several worker processes, and a kill in the middle: the end is that of one worker that was left alone."""

import contextlib
import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.db import connection

from portfolios.models import User
from tests.factories import make_user
from tests.programs import COPIES, wait_until
from tests.swept import TAU, make_sweep
from trading.simulation import sweeps
from trading.simulation.models import Sweep
from trading.simulation.ranking import chunks_to_ring, figures_of, next_chunk
from trading.simulation.sweeps import carry_out_chunk
from trading.simulation.trials import Figures, packed_figures

pytestmark = pytest.mark.django_db(transaction=True)
AXES = [TAU | {"step": "0.005"}, {"name": "r", "values": ["0.05", "0.1", "0.2"]}]


def work(database: str, sweep_id: int, stuck: bool) -> None:
    """A worker process: rung for what nobody is at, until nothing is. stuck: it never comes to the end of a chunk."""
    connection.settings_dict["NAME"] = database
    sys.modules["numba"] = None  # type: ignore[assignment]  # the same figures, and nothing to wait for on so few bars
    if stuck:
        sweeps.packed_figures = held_up
    while rung := chunks_to_ring(sweep_id):
        following: int | None = rung[0]
        while following:
            chunk = carry_out_chunk(chunk_id=following)
            following = next_chunk(chunk) if chunk else None
        if Sweep.objects.get(pk=sweep_id).is_over:
            return


def held_up(figures: Figures) -> bytes:
    """All tried, nothing stored."""
    time.sleep(600)
    return packed_figures(figures)


@contextlib.contextmanager
def worker(sweep: Sweep, *, stuck: bool = False) -> Iterator[Any]:
    process = COPIES.Process(target=work, args=(connection.settings_dict["NAME"], sweep.pk, stuck))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def cut_fine(monkeypatch: pytest.MonkeyPatch, owner: User) -> Sweep:
    monkeypatch.setattr(sweeps, "LARGEST", 2)
    return make_sweep(owner, axes=AXES, settings={})


def same_as_alone(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Against one worker, one chunk, another person: every figure bit by bit, and the judgement."""
    monkeypatch.setattr(sweeps, "LARGEST", 1_000)
    alone = make_sweep(make_user("alone"), axes=AXES, settings={})
    assert alone.chunks.count() == 1
    with worker(alone) as process:
        process.join(60)
    alone.refresh_from_db()
    pairs = zip(figures_of(sweep), figures_of(alone), strict=True)
    return sweep.result == alone.result and all(one.tobytes() == other.tobytes() for one, other in pairs)


def progressed(sweep: Sweep, chunks: int) -> bool:
    return bool(sweep.chunks.exclude(figures=None).count() >= chunks)


def tries_of(sweep: Sweep) -> list[int]:
    return sorted(sweep.chunks.values_list("tries", flat=True))


def test_two_processes_share_a_sweep_and_one_that_is_killed_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = cut_fine(monkeypatch, make_user("ann"))
    size = sweep.chunks.count()
    with worker(sweep, stuck=True):
        wait_until(lambda: sweep.chunks.filter(tries=1).exists(), what="a chunk in the hands of the one that is killed")
        with worker(sweep):
            wait_until(lambda: sweep.chunks.exclude(figures=None).count() == size - 1, what="all the others' end")
            sweep.refresh_from_db()
            assert (sweep.status, sweep.done, tries_of(sweep)) == ("running", sweep.total - 2, [1] * size)
    wait_until(lambda: len(chunks_to_ring(sweep.pk)) == 1, what="letting go of the dead one's chunk")
    with worker(sweep) as third:
        third.join(60)
    sweep.refresh_from_db()
    assert (sweep.status, sweep.done, tries_of(sweep)) == ("done", sweep.total, [1] * (size - 1) + [2])
    assert same_as_alone(sweep, monkeypatch)


def test_killed_at_any_moment_it_goes_on_where_it_stood(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = cut_fine(monkeypatch, make_user("ann"))
    for least in (1, 3, 6):
        with worker(sweep), worker(sweep):
            wait_until(partial(progressed, sweep, least), what="some progress")
    kept = dict(sweep.chunks.exclude(figures=None).values_list("pk", "taken_at"))
    with worker(sweep) as last:
        last.join(60)
    sweep.refresh_from_db()
    assert (sweep.status, sweep.done) == ("done", sweep.total)
    assert kept.items() <= dict(sweep.chunks.values_list("pk", "taken_at")).items()
    assert same_as_alone(sweep, monkeypatch)
