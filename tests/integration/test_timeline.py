"""Quotes plus the state between events give every quiet evaluation back, number by number."""

import random
from collections import Counter
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from portfolios.domain.amounts import micros
from portfolios.errors import Refused
from portfolios.models import Position
from portfolios.services.positions import deposit, pause, resume, set_anchor, withdraw
from portfolios.services.settings import change_settings
from tests.factories import NOON, bearer, make_position, make_quote
from tests.integration.problems import pointers, problem
from tests.integration.test_replay import CELLS, make_world
from tests.market import later, tick
from trading.cards import RELATED
from trading.market.models import Quote
from trading.market.selectors import market_now
from trading.models import Order
from trading.services.account import inputs_of, outputs_of
from trading.services.evaluation import evaluate_position, preview_position
from trading.timeline import evaluations, trades
from trading.timeline.rows import EvaluationRow, quote_at_of
from trading.timeline.walk import Walk

DAYS = [date(2005, 2, 1) + timedelta(days=count) for count in range(0, 60, 2)]


def rows_of(cell: Position, *span: datetime) -> list[EvaluationRow]:
    return list(evaluations(Position.objects.select_related(*RELATED).get(pk=cell.pk), *span))


def compare_with_hindsight(cell: Position) -> Counter[str]:
    """Every stored evaluation against the one computed from the events before it; how many of each kind."""
    walk, log = Walk.up_to(Position.objects.select_related(*RELATED).get(pk=cell.pk), None)
    seen: Counter[str] = Counter()
    for event in log:
        at = quote_at_of(event)
        if at:
            sight, _, holding, rules, decision, values = walk.calculation(
                Quote.objects.get(symbol=cell.symbol, source=cell.source, at=at)
            )
            content = event.content
            assert strings(inputs_of(holding, sight)) == content["inputs"]
            if content["outputs"]:
                assert strings(outputs_of(holding, rules, sight, decision, values)) == content["outputs"], event
            seen[event.type] += 1
        walk.add(event)
    return seen


def strings(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: strings(part) for name, part in value.items()}
    return [strings(part) for part in value] if isinstance(value, list) else str(value)


def meddle(chance: random.Random, cell: Position) -> None:
    """What people do between two quotes."""
    by = {"position_id": cell.pk, "market_at": market_now(cell.source), "actor": "user:ann"}
    owner = cell.portfolio.owner
    try:
        match chance.randrange(12):
            case 0:
                deposit(amount=micros("300"), **by)
            case 1:
                withdraw(amount=micros("200"), **by)
            case 2:
                (pause if cell.state == "active" else resume)(reason="so", **by)
            case 3:
                set_anchor(price=Quote.objects.filter(symbol=cell.symbol).latest("at").last, reason="so", **by)
            case 4:
                given = {"tau": chance.choice(["0.01", "0.02", "0.03"]), "max_orders_per_day": 1}
                where = {"portfolio_id": cell.portfolio_id, "author": owner, "note": "", "market_at": by["market_at"]}
                change_settings(given=given, position_id=chance.choice([cell.pk, None]), **where)
    except Refused:
        pass


@pytest.mark.django_db
def test_what_was_stored_over_two_months_is_what_hindsight_computes_quiet_quotes_included() -> None:
    make_world([CELLS[place] for place in (1, 3, 7)])
    chance = random.Random(7)
    quiet: dict[tuple[int, datetime], tuple[Any, Any]] = {}
    for day in DAYS:
        call_command("feed", "--fast-forward-to", str(day), stdout=StringIO())
        for cell in Position.objects.select_related(*RELATED):
            would = preview_position(position=cell)
            if would.sight and would.decision:
                said = outputs_of(cell.holding, would.rules, would.sight, would.decision, would.gate_values)
                quiet.setdefault((cell.pk, would.sight.at), (inputs_of(cell.holding, would.sight), said))
            if chance.random() < 0.1:
                evaluate_position(position_id=cell.pk, asked_by="user:ann", act=False)
            meddle(chance, cell)
    seen: Counter[str] = Counter()
    computed = 0
    for cell in Position.objects.all():
        seen += compare_with_hindsight(cell)
        for row in rows_of(cell):
            if row.computed and (cell.pk, row.at) in quiet:
                assert (row.inputs, row.outputs) == quiet[cell.pk, row.at]
                computed += 1
    assert computed > 25
    assert seen["evaluated"] > 15
    assert seen["skipped"] > 3


def make_story() -> Position:
    """A price each minute: quiet, a fall that buys, quiet, an order by hand in between, a pause, a skip."""
    cell = make_position(anchor="100")
    for minute, price in enumerate(["100", "101", "97", "97.5", "98"]):
        make_quote(price=price, at=later(minute))
        tick(cell)
    pause(position_id=cell.pk, market_at=later(4), actor="user:ann", reason="holidays")
    for minute, price in ((5, "94"), (6, "94.5"), (7, "93.9")):
        make_quote(price=price, at=later(minute))
        tick(cell)
    return cell


@pytest.mark.django_db
def test_each_quote_has_its_row_and_a_repeated_skip_too() -> None:
    cell = make_story()
    rows = [(row.computed, row.decision.action.name, row.decision.reason.name.lower()) for row in rows_of(cell)]
    assert rows == [
        (True, "HOLD", "inside_band"),
        (True, "HOLD", "inside_band"),
        (False, "BUY", "trigger_down"),
        (True, "HOLD", "inside_band"),
        (True, "HOLD", "inside_band"),
        (False, "SKIP", "paused"),
        (True, "HOLD", "inside_band"),
        (True, "SKIP", "paused"),
    ]
    bought = rows_of(cell)[2]
    assert bought.order_id == Order.objects.get().public_id
    assert [row.at for row in rows_of(cell, later(2), later(4))] == [later(2), later(3)]
    assert [row.order_id for row in trades(cell)] == [bought.order_id]


