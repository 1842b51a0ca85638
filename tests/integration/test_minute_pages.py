"""The pages of runs and sweeps over minutes: what they offer, what they refuse, what they tell, and at what cost."""

from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from portfolios.models import User
from tests.factories import make_user
from tests.integration.browsing import page, queries, signed_in
from tests.minutes import SESSIONS, make_minutes
from tests.recorded import make_bars, make_run
from tests.swept import make_sweep
from trading.simulation.models import SimulationRun, Sweep
from trading.simulation.services import carry_out

pytestmark = pytest.mark.django_db
TYPED = {"typed": "1", "symbol": "IBM 1min", "cash": "10000", "in_stock": "50", "slippage": "0", "path": "close"}
NARROW = {"tau": "0.01", "min_notional": "0", "max_orders_per_day": 50}
AXIS = {"axis_1": "tau", "values_1": "1 2"}


@pytest.fixture(autouse=True)
def minutes(settings: Any, tmp_path: Path) -> Path:
    settings.BARS_FOLDER = tmp_path / "store"
    make_minutes(tmp_path)
    make_bars("DAYS")
    return tmp_path


@pytest.fixture
def ann() -> User:
    return make_user()


@pytest.fixture
def client(ann: User) -> Client:
    return signed_in(ann)


@pytest.mark.parametrize("form", ["simulation-new", "sweep-new"])
def test_the_form_offers_what_is_recorded_and_nothing_else(client: Client, form: str) -> None:
    html = page(client, form)
    assert 'value="IBM 1min"' in html
    assert "IBM, 1 minute: 5 Jun 2014 to 10 Jun 2014" in html
    assert "DAYS, 1 day: 1 Jan 2007 to 12 Jan 2007" in html
    assert 'value="IBM"' not in html
    assert 'value="DAYS 1min"' not in html
    chosen = page(client, form, symbol="ibm", resolution="1min")
    assert '<option value="IBM 1min" selected>' in chosen


def test_while_somebody_types_it_says_how_often_it_would_look(client: Client) -> None:
    told = page(client, "simulation-effect", **TYPED)
    assert "IBM, 1 minute: recorded from 5 Jun 2014 to 10 Jun 2014. Looks at the price about 236 times." in told
    assert "about 944 times" in page(client, "simulation-effect", **TYPED | {"path": "path"})


def test_the_form_asks_for_minutes_once_and_for_other_bars_anew(client: Client) -> None:
    make_bars("IBM")
    typed = TYPED | {"key": "0" * 32}
    first, again = (client.post(reverse("simulation-start"), typed) for _ in range(2))
    assert first.status_code == 302
    assert first["Location"] == again["Location"]
    other = client.post(reverse("simulation-start"), typed | {"symbol": "IBM"})
    assert other["Location"] != first["Location"]
    beside = client.post(reverse("simulation-start"), typed | {"symbol": "IBM", "resolution": "1min"})
    assert beside["Location"] == first["Location"]
    assert sorted(SimulationRun.objects.values_list("resolution", flat=True)) == ["1day", "1min"]


@pytest.mark.parametrize("door", ["simulation-start", "sweep-start"])
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"symbol": "IBM"}, "Choose one of these"),
        ({"symbol": "IBM 5min"}, "Choose one of these"),
        ({"symbol": "DAYS 1min"}, "Choose one of these"),
        ({"symbol": "IBM 1min 1min"}, "Choose one of these"),
        ({"symbol": "IBM", "resolution": "<b>"}, "Choose one of these"),
        ({"first": "2014-06-04"}, "IBM is recorded from 2014-06-05 to 2014-06-10"),
        ({"first": "2014-06-09", "last": "2014-06-06"}, "Must be after the first day"),
        ({"first": "2014-06-07", "last": "2014-06-08"}, "must leave at least two recorded bars"),
    ],
)
def test_what_does_not_fit_is_told_and_nothing_begins(
    client: Client, door: str, wrong: dict[str, str], said: str
) -> None:
    answer = client.post(reverse(door), TYPED | AXIS | wrong)
    assert answer.status_code == 422
    assert said in unescape(answer.content.decode())
    assert not SimulationRun.objects.exists()
    assert not Sweep.objects.exists()


def test_more_than_a_worker_has_room_for_is_told_at_the_field(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trading.run_form.MOST_LOOKS", 100)
    answer = client.post(reverse("simulation-start"), TYPED)
    assert answer.status_code == 422
    assert "bars can be looked at in one run; ask for fewer days" in answer.content.decode()


def test_the_tear_sheet_and_the_lists_tell_the_bars_and_the_minutes(client: Client, ann: User) -> None:
    run = carry_out(run_id=make_run(ann, resolution="1min", settings=NARROW).pk)
    assert run is not None
    html = page(client, "simulation", run)
    assert "IBM, bars of 1 minute, 5 Jun 2014 to 10 Jun 2014" in html
    assert "New York time" in html
    assert "236 of 1 minute" in html
    assert "10 Jun 2014, " in html
    assert "1 minute, 5 Jun 2014" in page(client, "simulations")
    assert 'value="IBM 1min" selected' in page(client, "simulation-new", run=run.public_id)
    drawn = client.get(reverse("simulation-chart", args=[run.public_id])).json()
    assert len(drawn["days"]) == len(drawn["values"]) == len(drawn["fall"]) == len(SESSIONS)
    assert drawn["trade_count"] == run.result["trades"] > len(drawn["trades"]) > 0
    assert len(drawn["trades"]) <= 2 * len(SESSIONS)
    file = client.get(f"/v1/simulations/{run.public_id}/exports/trades.csv")
    rows = file.getvalue().decode().splitlines()
    assert rows[0].startswith("number,date,time,side")
    assert len(rows) == run.result["trades"] + 1
    assert rows[1].split(",")[2] > "09:29"


def test_a_sweep_tells_its_bars_and_opens_runs_over_them(client: Client, ann: User) -> None:
    sweep = make_sweep(ann, resolution="1min")
    assert "IBM, bars of 1 minute" in page(client, "sweep", sweep)
    assert "1 minute, 5 Jun 2014" in page(client, "sweeps")
    assert client.post(reverse("sweep-run", args=[sweep.public_id, 0])).status_code == 302
    assert SimulationRun.objects.get().resolution == "1min"


def test_series_of_bars_cost_no_query_each(client: Client, minutes: Path) -> None:
    few = {name: queries(client, name) for name in ("simulation-new", "sweep-new")}
    for symbol in ("AAA", "BBB", "CCC"):
        make_minutes(minutes, symbol, SESSIONS[:1])
    assert {name: queries(client, name) for name in few} == few
    assert max(few.values()) <= 11


def test_a_series_offers_to_be_simulated_over(client: Client) -> None:
    html = client.get(reverse("data-series", args=["IBM", "1min"])).content.decode()
    assert f'href="{reverse("simulation-new")}?symbol=IBM&amp;resolution=1min"' in html
