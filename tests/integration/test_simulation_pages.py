"""The pages of simulations: what they say, what they refuse, who sees them, and at what cost."""

import math
import re
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from portfolios.domain.amounts import MICROS
from portfolios.models import User
from tests.factories import make_portfolio, make_position, make_quote, make_user
from tests.integration.browsing import page, queries, signed_in
from tests.recorded import make_done_run, make_run
from trading.market.models import Bar
from trading.market.services import load_bars
from trading.simulation.models import SimulationRun
from trading.simulation.services import carry_out

pytestmark = pytest.mark.django_db
FIRST = date(2007, 1, 1)
SESSIONS = 400
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def client(ann) -> Client:
    return signed_in(ann)


@pytest.fixture(autouse=True)
def recorded() -> None:
    """A price that swings between 80 and 120 in a wave of 50 sessions, and ends a third below its start."""
    load_bars(symbol="IBM", name="International Business Machines", exchange="XNYS", bars=waves())


def waves() -> list[Bar]:
    return [bar(number, 100 + 20 * math.sin(number / 8) - number / 12) for number in range(SESSIONS)]


def bar(number: int, price: float) -> Bar:
    close = round(price * 100) * MICROS // 100
    prices = {"open": close, "high": close + MICROS, "low": close - MICROS, "close": close, "volume": 1}
    return Bar(symbol="IBM", day=FIRST + timedelta(days=number), **prices)


def carried_out(owner: User, **traits: Any) -> SimulationRun:
    run = carry_out(run_id=make_run(owner, **traits).pk)
    assert run is not None
    assert run.status == "done", run.failure
    return run


def plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("\xa0", " ").split())


FORM = {"symbol": "IBM", "first": "", "last": "", "cash": "10000", "in_stock": "50", "slippage": "2", "path": "close"}


def test_the_empty_list_says_what_it_is_for(client):
    html = page(client, "simulations")
    assert "No simulations yet" in html
    assert "what would these settings have done?" in html
    assert reverse("simulation-new") in html


def test_from_the_form_to_the_tear_sheet(client, ann):
    answer = client.post(reverse("simulation-start"), FORM | {"trigger_down": "4", "name": "Calm"})
    run = SimulationRun.objects.get()
    assert (answer.status_code, answer.url) == (302, reverse("simulation", args=[run.public_id]))
    assert (run.owner, run.name, run.cash, run.in_stock, run.slippage) == (ann, "Calm", 10**10, 500_000, 200)
    assert run.settings == {"trigger_down": "0.04"}
    assert "Waiting for a worker" in page(client, "simulation", run)
    carry_out(run_id=run.pk)
    html = page(client, "simulation", run)
    told = plain(html)
    assert "The robot" in told
    assert "buying and holding" in told
    assert "Buy after a fall of 4 %" in told
    assert html.count('<svg class="drawing run"') == 4  # the charts without scripts
    assert "Waiting" not in html


def test_the_verdict_names_losses_first(client, ann):
    run = carried_out(ann, in_stock=10**6, settings={"trigger_up": "0.5", "trigger_down": "0.5"})
    told = plain(page(client, "simulation", run))
    assert "The robot lost money and ended" in told


def test_a_run_without_trades_says_so(client, ann):
    run = carried_out(ann, settings={"trigger_up": "0.5", "trigger_down": "0.5"}, last_day=date(2007, 3, 1))
    assert "None: the price never left the band" in plain(page(client, "simulation", run))


def test_months_are_a_table_that_multiplies_up_to_the_whole(client, ann):
    run = carried_out(ann)
    html = page(client, "simulation", run)
    assert '<th scope="row">2008</th>' in html
    assert '<th scope="row">2007</th>' in html
    assert re.search(r'class="heat (gain|loss)-\d" data-name="Jan">[+−]\d+\.\d<', html)


def test_the_charts_get_all_days_and_trades(client, ann):
    run = carried_out(ann)
    drawn = client.get(reverse("simulation-chart", args=[run.public_id])).json()
    assert {len(drawn[name]) for name in ("days", "values", "held", "mixed", "fall", "shares", "prices")} == {SESSIONS}
    assert len(drawn["trades"]) == run.result["trades"] > 5
    assert drawn["values"][0] == 10_000.0
    assert (drawn["low"], drawn["high"], max(drawn["fall"])) == (25.0, 75.0, 0.0)