@pytest.mark.django_db
def test_a_range_in_the_middle_starts_from_the_state_of_that_time() -> None:
    cell = make_story()
    whole = rows_of(cell)
    for first in range(len(whole)):
        assert rows_of(cell, later(first)) == whole[first:]


@pytest.mark.django_db
def test_a_person_who_asks_again_has_a_row_of_his_own() -> None:
    cell = make_position(anchor="100")
    make_quote(price="101")
    for _ in range(2):
        evaluate_position(position_id=cell.pk, asked_by="user:ann", act=False)
    assert [(row.computed, row.actor) for row in rows_of(cell)] == [(False, "user:ann")] * 2


@pytest.mark.django_db
def test_a_closed_cell_is_evaluated_no_more() -> None:
    cell = make_position(anchor="100")
    make_quote(price="101")
    client = Client(headers=bearer(cell.portfolio.owner))
    client.post(f"/v1/positions/{cell.public_id}/close", {"reason": "done"}, "application/json")
    make_quote(price="102", at=later())
    assert [row.at for row in rows_of(cell)] == [NOON]


def timeline(cell: Position, query: str = "") -> Any:
    return Client(headers=bearer(cell.portfolio.owner)).get(f"/v1/positions/{cell.public_id}/timeline{query}")


@pytest.mark.django_db
def test_pages_of_the_timeline_give_each_row_once() -> None:
    cell = make_story()
    for _ in range(3):
        evaluate_position(position_id=cell.pk, asked_by="user:ann", act=False)
    whole = timeline(cell).json()
    assert whole["next"] is None
    client, read, url = (
        Client(headers=bearer(cell.portfolio.owner)),
        [],
        f"/v1/positions/{cell.public_id}/timeline?limit=2",
    )
    while url:
        page = client.get(url).json()
        assert 0 < len(page["evaluations"]) <= 2
        read, url = read + page["evaluations"], page["next"]
    assert read == whole["evaluations"]
    assert len(read) == 7 + 3  # the last quote's own rows stand for it


@pytest.mark.django_db
@pytest.mark.parametrize("limit", [1, 2, 3, 9, 10, 500])
@pytest.mark.parametrize("within", ["", "&since=2007-01-03T17:02:00Z", "&until=2007-01-03T17:04:00Z", "&only=trades"])
def test_who_turns_back_meets_the_pages_he_came_from(limit: int, within: str) -> None:
    cell = make_story()
    for _ in range(3):
        evaluate_position(position_id=cell.pk, asked_by="user:ann", act=False)
    client = Client(headers=bearer(cell.portfolio.owner))
    pages = [client.get(f"/v1/positions/{cell.public_id}/timeline?limit={limit}{within}").json()]
    assert pages[0]["previous"] is None
    while pages[-1]["next"]:
        pages.append(client.get(pages[-1]["next"]).json())
    met, back = [pages[-1]], pages[-1]["previous"]
    while back:
        met.append(client.get(back).json())
        back = met[-1]["previous"]
    assert [page["evaluations"] for page in reversed(met)] == [page["evaluations"] for page in pages]
    for page in met[1:]:
        assert client.get(page["next"]).json()["evaluations"] == met[met.index(page) - 1]["evaluations"]


@pytest.mark.django_db
def test_a_row_shows_inputs_gates_trims_and_the_decision() -> None:
    cell = make_story()
    rows = timeline(cell).json()["evaluations"]
    assert (rows[2]["at"], rows[2]["market"], rows[2]["action"]) == ("2007-01-03T17:02:00Z", "regular", "BUY")
    assert rows[2]["outputs"]["quantity"] == "10.4687"
    assert (rows[7]["computed"], rows[7]["seq"], rows[7]["outputs"]["gates"]["paused"]) == (True, None, "paused")
    assert set(rows[0]["inputs"]) == set(rows[2]["inputs"])
    assert set(rows[7]["outputs"]) == set(rows[2]["outputs"])
    only = timeline(cell, "?only=trades").json()["evaluations"]
    assert [row["order_id"] for row in only] == [str(Order.objects.get().public_id)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "at_fault"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("since=yesterday", "since"),
        ("since=2007-01-03", "since"),
        ("until=2007-01-03T17:00:00", "until"),
        ("since=0001-01-01T00:00:00Z", "since"),
        ("since=9999-12-31T23:59:59-12:00", "since"),
        ("until=2300-01-01T00:00:00Z", "until"),
        ("until=", "until"),
        ("only=skips", "only"),
        ("cursor=abc", "cursor"),
        ("colour=red", "colour"),
        ("since=2007-01-03T17:00:00Z&since=2007-01-03T17:00:00Z", "since"),
    ],
)
def test_a_timeline_asked_for_wrongly_is_refused(query: str, at_fault: str) -> None:
    cell = make_position(symbol="ZIM")
    refused = timeline(cell, f"?{query}")
    assert problem(refused) == (400, "invalid_parameters")
    assert pointers(refused) == {at_fault}


@pytest.mark.django_db
def test_a_cell_without_quotes_has_an_empty_timeline() -> None:
    assert timeline(make_position(symbol="ZIM"), "?since=2007-01-03T17:00:00Z").json()["evaluations"] == []


@pytest.mark.django_db
def test_a_longer_timeline_asks_the_database_no_more_often(django_assert_max_num_queries: Any) -> None:
    cell = make_story()
    client = Client(headers=bearer(cell.portfolio.owner))
    client.get("/v1/positions")
    for limit in (1, 8):
        with django_assert_max_num_queries(14):
            client.get(f"/v1/positions/{cell.public_id}/timeline?since=2007-01-03T17:02:00Z&limit={limit}")
