"""Runs and sweeps over bars shorter than a day: the same as the command over the same bars, session by session."""

import json
from collections.abc import Callable
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client

from dividends.services.announcements import announce_split
from portfolios.domain.amounts import MICROS, as_text
from portfolios.domain.settings import written as as_given
from portfolios.errors import Refused
from portfolios.models import User
from tests.at_once import at_once
from tests.bars import bar_at, taken_in, written
from tests.factories import bearer, make_user
from tests.integration.problems import pointers, problem
from tests.minutes import SESSIONS, closes, make_minutes
from tests.recorded import make_bars, make_run
from tests.swept import carried_out as swept
from tests.swept import make_sweep
from trading.bars.folder import series_folder
from trading.bars.models import StoredPart
from trading.simulation import loading, spans
from trading.simulation.archive import SECONDS_A_DAY, Series, unpacked
from trading.simulation.kept import steps_of
from trading.simulation.metrics import metrics_of
from trading.simulation.models import SimulationRun, Sweep, SweepChunk
from trading.simulation.ranking import grid_of, table_of
from trading.simulation.services import cancel_work, carry_out
from trading.simulation.sweeps import carry_out_chunk
from trading.simulation.trials import METRICS

pytestmark = pytest.mark.django_db
NARROW = {"tau": "0.01", "min_notional": "0", "max_orders_per_day": 50}
URL = "/v1/simulations"


@pytest.fixture(autouse=True)
def minutes(settings: Any, tmp_path: Path) -> Path:
    settings.BARS_FOLDER = tmp_path / "store"
    make_minutes(tmp_path)
    return tmp_path


@pytest.fixture
def ann() -> User:
    return make_user()


@pytest.fixture
def client(ann: User) -> Client:
    return Client(headers=bearer(ann, scopes=["read", "simulate"]))


def somebody() -> User:
    return User.objects.order_by("pk").first() or make_user()


def done(**wishes: Any) -> SimulationRun:
    usual = {"resolution": "1min", "settings": NARROW, "owner": somebody()}
    run = carry_out(run_id=make_run(**usual | wishes).pk)
    assert run is not None
    assert run.status == "done", run.failure
    return run


def series_of(run: SimulationRun) -> Series:
    return unpacked(bytes(run.series or b""))


@pytest.mark.parametrize("path", ["close", "path"])
def test_it_ends_as_the_command_ends_over_the_same_bars(path: str) -> None:
    out = StringIO()
    words = ("--bars", "IBM", "--resolution", "1min", "--settings", json.dumps(NARROW), "--path", path, "--json")
    call_command("simulate", *words, stdout=out)
    told = json.loads(out.getvalue())
    fills = told.pop("fills")
    run = done(path=path)
    assert run.result == told
    assert run.result["trades"] == len(fills) > 4
    own = [step for step in steps_of(series_of(run)) if step.kind == "trade"]
    assert [step.at and f"{step.at:%Y-%m-%dT%H:%M:%S}Z" for step in own] == [fill["at"] for fill in fills]


def test_days_are_told_at_the_close_of_the_regular_session_and_figures_from_the_start() -> None:
    run = done()
    series = series_of(run)
    assert list(zip(series.days.tolist(), series.closes.tolist(), strict=True)) == closes()
    begun = np.append(series.start[:1], series.daily[:, 0])
    days = np.append(series.days[:1], series.days)
    assert run.result["metrics"].items() >= metrics_of(begun, days)._asdict().items()
    assert run.result["value"] == as_text(int(series.daily[-1, 0]))
    assert abs(int(series.start[0]) - run.cash) <= 1
    assert abs(int(series.start[2]) - run.cash) <= 1


def test_a_day_of_minutes_is_a_run() -> None:
    run = done(first_day=SESSIONS[1], last_day=SESSIONS[1])
    series = series_of(run)
    assert (len(series.days), len(series.daily)) == (1, 1)
    assert run.result["metrics"]["total_return"] == pytest.approx(int(series.daily[0, 0]) / int(series.start[0]) - 1)
    assert run.result["metrics"]["sharpe"] is None


def test_a_split_changes_nothing_but_the_number_of_shares(minutes: Path) -> None:
    before = done()
    announce_split(source="replay", symbol="HALF", ex_date=SESSIONS[2], numerator=2, denominator=1)
    make_minutes(minutes, "HALF", split=SESSIONS[2])
    after = done(symbol="HALF")
    assert after.result["trades"] == before.result["trades"]
    worths = (series_of(run).daily[:, 0] for run in (before, after))
    assert np.abs(np.subtract(*worths)).max() < MICROS // 100
    held = (series_of(run).buy_and_hold for run in (before, after))
    assert np.abs(np.subtract(*held)).max() < MICROS // 100
    kinds = [step.kind for step in steps_of(series_of(after)) if step.day == SESSIONS[2]]
    assert kinds[0] == "split"


