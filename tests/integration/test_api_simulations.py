"""Runs of the past over HTTP: asked for, followed, paged through, stopped, deleted; each his own and nobody else's."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portfolios.models import User
from tests.factories import bearer, make_user
from tests.integration.problems import problem
from tests.recorded import make_bars, make_done_run, make_run
from trading.simulation.models import SimulationRun
from trading.simulation.services import MOST_KEPT, MOST_UNFINISHED, carry_out

pytestmark = pytest.mark.django_db
URL = "/v1/simulations"
UNKNOWN = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def ann() -> User:
    return make_user()


@pytest.fixture
def client(ann: User) -> Client:
    return Client(headers=bearer(ann, scopes=["read", "simulate"]))


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Which runs were rung for."""
    bells: list[int] = []
    monkeypatch.setattr("trading.api.simulations.ring", lambda bell, run_id: bells.append(run_id))
    return bells


def post(client: Client, url: str, body: dict[str, Any]) -> Any:
    return client.post(url, body, "application/json")


def test_a_run_from_question_to_answer(
    client: Client, rung: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    make_bars()
    body = {"symbol": "IBM", "settings": {"tau": 0.02}, "cash": "5000.5", "in_stock": 0.25, "slippage_bps": "2.5"}
    with django_capture_on_commit_callbacks(execute=True):
        answer = post(client, URL, body)
    run = SimulationRun.objects.get()
    assert (answer.status_code, rung) == (202, [run.pk])
    assert answer["Location"] == f"http://testserver{URL}/{run.public_id}"
    told = answer.json()
    assert (told["status"], told["done"], told["total"], told["stage"], told["result"]) == ("queued", 0, 4, "", None)
    assert (told["cash"], told["in_stock"], told["slippage_bps"]) == ("5000.5", "0.25", "2.5")
    assert told["settings"] == {"trigger_up": "0.02", "trigger_down": "0.02"}
    carry_out(run_id=run.pk)
    told = client.get(answer["Location"]).json()
    assert (told["status"], told["done"], told["result"]["bars"], told["failure"]) == ("done", 4, 10, "")
    assert told["result"]["baselines"]["cash"]["total_return"] == 0
    fills = client.get(f"{URL}/{run.public_id}/fills").json()["results"]
    assert len(fills) == told["result"]["trades"]
    assert {name: fills[-1][name] for name in ("shares", "cash")} == {
        name: told["result"][name] for name in ("shares", "cash")
    }
    days = client.get(f"{URL}/{run.public_id}/daily").json()["results"]
    assert (len(days), days[-1]["value"]) == (10, told["result"]["value"])


BAD = [
    ({"symbol": "NONE"}, 422, "unknown_symbol", "symbol"),
    ({"symbol": "IBM\x07"}, 422, "unknown_symbol", "symbol"),
    ({"symbol": "A" * 13}, 422, "invalid_fields", "symbol"),
    ({"symbol": 7}, 422, "invalid_fields", "symbol"),
    ({"first_day": "2006-12-31"}, 422, "invalid_day", "first_day"),
    ({"last_day": "2007-01-13"}, 422, "invalid_day", "last_day"),
    ({"first_day": "2007-01-09", "last_day": "2007-01-08"}, 422, "invalid_day", "last_day"),
    ({"first_day": "2007-01-09", "last_day": "2007-01-09"}, 422, "invalid_day", "last_day"),
    ({"first_day": "yesterday"}, 422, "invalid_fields", "first_day"),
    ({"cash": "0.999999"}, 422, "invalid_fields", "cash"),
    ({"cash": "1000000000.000001"}, 422, "invalid_fields", "cash"),
    ({"cash": "-1"}, 422, "invalid_fields", "cash"),
    ({"cash": True}, 422, "invalid_fields", "cash"),
    ({"in_stock": "1.000001"}, 422, "invalid_fields", "in_stock"),
    ({"in_stock": "0.0000001"}, 422, "invalid_fields", "in_stock"),
    ({"slippage_bps": "1000.01"}, 422, "invalid_fields", "slippage_bps"),
    ({"slippage_bps": "0.001"}, 422, "invalid_fields", "slippage_bps"),
    ({"path": "backwards"}, 422, "invalid_fields", "path"),
    ({"name": "x" * 121}, 422, "invalid_fields", "name"),
    ({"name": "two\nlines"}, 422, "invalid_fields", "name"),
    ({"settings": []}, 422, "invalid_fields", "settings"),
    ({"settings": {"colour": "red"}}, 422, "invalid_setting", "settings/colour"),
    ({"settings": {"tau": "0.6"}}, 422, "invalid_setting", "settings/trigger_up"),
    ({"settings": {"tau": None}}, 422, "invalid_setting", "settings/trigger_up"),
    ({"settings": {"guardrail_low": "0.8"}}, 422, "invalid_setting", "settings/guardrail_low"),
    ({"colour": "red"}, 422, "invalid_fields", "colour"),
]


@pytest.mark.parametrize(("change", "status", "code", "field"), BAD, ids=[str(row[0])[:50] for row in BAD])
def test_what_cannot_be_is_refused_by_field(
    change: dict[str, Any], status: int, code: str, field: str, client: Client, rung: list[int]
) -> None:
    make_bars()
    answer = post(client, URL, {"symbol": "IBM"} | change)
    assert problem(answer) == (status, code)
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [f"#/{field}"]
    assert not SimulationRun.objects.exists()
    assert rung == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=0", 400),
        ("limit=501", 400),
        ("status=asleep", 400),
        ("cursor=x", 400),
        ("colour=red", 400),
        ("symbol=%00", 400),
        ("status=done&symbol=IBM&limit=500", 200),
    ],
)
def test_a_list_takes_what_it_knows(query: str, status: int, client: Client) -> None:
    assert client.get(f"{URL}?{query}").status_code == status


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "cursor=x", "ordering=day", "colour=red", "limit=1&limit=2"])
@pytest.mark.parametrize("rows", ["fills", "daily"])
def test_rows_take_what_they_know(rows: str, query: str, client: Client, ann: User) -> None:
    answer = client.get(f"{URL}/{make_done_run(ann).public_id}/{rows}?{query}")
    assert problem(answer) == (400, "invalid_parameters")


