"""Sweeps over HTTP: asked for, followed, ranked, mapped, stopped, used; each his own and nobody else's."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portfolios.models import SettingsVersion, User
from tests.factories import bearer, make_portfolio, make_position, make_quote, make_user
from tests.integration.problems import problem
from tests.recorded import make_bars
from tests.swept import LOW, TAU, carried_out, make_sweep
from trading.simulation import sweeps
from trading.simulation.models import Sweep

pytestmark = pytest.mark.django_db
URL = "/v1/sweeps"
UNKNOWN = "00000000-0000-0000-0000-000000000000"
ASKED = {"symbol": "IBM", "settings": {"guardrail_high": "0.5"}, "axes": [TAU, LOW]}


@pytest.fixture
def ann() -> User:
    return make_user()


@pytest.fixture
def client(ann: User) -> Client:
    return Client(headers=bearer(ann, scopes=["read", "simulate", "trade"]))


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Which sweeps were rung for."""
    bells: list[int] = []
    monkeypatch.setattr("trading.api.sweeps.ring_sweep", bells.append)
    return bells


def post(client: Client, url: str, body: dict[str, Any]) -> Any:
    return client.post(url, body, "application/json")


def test_a_sweep_from_question_to_verdict(
    client: Client, rung: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    make_bars()
    axes = [{"name": "tau", "from": 0.02, "to": 0.05, "step": 0.01}, LOW]
    with django_capture_on_commit_callbacks(execute=True):
        answer = post(client, URL, ASKED | {"axes": axes, "slippage_bps": "2.5"})
    sweep = Sweep.objects.get()
    assert (answer.status_code, rung) == (202, [sweep.pk])
    assert answer["Location"] == f"http://testserver{URL}/{sweep.public_id}"
    told = answer.json()
    assert (told["status"], told["done"], told["total"], told["left_out"]) == ("queued", 0, 12, 4)
    assert (told["axes"][0], told["slippage_bps"]) == (TAU, "2.5")
    assert (told["seconds_left"], told["result"]) == (None, None)
    carried_out(sweep)
    told = client.get(answer["Location"]).json()
    assert (told["status"], told["done"], told["result"]["trials"]) == ("done", 12, 8)
    assert told["result"]["verdict"] == {
        "is_offered": False,
        "sentence": "Not offered: fewer than 252 sessions, so nothing can be told from luck.",
        "checks": [],
    }
    listed = client.get(URL).json()["results"]
    assert [row["id"] for row in listed] == [str(sweep.public_id)]
    assert "result" not in listed[0]


def test_trials_are_ranked_filtered_and_paged(client: Client, ann: User) -> None:
    sweep = carried_out(make_sweep(ann))
    url = f"{URL}/{sweep.public_id}/trials"
    rows = client.get(f"{url}?metric=total_return").json()["results"]
    returns = [row["figures"]["total_return"] for row in rows]
    assert returns == sorted(returns, reverse=True)
    assert ([row["rank"] for row in rows], len({row["number"] for row in rows})) == (list(range(1, 9)), 8)
    assert set(rows[0]["given"]) == {"trigger_up", "trigger_down", "guardrail_low"}
    worst = client.get(f"{url}?metric=total_return&reverse=true&limit=3").json()
    assert worst["results"][0]["figures"]["total_return"] == returns[-1]
    assert [row["rank"] for row in client.get(worst["next"]).json()["results"]] == [4, 5, 6]
    kept = client.get(f"{url}?metric=total_return&min_total_return={returns[3]}").json()["results"]
    assert len(kept) == sum(value >= returns[3] for value in returns)
    assert client.get(f"{url}?min_value=1000000").json()["results"] == []
    assert len(client.get(f"{url}?max_value=1000000&min_trades=1").json()["results"]) == 8


def test_one_trial_and_the_map(client: Client, ann: User) -> None:
    sweep = carried_out(make_sweep(ann))
    url = f"{URL}/{sweep.public_id}"
    told = client.get(f"{url}/trials/4").json()
    assert told["settings"] == {
        "guardrail_high": "0.5", "guardrail_low": "0.4", "trigger_down": "0.03", "trigger_up": "0.03",
    }  # fmt: skip
    assert told["verdict"]["is_offered"] is False
    shown = client.get(f"{url}/map?x=tau&y=guardrail_low&metric=value").json()
    assert shown["x"] == {"name": "tau", "values": ["0.02", "0.03", "0.04", "0.05"]}
    assert [row["y"] for row in shown["rows"]] == ["0.2", "0.4", "0.6"]
    assert shown["rows"][2]["figures"] == [None] * 4
    assert (shown["rows"][1]["figures"][1], shown["rows"][1]["numbers"][1]) == (told["figures"]["value"], 4)
    alone = client.get(f"{url}/map?x=guardrail_low").json()
    assert (alone["y"], len(alone["rows"])) == (None, 1)


def test_while_it_runs_what_is_done_is_shown(client: Client, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "LARGEST", 5)
    sweep = make_sweep(ann)
    sweeps.carry_out_chunk(chunk_id=sweep.chunks.order_by("pk")[0].pk)
    url = f"{URL}/{sweep.public_id}"
    told = client.get(url).json()
    assert (told["status"], told["done"]) == ("running", 5)
    assert told["seconds_left"] >= 0
    assert len(client.get(f"{url}/trials").json()["results"]) == 4
    assert client.get(f"{url}/trials/10").json()["figures"]["value"] is None
    assert client.get(f"{url}/trials/10").json()["verdict"] is None


def test_what_is_withheld_needs_a_reason(client: Client, ann: User) -> None:
    cell = make_position(make_portfolio(ann), anchor="100")
    make_quote()
    sweep = carried_out(make_sweep(ann))
    url, asked = f"{URL}/{sweep.public_id}/trials/4/use", {"position_id": str(cell.public_id)}
    answer = post(client, url, asked)
    assert problem(answer) == (409, "withheld")
    assert "nothing can be told from luck" in answer.json()["detail"]
    assert not SettingsVersion.objects.filter(position=cell).exists()
    answer = post(client, url, asked | {"override": "an experiment"})
    assert answer.status_code == 200
    assert answer.json()["given"]["trigger_up"] == "0.03"
    assert answer.json()["note"].endswith("against its verdict: an experiment")


def test_nobody_elses_cell_is_changed(client: Client, ann: User) -> None:
    sweep = carried_out(make_sweep(ann))
    looked_into = make_position(make_portfolio(make_user("bob"), ann="viewer"), anchor="100")
    strangers = make_position(make_portfolio(make_user("cid")), anchor="100")
    for cell, wanted in ((looked_into, (403, "read_only")), (strangers, (404, "position_not_found"))):
        asked = {"position_id": str(cell.public_id), "override": "mine"}
        assert problem(post(client, f"{URL}/{sweep.public_id}/trials/4/use", asked)) == wanted


BAD = [
    ({"symbol": "NONE"}, "unknown_symbol", "symbol"),
    ({"axes": []}, "invalid_fields", "axes"),
    ({"axes": [TAU] * 7}, "invalid_fields", "axes"),
    ({"axes": ["tau"]}, "invalid_fields", "axes/0"),
    ({"axes": {"name": "tau"}}, "invalid_fields", "axes"),
    ({"axes": [{"name": "tau"}]}, "invalid_axis", "axes/0/name"),
    ({"axes": [TAU | {"step": "0"}]}, "invalid_axis", "axes/0/step"),
    ({"axes": [TAU | {"to": "0.9"}]}, "invalid_axis", "axes/0/to"),
    ({"axes": [TAU, TAU]}, "invalid_axis", "axes/1/name"),
    ({"axes": [{"name": "tau", "values": ["0.03"]}]}, "too_few_settings", "axes"),
    ({"axes": [{"name": "min_notional", "from": "0", "to": "1", "step": "0.00001"}]}, "invalid_axis", "axes/0/step"),
    ({"settings": {"colour": "red"}}, "invalid_setting", "settings/colour"),
    ({"cash": "0"}, "invalid_fields", "cash"),
    ({"in_stock": "2"}, "invalid_fields", "in_stock"),
    ({"slippage_bps": "0.001"}, "invalid_fields", "slippage_bps"),
    ({"first_day": "2006-12-31"}, "invalid_day", "first_day"),
    ({"name": "two\nlines"}, "invalid_fields", "name"),
    ({"path": "close"}, "invalid_fields", "path"),
    ({"colour": "red"}, "invalid_fields", "colour"),
]


@pytest.mark.parametrize(("change", "code", "field"), BAD, ids=[str(row[0])[:50] for row in BAD])
def test_what_cannot_be_is_refused_by_field(
    change: dict[str, Any], code: str, field: str, client: Client, rung: list[int]
) -> None:
    make_bars()
    answer = post(client, URL, ASKED | change)
    assert problem(answer) == (422, code)
    assert answer.json()["errors"][0]["pointer"] == f"#/{field}"
    assert (Sweep.objects.exists(), rung) == (False, [])


QUERIES = [
    ("?status=asleep", 400),
    ("?limit=0", 400),
    ("/{id}/trials?metric=luck", 400),
    ("/{id}/trials?min_luck=1", 400),
    ("/{id}/trials?min_value=x", 400),
    ("/{id}/trials?reverse=perhaps", 400),
    ("/{id}/trials?cursor=x", 400),
    ("/{id}/trials/2", 404),
    ("/{id}/trials/12", 404),
    ("/{id}/trials/99999999999999999999", 404),
    ("/{id}/trials/-1", 404),
    ("/{id}/map", 400),
    ("/{id}/map?x=luck", 400),
    ("/{id}/map?x=tau&y=tau", 400),
    ("/{id}/map?x=tau&metric=luck", 400),
    ("/{id}/luck", 404),
    ("/x", 404),
]


@pytest.mark.parametrize(("query", "status"), QUERIES)
def test_a_bad_query_is_a_problem(query: str, status: int, client: Client, ann: User) -> None:
    sweep = make_sweep(ann)
    assert client.get(URL + query.format(id=sweep.public_id)).status_code == status


def test_a_strangers_sweep_is_one_that_does_not_exist(client: Client) -> None:
    sweep = make_sweep(make_user("bob"))
    for rest in ("", "/trials", "/trials/0", "/map?x=tau"):
        hidden, unknown = (client.get(f"{URL}/{known}{rest}") for known in (sweep.public_id, UNKNOWN))
        assert (hidden.status_code, hidden.content) == (404, unknown.content)
    for rest in ("/cancel", "/trials/0/use"):
        assert problem(post(client, f"{URL}/{sweep.public_id}{rest}", {})) == (404, "sweep_not_found")
    assert problem(client.delete(f"{URL}/{sweep.public_id}")) == (404, "sweep_not_found")
    assert client.get(URL).json()["results"] == []


def test_cancelled_once_and_thrown_away(client: Client, ann: User) -> None:
    sweep = make_sweep(ann)
    url = f"{URL}/{sweep.public_id}"
    assert post(client, f"{url}/cancel", {}).json()["status"] == "cancelled"
    assert post(client, f"{url}/cancel", {}).status_code == 200
    assert problem(post(client, f"{url}/trials/0/use", {"position_id": UNKNOWN})) == (404, "position_not_found")
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 404


def test_a_token_without_the_scope_may_not(ann: User) -> None:
    reader = Client(headers=bearer(ann, scopes=["read"]))
    sweep = make_sweep(ann)
    assert reader.get(f"{URL}/{sweep.public_id}").status_code == 200
    assert problem(post(reader, URL, ASKED)) == (403, "insufficient_scope")
    assert problem(post(reader, f"{URL}/{sweep.public_id}/trials/0/use", {})) == (403, "insufficient_scope")


def test_the_number_of_queries_does_not_grow(client: Client, ann: User) -> None:
    counts = []
    client.get(URL)  # a token notes once that it was used
    for axes in ([TAU], [TAU, LOW]):
        sweep = carried_out(make_sweep(ann, axes=axes))
        for rest in ("", f"/{sweep.public_id}", f"/{sweep.public_id}/trials", f"/{sweep.public_id}/map?x=tau"):
            with CaptureQueriesContext(connection) as captured:
                assert client.get(URL + rest).status_code == 200
            counts.append(len(captured))
    assert counts[:4] == counts[4:]
    assert max(counts) <= 6