def test_the_day_of_a_trade_late_at_night_is_the_exchange_s(minutes: Path) -> None:
    """19:59 in New York in winter is tomorrow in UTC."""
    lines = [bar_at(moment("2014-01-06T09:30:00-05:00"), 100), bar_at(moment("2014-01-06T19:59:00-05:00"), 90)]
    taken_in(written(minutes / "late.csv", lines), "LATE", resolution="1min")
    run = done(symbol="LATE", settings=NARROW | {"after_hours": True})
    (step,) = steps_of(series_of(run))
    assert (step.day, step.at and step.at.day) == (date(2014, 1, 6), 7)
    assert (run.first_day, run.last_day) == (date(2014, 1, 6), date(2014, 1, 6))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_its_fingerprint_knows_the_resolution_and_each_price(minutes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, again = done(), done()
    assert (first.data_sha256, bytes(first.series)) == (again.data_sha256, bytes(again.series))
    recorded = loading.recorded_to_read
    as_minutes = lambda symbol, begin, end, _: recorded(symbol, begin, end, "1min")  # noqa: E731
    with monkeypatch.context() as patched:
        patched.setattr(loading, "recorded_to_read", as_minutes)
        make_bars(symbol="IBM", prices=("100", "101"), begins=SESSIONS[0])
        assert done(resolution="1day").data_sha256 != first.data_sha256
    line = bar_at(moment("2014-06-06T15:59:00-04:00"), 99.99)
    taken_in(written(minutes / "other.csv", [line]), resolution="1min", replace=True, accept_jumps=True)
    assert done().data_sha256 != first.data_sha256


def test_a_sweep_finds_for_each_setting_what_its_run_finds() -> None:
    axes = [{"name": "tau", "values": ["0.01", "0.02"]}, {"name": "guardrail_low", "values": ["0.2", "0.4"]}]
    sweep = swept(make_sweep(resolution="1min", settings={"min_notional": "0"}, axes=axes))
    assert sweep.status == "done", sweep.failure
    assert sweep.result["look_ahead"] is True
    assert sweep.result["sessions"] == len(SESSIONS)
    grid, table = grid_of(sweep), table_of(sweep)
    for number in range(sweep.total):
        alone = done(settings=as_given(grid.settings(number))).result
        row = dict(zip(METRICS, table[number].tolist(), strict=False))
        assert as_text(round(row["value"])) == alone["value"]
        assert row["trades"] == alone["trades"]
        for name in ("total_return", "max_drawdown", "exposure", "guardrail_time"):
            assert row[name] == pytest.approx(alone["metrics"][name], abs=1e-12)


def test_a_sweep_whose_bars_change_on_the_way_says_so(minutes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trading.simulation.sweeps.SMALLEST", 6)
    monkeypatch.setattr("trading.simulation.sweeps.MOST_BARS", 1)
    sweep = make_sweep(resolution="1min")
    first, second = SweepChunk.objects.order_by("pk")
    carry_out_chunk(chunk_id=first.pk)
    line = bar_at(moment("2014-06-06T15:59:00-04:00"), 99.99)
    taken_in(written(minutes / "other.csv", [line]), resolution="1min", replace=True, accept_jumps=True)
    carry_out_chunk(chunk_id=second.pk)
    sweep.refresh_from_db()
    assert (sweep.status, sweep.failure) == (
        "failed",
        "The recorded prices changed while it was worked on; start it again.",
    )


def test_a_file_that_is_gone_is_told_before_and_after(client: Client) -> None:
    run = make_run(somebody(), resolution="1min")
    part = StoredPart.objects.get()
    (series_folder("IBM", "1min") / part.file).unlink()
    failed = carry_out(run_id=run.pk)
    assert failed is not None
    assert (failed.status, "the catalogue names a file that is not there" in failed.failure) == ("failed", True)
    answer = client.post(URL, {"symbol": "IBM", "resolution": "1min"}, "application/json")
    assert problem(answer) == (503, "bars_gone")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("make", [make_run, make_sweep])
def test_cancelled_while_it_reads_its_worker_is_free_within_a_second(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    work, begun, over, freed = make(resolution="1min"), Event(), Event(), []
    monkeypatch.setattr(loading, "staged", lambda *_: begun.set() or over.wait(30))

    def stop() -> None:
        assert begun.wait(10)
        cancel_work(work=type(work).objects.get(pk=work.pk), actor="user:ann")
        freed.append(monotonic())

    def carry() -> None:
        swept(work) if isinstance(work, Sweep) else carry_out(run_id=work.pk)
        freed.append(monotonic())

    assert at_once(carry, stop) == [None, None]
    over.set()
    assert freed[1] - freed[0] < 1
    work.refresh_from_db()
    assert (work.status, work.result) == ("cancelled", None)


BAD = [
    ({"resolution": "2min"}, 422, "invalid_fields", "#/resolution"),
    ({"resolution": ""}, 422, "invalid_fields", "#/resolution"),
    ({"resolution": None}, 422, "invalid_fields", "#/resolution"),
    ({"resolution": 60}, 422, "invalid_fields", "#/resolution"),
    ({"resolution": "5min"}, 422, "no_such_bars", "#/resolution"),
    ({"resolution": "1day"}, 422, "no_such_bars", "#/resolution"),
    ({"symbol": "NONE"}, 422, "unknown_symbol", "#/symbol"),
    ({"first_day": "2014-06-04"}, 422, "invalid_day", "#/first_day"),
    ({"last_day": "2014-06-11"}, 422, "invalid_day", "#/last_day"),
    ({"first_day": "2014-06-07", "last_day": "2014-06-08"}, 422, "invalid_day", "#/last_day"),
    ({"first_day": "2014-06-09", "last_day": "2014-06-06"}, 422, "invalid_day", "#/last_day"),
]


@pytest.mark.parametrize("door", ["simulations", "sweeps"])
@pytest.mark.parametrize(("wrong", "status", "code", "pointer"), BAD)
def test_what_cannot_be_is_refused_by_field(
    wrong: dict[str, Any], status: int, code: str, pointer: str, door: str, client: Client
) -> None:
    axes = {"axes": [{"name": "tau", "values": ["0.01", "0.02"]}]} if door == "sweeps" else {}
    body = {"symbol": "IBM", "resolution": "1min"} | axes | wrong
    answer = client.post(f"/v1/{door}", body, "application/json")
    assert problem(answer) == (status, code)
    assert pointers(answer) == {pointer}
    assert not SimulationRun.objects.exists()
    assert not Sweep.objects.exists()


def test_more_looks_than_a_worker_has_room_for_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "MOST_LOOKS", StoredPart.objects.get().rows)
    make_run(somebody(), resolution="1min")
    with pytest.raises(Refused) as refused:
        make_run(somebody(), resolution="1min", path="path")
    assert (refused.value.code, refused.value.field) == ("too_many_bars", "first_day")


def test_over_the_api_from_question_to_the_minute_of_a_trade(client: Client) -> None:
    body = {"symbol": "IBM", "resolution": "1min", "settings": NARROW}
    asked = client.post(URL, body, "application/json", headers={"Idempotency-Key": "a"})
    told = asked.json()
    assert (asked.status_code, told["resolution"], told["first_day"]) == (202, "1min", "2014-06-05")
    carry_out(run_id=SimulationRun.objects.get().pk)
    fills = client.get(f"{URL}/{told['id']}/fills").json()["results"]
    assert all(fill["at"][:10] == fill["day"] for fill in fills)
    assert [row["day"] for row in client.get(f"{URL}/{told['id']}/daily").json()["results"]] == [
        str(day) for day in SESSIONS
    ]
    assert client.get(f"{URL}?resolution=1min").json()["results"][0]["id"] == told["id"]
    assert client.get(f"{URL}?resolution=1day").json()["results"] == []
    again = client.post(URL, body, "application/json", headers={"Idempotency-Key": "a"})
    assert (again.status_code, again.json()["id"]) == (200, told["id"])
    make_bars(begins=SESSIONS[0])
    other = client.post(URL, body | {"resolution": "1day"}, "application/json", headers={"Idempotency-Key": "a"})
    assert problem(other) == (409, "idempotency_signature_mismatch")


def test_it_is_its_asker_s_alone(client: Client) -> None:
    run = done(owner=make_user("bob"))
    unknown = client.get(f"{URL}/00000000-0000-0000-0000-000000000000")
    for address in (f"{URL}/{run.public_id}", f"{URL}/{run.public_id}/fills", f"{URL}/{run.public_id}/daily"):
        answer = client.get(address)
        assert (answer.status_code, answer.json()["code"]) == (404, unknown.json()["code"])
    assert client.get(URL).json()["results"] == []


def test_old_runs_are_of_days() -> None:
    make_bars()
    run = done(resolution="1day")
    series = series_of(run)
    assert (run.resolution, len(series.step_days), len(series.start)) == ("1day", 0, 0)
    assert (series.days_of_steps == series.at // SECONDS_A_DAY).all()