def test_a_run_that_is_not_done_has_no_charts(client, ann):
    run = make_run(ann)
    assert client.get(reverse("simulation-chart", args=[run.public_id])).status_code == 404


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"symbol": ""}, "Choose a stock"),
        ({"symbol": "NOPE"}, "Choose one of these"),
        ({"first": "2006-12-31"}, "IBM is recorded from 2007-01-01 to 2008-02-04"),
        ({"last": "2009-01-01"}, "IBM is recorded from 2007-01-01 to 2008-02-04"),
        ({"first": "31.1.2007"}, "A day such as 2008-01-31"),
        ({"first": "2007-06-01", "last": "2007-06-01"}, "Must be after the first day"),
        ({"first": "2007-07-01", "last": "2007-06-01"}, "Must be after the first day"),
        ({"cash": ""}, "How much does it begin with?"),
        ({"cash": "0"}, "Must be from 1 to"),
        ({"cash": "-5"}, "Must be from 1 to"),
        ({"cash": "1e9"}, "such as 2500.50"),
        ({"cash": "1000000001"}, "Must be from 1 to 1000000000"),
        ({"in_stock": "101"}, "Must be from 0 to 100"),
        ({"in_stock": "33.33333"}, "Must be a multiple of 0.0001"),
        ({"slippage": "1001"}, "Must be from 0 to 1000"),
        ({"slippage": "0.001"}, "Must be a multiple of 0.01"),
        ({"path": "sideways"}, "Choose one of these"),
        ({"name": "x" * 121}, "at most 120 characters"),
        ({"name": "a\x01b"}, "One line of plain text"),
        ({"trigger_up": "-1"}, "Must be from"),
        ({"guardrail_low": "80", "guardrail_high": "20"}, "Least stock share"),
        ({"sizing": "magic"}, "Must be one of"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_typed_is_lost(client, typed, says):
    answer = client.post(reverse("simulation-start"), FORM | {"max_trade": "12.5"} | typed)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert says in plain(html)
    assert "Nothing is simulated yet" in html
    assert 'value="12.5"' in html
    assert not SimulationRun.objects.exists()


def test_the_form_is_filled_as_a_cell_has_it(client, ann):
    cell = make_position(make_portfolio(ann), anchor="100", trigger_up="0.07")
    make_quote("IBM", "100")
    html = page(client, "simulation-new", position=cell.public_id)
    assert "The form is filled as" in html
    assert re.search(r'name="trigger_up" value="7"', html)
    assert re.search(r'name="cash" value="20000"', html)
    assert re.search(r'name="in_stock" value="50"', html)
    assert f"{reverse('simulation-new')}?position={cell.public_id}" in page(client, "cockpit", cell)


def test_a_run_is_asked_again_with_what_it_was_asked_with(client, ann):
    run = make_run(ann, settings={"trigger_up": "0.07"}, path="path", name="Before", in_stock=250_000)
    html = page(client, "simulation-new", run=run.public_id)
    assert re.search(r'name="trigger_up" value="7"', html)
    assert re.search(r'name="in_stock" value="25"', html)
    assert '<option value="path" selected>' in html


def pressed(client: Client, **typed: str) -> str:
    """The form again after one of its pills was pressed."""
    answer = client.post(reverse("simulation-start"), FORM | typed)
    assert answer.status_code == 302
    assert not SimulationRun.objects.exists()
    assert "csrf" not in answer.url
    return client.get(answer.url).content.decode()


def test_a_preset_fills_in_what_it_has_and_leaves_what_was_typed(client):
    html = pressed(
        client, preset="careful", name="Mine", cash="777", first="2007-02-01", commission_bps="3", trigger_up="9"
    )
    assert re.search(r'name="trigger_up" value="5"', html)
    assert re.search(r'name="guardrail_low" value="35"', html)
    for name, value in (("name", "Mine"), ("cash", "777"), ("first", "2007-02-01"), ("commission_bps", "3")):
        assert re.search(rf'name="{name}"[^>]* value="{value}"', html), name


def test_a_cell_fills_in_what_it_has_and_leaves_what_was_typed(client, ann):
    cell = make_position(portfolio=make_portfolio(owner=ann), symbol="IBM", shares=100 * MICROS, cash=10**10)
    html = pressed(client, position=str(cell.public_id), name="Mine", first="2007-02-01", cash="777")
    assert f"The form is filled as <strong>the cell IBM in {cell.portfolio.name}</strong> has it." in html
    for name, value in (("name", "Mine"), ("first", "2007-02-01")):
        assert re.search(rf'name="{name}"[^>]* value="{value}"', html), name


def test_a_preset_or_a_cell_that_is_not_there_changes_nothing(client):
    assert 'value="Mine"' in pressed(client, preset="\x00own-1", name="Mine")
    stranger = make_position(portfolio=make_portfolio(owner=make_user("bob")), symbol="IBM")
    for position in (str(stranger.public_id), str(uuid4())):
        answer = client.post(reverse("simulation-start"), FORM | {"position": position})
        assert client.get(answer.url).status_code == 404


def test_what_a_close_hides_is_counted_and_along_a_path_the_ends_are_shown(client, ann):
    by_close, by_path = carried_out(ann), carried_out(ann, path="path")
    told = plain(page(client, "simulation", by_close))
    assert "This run looked at closes only" in told
    assert f"?run={by_close.public_id}&amp;path=path" in page(client, "simulation", by_close)
    told = plain(page(client, "simulation", by_path))
    assert "Worst case" in told
    assert "Best case" in told
    assert "kinder than any market" in told
    drawn = client.get(reverse("simulation-chart", args=[by_path.public_id])).json()
    assert len(drawn["low_first"]) == len(drawn["high_first"]) == SESSIONS
    ends = by_path.result["path_range"]
    assert float(ends["worst"]["value"]) <= drawn["values"][-1] <= float(ends["best"]["value"])


def test_splits_and_dividends_are_marked_on_the_price(client, ann):
    done = make_done_run(ann)
    told = plain(page(client, "simulation", done))
    assert "Splits: 2 for 1 on 4 Jan 2007." in told
    assert "1 dividend, each a tick on its ex-date." in told
    drawn = client.get(reverse("simulation-chart", args=[done.public_id])).json()
    assert (drawn["splits"], drawn["dividends"]) == ([{"at": 3, "ratio": "2 for 1"}], [6])


def test_what_it_comes_to_is_told_while_somebody_types(client):
    told = plain(page(client, "simulation-effect", typed="1", **(FORM | {"trigger_up": "9", "cash": "x"})))
    assert "Money at the start" in told
    assert "sells at $109" in told


def test_a_stranger_meets_the_answer_of_an_unknown_one(client, ann):
    run = carried_out(ann)
    bob = signed_in(make_user("bob"))
    for name in ("simulation", "simulation-chart"):
        answers = [bob.get(reverse(name, args=[of])) for of in (run.public_id, uuid4())]
        assert [answer.status_code for answer in answers] == [404, 404]
        own, unknown = (TOKEN.sub("", answer.content.decode()) for answer in answers)
        assert own == unknown
    for name in ("simulation-cancel", "simulation-delete"):
        assert bob.post(reverse(name, args=[run.public_id])).status_code == 404
    assert bob.get(reverse("simulation-new"), {"run": run.public_id}).status_code == 404
    assert "No simulations yet" in page(bob, "simulations")
    assert SimulationRun.objects.filter(pk=run.pk, status="done").exists()


def test_a_waiting_run_is_cancelled_and_deleted(client, ann):
    run = make_run(ann)
    client.post(reverse("simulation-cancel", args=[run.public_id]))
    assert "It was stopped before its end" in page(client, "simulation", run)
    answer = client.post(reverse("simulation-cancel", args=[run.public_id]), follow=True)
    assert answer.status_code == 200
    answer = client.post(reverse("simulation-delete", args=[run.public_id]), follow=True)
    assert "is deleted" in answer.content.decode()
    assert not SimulationRun.objects.exists()


def test_a_run_that_nobody_takes_up_says_so_and_its_page_asks_less_often(client, ann):
    run = make_run(ann)
    assert 'hx-trigger="every 250ms"' in page(client, "simulation", run)
    SimulationRun.objects.update(created_at=run.created_at - timedelta(minutes=1))
    html = page(client, "simulation", run)
    assert 'hx-trigger="every 2500ms"' in html
    assert "No worker has taken it up yet" in html


def test_a_failed_run_says_why(client, ann):
    run = make_run(ann)
    SimulationRun.objects.update(status="failed", failure="It made too many steps.")
    assert "It made too many steps." in page(client, "simulation", run)


def test_the_list_moves_only_while_something_is_under_way(client, ann):
    carried_out(ann)
    assert "hx-trigger" not in page(client, "simulations")
    make_run(ann)
    html = page(client, "simulations")
    assert 'hx-trigger="every 1s"' in html
    assert "<progress" in html


def test_the_list_is_paged_and_no_row_costs_a_query(client, ann):
    run = carried_out(ann)
    few = queries(client, "simulations")
    copies = [SimulationRun(**values_of(run)) for _ in range(60)]
    SimulationRun.objects.bulk_create(copies)
    assert queries(client, "simulations") == few <= 8
    html = page(client, "simulations")
    assert html.count("<tr>") == 51
    older = re.search(r'href="\?before=([^"]+)">Older', html)
    assert older
    assert page(client, "simulations", before=older.group(1).replace("%3A", ":")).count("<tr>") == 12


def values_of(run: SimulationRun) -> dict[str, Any]:
    left_out = ("id", "public_id")
    return {field.attname: getattr(run, field.attname) for field in run._meta.fields if field.name not in left_out}


def test_pages_cost_few_queries(client, ann):
    run = carried_out(ann)
    assert queries(client, "simulation", run) <= 9
    assert queries(client, "simulation-chart", run) <= 6
    assert queries(client, "simulation-new") <= 10
    for _ in range(3):
        make_position(make_portfolio(ann, name=str(_)))
    assert queries(client, "simulation-new") <= 10


def test_trades_are_paged(client, ann):
    run = carried_out(ann, settings={"trigger_up": "0.005", "trigger_down": "0.005", "min_notional": "1"})
    assert run.result["trades"] > 100
    first, second = page(client, "simulation", run), page(client, "simulation", run, trades=2)
    assert "page 1 of" in first
    assert "page 2 of" in second
    assert page(client, "simulation", run, trades=10**9)
    assert page(client, "simulation", run, trades="x")