@pytest.mark.parametrize("rows", ["fills", "daily"])
@pytest.mark.parametrize("ordering", ["number", "-number"])
def test_pages_there_and_back_hold_every_row_once(rows: str, ordering: str, client: Client, ann: User) -> None:
    url = f"{URL}/{make_done_run(ann).public_id}/{rows}"
    whole = client.get(url, {"ordering": ordering}).json()["results"]
    assert [row["number"] for row in whole] == sorted(
        (row["number"] for row in whole), reverse=ordering.startswith("-")
    )
    page = client.get(url, {"ordering": ordering, "limit": 3}).json()
    found, pages = list(page["results"]), [page]
    while page["next"]:
        page = client.get(page["next"]).json()
        found += page["results"]
        pages.append(page)
    assert found == whole
    assert len(pages) > 1
    for earlier in reversed(pages[:-1]):
        page = client.get(page["previous"]).json()
        assert page["results"] == earlier["results"]


def test_a_strangers_run_is_as_unknown_as_one_that_never_was(client: Client) -> None:
    run = make_done_run(make_user("eve"))
    assert client.get(URL).json()["results"] == []
    for method, path in [
        ("get", ""),
        ("delete", ""),
        ("post", "/cancel"),
        ("get", "/fills"),
        ("get", "/daily"),
        ("get", "/exports/trades.csv"),
    ]:
        answers = [getattr(client, method)(f"{URL}/{some}{path}") for some in (run.public_id, UNKNOWN, "x")]
        assert problem(answers[0]) == (404, "run_not_found")
        assert answers[0].content == answers[1].content == answers[2].content
    assert SimulationRun.objects.filter(pk=run.pk, status="done").exists()


@pytest.mark.parametrize(
    ("scope", "method", "path", "status"),
    [
        ("read", "post", "", 403),
        ("simulate", "get", "", 403),
        ("read", "delete", "/{id}", 403),
        ("read", "post", "/{id}/cancel", 403),
        ("simulate", "get", "/{id}/fills", 403),
        ("simulate", "delete", "/{id}", 204),
    ],
)
def test_each_deed_needs_its_scope(scope: str, method: str, path: str, status: int, ann: User) -> None:
    run = make_done_run(ann)
    client = Client(headers=bearer(ann, scopes=[scope]))
    assert getattr(client, method)(URL + path.format(id=run.public_id)).status_code == status


def test_rows_of_a_run_that_is_not_done_are_not_there_yet(client: Client, ann: User) -> None:
    run = make_run(ann)
    for path in ("fills", "daily", "exports/trades.csv"):
        assert problem(client.get(f"{URL}/{run.public_id}/{path}")) == (409, "run_not_done")


def test_cancel_is_once_and_not_for_what_is_over(client: Client, ann: User) -> None:
    run = make_run(ann)
    for _ in range(2):
        answer = post(client, f"{URL}/{run.public_id}/cancel", {})
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    done = make_done_run(ann)
    assert problem(post(client, f"{URL}/{done.public_id}/cancel", {})) == (409, "already_over")
    assert problem(post(client, f"{URL}/{run.public_id}/cancel", {"why": "so"})) == (422, "invalid_fields")


def test_so_many_may_wait_and_so_many_are_kept(client: Client, ann: User) -> None:
    for _ in range(MOST_UNFINISHED):
        last = make_run(ann)
    assert problem(post(client, URL, {"symbol": "IBM"})) == (409, "too_many_unfinished_runs")
    assert client.delete(f"{URL}/{last.public_id}").status_code == 204
    SimulationRun.objects.update(status="done")
    kept = SimulationRun.objects.filter(owner=ann).values()[0]
    SimulationRun.objects.bulk_create(
        SimulationRun(**{k: v for k, v in kept.items() if k not in ("id", "public_id")})
        for _ in range(MOST_KEPT - MOST_UNFINISHED + 1)
    )
    assert problem(post(client, URL, {"symbol": "IBM"})) == (409, "too_many_runs")
    make_run(make_user("bob"))


def test_doors_cost_the_same_for_one_run_and_for_many(client: Client, ann: User) -> None:
    def queries(path: str = "") -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(URL + path).status_code == 200
        assert not any("series" in query["sql"] for query in captured) or path
        return len(captured)

    run = make_done_run(ann)
    queries()  # the first notes that the token was used
    few = queries()
    for _ in range(5):
        make_done_run(ann)
    assert queries() == few <= 4
    assert queries(f"/{run.public_id}") <= 4
    assert queries(f"/{run.public_id}/fills") == queries(f"/{run.public_id}/daily?limit=500") <= 5
