"""The pages of sweeps: what they say, what they refuse, who sees them, and at what cost."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from portfolios.models import SettingsPreset, SettingsVersion, User
from portfolios.services.presets import save_preset
from tests.factories import make_portfolio, make_position, make_quote, make_user
from tests.integration.browsing import page, queries, signed_in
from tests.recorded import make_bars
from tests.swept import LOW, TAU, carried_out, make_sweep
from trading.simulation.models import SimulationRun, Sweep

pytestmark = pytest.mark.django_db
TYPED = {"typed": "1", "symbol": "IBM", "cash": "10,000.00", "in_stock": "50", "slippage": "2", "preset": ""}
TYPED |= {"axis_1": "tau", "from_1": "2", "to_1": "5", "step_1": "0.5"}
TYPED |= {"axis_2": "min_notional", "from_2": "0", "to_2": "200", "step_2": "100"}


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def client(ann: User) -> Client:
    return signed_in(ann)


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    bells: list[int] = []
    monkeypatch.setattr("trading.views.sweeps.ring_sweep", bells.append)
    monkeypatch.setattr("trading.views.sweeps.ring", lambda bell, run_id: bells.append(run_id))
    return bells


def act(client: Client, name: str, sweep: Sweep, *more: int, **fields: Any) -> Any:
    return client.post(reverse(name, args=[sweep.public_id, *more]), fields)


def test_a_sweep_is_asked_for_in_per_cents(client: Client, ann: User, rung: list[int]) -> None:
    make_bars()
    own = save_preset(owner=ann, name="mine", given={"guardrail_high": "0.8"})
    shown = page(client, "sweep-new")
    assert "mine (yours)" in shown
    answer = client.post(reverse("sweep-start"), TYPED | {"preset": f"own-{own.pk}"})
    sweep = Sweep.objects.get()
    assert answer["Location"] == reverse("sweep", args=[sweep.public_id])
    assert rung == [sweep.pk]
    assert (sweep.total, sweep.settings, sweep.slippage) == (21, {"guardrail_high": "0.8"}, 200)
    assert sweep.axes == [
        {"name": "tau", "from": "0.02", "to": "0.05", "step": "0.005"},
        {"name": "min_notional", "from": "0", "to": "200", "step": "100"},
    ]
    assert "Waiting for a worker" in page(client, "sweep", sweep)
    assert "queued" in page(client, "sweeps")


SIX = ("tau", "rebalance_ratio", "guardrail_low", "guardrail_high", "withholding", "commission_bps")
SEVEN = {f"axis_{row}": name for row, name in enumerate(SIX, 1)} | {f"values_{row}": "11" for row in range(1, 7)}
SEVEN |= {"sizing.proportional": "1"}
TYPED |= {f"values_{row}": "" for row in range(3, 7)}
BAD: list[tuple[dict[str, str], str]] = [
    ({"symbol": "NONE"}, "Choose one of these"),
    ({"from_1": "x"}, "From must be a plain number"),
    ({"from_1": "0"}, "From must be from 0.01"),
    ({"step_1": "0.00001"}, "Step must have at most 4 digits after the point"),
    ({"step_1": ""}, "Step must be a plain number"),
    ({"step_1": "0"}, "must be a multiple of"),
    ({"to_1": "1"}, "must not be below from"),
    ({"axis_1": "sizing"}, "Choose one of these"),
    ({"values_1": "2 x"}, "Values must be a plain number"),
    ({"values_1": "0"}, "Values must be from 0.01"),
    ({"values_1": "2 2"}, "names a value twice"),
    ({"axis_6": "luck"}, "Choose one of these"),
    ({"sizing.luck": "1", "to_1": "1"}, "must not be below from"),
    (SEVEN, "a list of 1 to 6 axes"),
    ({"axis_2": "trigger_up", "from_2": "1", "to_2": "2", "step_2": "1"}, "is on another axis already"),
    ({"axis_1": "", "axis_2": ""}, "must be a list of 1 to 6 axes"),
    ({"preset": "own-77"}, "see below what does not fit"),
    ({"name": "x" * 121}, "at most 120 characters"),
]


@pytest.mark.parametrize(("change", "words"), BAD)
def test_what_does_not_fit_is_said_and_the_form_kept(change: dict[str, str], words: str, client: Client) -> None:
    make_bars()
    answer = client.post(reverse("sweep-start"), TYPED | {"to_2": "300"} | change)
    assert answer.status_code == 422
    shown = answer.content.decode()
    assert words in shown.replace("&#x27;", "'")
    assert f'value="{change.get("to_2", "300")}"' in shown
    assert not Sweep.objects.exists()


def test_values_one_by_one_and_ways_are_axes_too(client: Client, ann: User) -> None:
    make_bars()
    more = {
        "axis_4": "max_trade",
        "values_4": "10% 25 none",
        "sizing.anchor_ratio": "1",
        "sizing.fixed_percentage": "1",
    }
    ticked = {"fractional.off": "1", "when_short.skip": "1", "when_short.trim": "1"}
    answer = client.post(reverse("sweep-start"), TYPED | {"values_1": "2; 2.5 5"} | more | ticked)
    assert answer.status_code == 302
    sweep = Sweep.objects.get()
    assert sweep.axes == [
        {"name": "tau", "values": ["0.02", "0.025", "0.05"]},
        {"name": "min_notional", "from": "0", "to": "200", "step": "100"},
        {"name": "max_trade", "values": ["0.1", "0.25", None]},
        {"name": "sizing", "values": ["anchor_ratio", "fixed_percentage"]},
        {"name": "when_short", "values": ["trim", "skip"]},
        {"name": "fractional", "values": [False]},
    ]
    assert sweep.total == 3 * 3 * 3 * 2 * 2
    again = client.post(reverse("sweep-start"), TYPED | more | ticked | {"to_2": "x"}).content.decode()
    assert 'name="sizing.anchor_ratio" value="1" checked' in again
    assert 'name="sizing.proportional" value="1">' in again
    assert '<details class="card step" open>' in again


def test_a_setting_is_kept_as_a_preset(client: Client, ann: User) -> None:
    sweep = carried_out(make_sweep(ann))
    answer = act(client, "sweep-keep", sweep, 4, preset_name=" calm  ones")
    assert answer["Location"].endswith("?trial=4#trial")
    kept = SettingsPreset.objects.get(owner=ann)
    assert (kept.name, kept.given["trigger_up"], kept.given["guardrail_high"]) == ("calm ones", "0.03", "0.5")
    assert "calm ones (yours)" in page(client, "sweep-new")
    for name in ("", "x" * 41, "two\nlines\x00"):
        refused = client.get(act(client, "sweep-keep", sweep, 4, preset_name=name)["Location"]).content.decode()
        assert "The preset is not kept: name must be 1 to 40 printable characters" in refused
    assert act(client, "sweep-keep", sweep, 2, preset_name="never").status_code == 404
    assert act(client, "sweep-keep", sweep, 12, preset_name="never").status_code == 404
    assert SettingsPreset.objects.count() == 1


def test_a_filter_that_nothing_passes_can_be_taken_back(client: Client, ann: User) -> None:
    shown = page(client, "sweep", carried_out(make_sweep(ann)), by="turnover", min="1000")
    assert "No setting that was tried lies within this filter" in shown
    assert 'name="min" value="1000"' in shown
    assert "8 settings" in page(client, "sweep", Sweep.objects.get(), by="guardrail_time", min="0", max="100")


def test_a_sweep_that_is_done_shows_verdict_map_and_ranking(client: Client, ann: User) -> None:
    sweep = carried_out(make_sweep(ann))
    shown = page(client, "sweep", sweep, metric="total_return")
    assert "The best of 8 is not offered" in shown
    assert "nothing can be told from luck" in shown
    assert "Ranked by total return" in shown
    assert "8 settings" in shown
    assert shown.count('class="shade-') == 8
    assert "4 of them left out because no cell could have them" in shown
    assert page(client, "sweep", sweep, x="guardrail_low", y="").count('class="shade-') >= 2
    assert "0 settings" not in page(client, "sweep", sweep, by="trades", min="x", max="nan", page="999", trial="7777")
    assert "Ranked by" not in page(client, "sweep", sweep, by="trades", min="1000000")
    assert "Setting 2<" not in page(client, "sweep", sweep, trial=2)
    assert "Not offered" in page(client, "sweeps")


def test_a_setting_is_looked_at_and_opened_as_a_run(client: Client, ann: User, rung: list[int]) -> None:
    sweep = carried_out(make_sweep(ann))
    assert "Open its run" in page(client, "sweep", sweep, trial=4)
    answer = act(client, "sweep-run", sweep, 4)
    run = SimulationRun.objects.get()
    assert answer["Location"] == reverse("simulation", args=[run.public_id])
    assert (run.settings["trigger_up"], run.settings["guardrail_low"], rung) == ("0.03", "0.4", [run.pk])
    assert act(client, "sweep-run", sweep, 2).status_code == 404
    assert act(client, "sweep-run", sweep, 12).status_code == 404


def test_against_the_verdict_only_with_a_reason(client: Client, ann: User) -> None:
    cell = make_position(make_portfolio(ann), symbol="IBM", anchor="100")
    make_quote()
    sweep = carried_out(make_sweep(ann))
    assert "Use them against the verdict" in page(client, "sweep", sweep, trial=4)
    answer = act(client, "sweep-use", sweep, 4, position=cell.public_id)
    assert answer["Location"].endswith("?trial=4#trial")
    assert "IBM keeps its settings" in client.get(answer["Location"]).content.decode()
    assert not SettingsVersion.objects.filter(position=cell).exists()
    answer = act(client, "sweep-use", sweep, 4, position=cell.public_id, override="an experiment")
    assert answer["Location"] == reverse("cockpit", args=[cell.public_id])
    assert SettingsVersion.objects.get(position=cell).note.endswith("against its verdict: an experiment")


def test_nobody_elses(client: Client, ann: User) -> None:
    theirs = make_sweep(make_user("bob"))
    assert client.get(reverse("sweep", args=[theirs.public_id])).status_code == 404
    for name in ("sweep-cancel", "sweep-delete"):
        assert act(client, name, theirs).status_code == 404
    for name in ("sweep-run", "sweep-use", "sweep-keep"):
        assert act(client, name, theirs, 0).status_code == 404
    mine, cell = make_sweep(ann), make_position(make_portfolio(make_user("cid")))
    assert act(client, "sweep-use", mine, 0, position=cell.public_id).status_code == 404
    assert act(client, "sweep-use", mine, 0, position="x").status_code == 404


def test_cancelled_and_deleted(client: Client, ann: User) -> None:
    sweep = make_sweep(ann)
    assert "Cancelled" in client.get(act(client, "sweep-cancel", sweep)["Location"]).content.decode()
    assert act(client, "sweep-delete", sweep)["Location"] == reverse("sweeps")
    assert not Sweep.objects.exists()
    assert "No sweeps yet" in page(client, "sweeps")


def test_a_name_is_shown_as_it_is_written(client: Client, ann: User) -> None:
    sweep = make_sweep(ann, name="<script>alert(1)</script>")
    for shown in (page(client, "sweep", sweep), page(client, "sweeps")):
        assert "<script>alert(1)" not in shown
        assert "&lt;script&gt;alert(1)" in shown


def test_the_pages_cost_the_same_however_much_there_is(client: Client, ann: User) -> None:
    few = carried_out(make_sweep(ann, axes=[TAU]))
    costs = queries(client, "sweeps"), queries(client, "sweep", few, trial=0)
    many = carried_out(make_sweep(ann, axes=[TAU, LOW]))
    assert (queries(client, "sweeps"), queries(client, "sweep", many, trial=0)) == costs
    assert max(costs) <= 12
