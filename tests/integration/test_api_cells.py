"""Cells through the door: the card, the robot's proposal, a whole cycle, the log, and lists that stay cheap."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from portfolios.models import Event, Position
from tests.factories import bearer, make_portfolio, make_position, make_quote, make_user
from trading.models import Order

pytestmark = pytest.mark.django_db
JSON = "application/json"


def client_of(cell: Position) -> Client:
    return Client(headers=bearer(cell.portfolio.owner))


@pytest.fixture
def cell() -> Position:
    """The first of the worked examples: 100 shares, 10,000 in cash, anchor 100."""
    return make_position(anchor="100")


def test_the_card_says_what_would_happen_next(cell: Position) -> None:
    make_quote(price="98")
    card = client_of(cell).get(f"/v1/positions/{cell.public_id}").json()
    assert (card["price"], card["value"], card["anchor"], card["price_age_ms"]) == ("98", "19800", "100", 0)
    assert card["wake_band"] == {"below": "97", "above": "103"}
    assert (card["next_buy"]["price"], card["next_buy"]["qty"], card["next_buy"]["fired"]) == ("97", "10.4687", False)
    assert (card["next_sell"]["price"], card["next_sell"]["qty"]) == ("103", "9.567348")
    assert card["stock_share"] == "0.494949"


def test_a_card_without_price_or_anchor_says_so_with_nothing() -> None:
    cell = make_position(symbol="ZIM", shares="0")
    card = client_of(cell).get(f"/v1/positions/{cell.public_id}").json()
    unknown = ("anchor", "price", "price_at", "price_age_ms", "value", "stock_share", "next_buy", "next_sell")
    assert {name: card[name] for name in unknown} == dict.fromkeys(unknown)
    assert card["wake_band"] == {"below": None, "above": None}


def test_an_evaluation_proposes_and_does_not_trade(cell: Position) -> None:
    make_quote(price="97")
    answer = client_of(cell).post(f"/v1/positions/{cell.public_id}/evaluate", {}, JSON).json()
    assert answer["proposals"] == [{"side": "BUY", "qty": "10.4687", "price": "97", "trims": []}]
    assert answer["reason"] == "trigger_down"
    assert all(gate["open"] for gate in answer["gates"])
    assert [gate["name"] for gate in answer["gates"]][:2] == ["paused", "quarantined"]
    assert not Order.objects.exists()
    assert Event.objects.of(cell).last().type == "evaluated"  # type: ignore[union-attr]


def test_a_dry_run_at_a_price_writes_nothing(cell: Position) -> None:
    make_quote(price="100")
    body = {"dry_run": True, "price": "97"}
    answer = client_of(cell).post(f"/v1/positions/{cell.public_id}/evaluate", body, JSON).json()
    assert answer["proposals"][0]["qty"] == "10.4687"
    assert Event.objects.of(cell).count() == 1
    refused = client_of(cell).post(f"/v1/positions/{cell.public_id}/evaluate", {"price": "97"}, JSON)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "#/price")


@pytest.mark.parametrize(("price", "reason"), [(None, "no_price"), ("100", "inside_band")])
def test_nothing_to_do_is_an_empty_list_with_its_reason(cell: Position, price: str | None, reason: str) -> None:
    if price:
        make_quote(price=price)
    answer = client_of(cell).post(f"/v1/positions/{cell.public_id}/evaluate", {}, JSON)
    assert answer.status_code == 200
    assert answer.json() == {"position_id": str(cell.public_id), "proposals": [], "gates": [], "reason": reason}


def test_a_skip_names_the_gate_that_was_shut(cell: Position) -> None:
    make_quote(price="97")
    Position.objects.update(state="paused")
    answer = client_of(cell).post(f"/v1/positions/{cell.public_id}/evaluate", {}, JSON).json()
    assert (answer["proposals"], answer["reason"]) == ([], "paused")
    assert [gate["name"] for gate in answer["gates"] if not gate["open"]] == ["paused"]


def test_a_trim_is_shown_by_its_name() -> None:
    cell = make_position(shares="60", cash="4000", anchor="110", guardrail_high="0.7", sizing="proportional")
    make_quote(price="100")
    answer = client_of(cell).post(f"/v1/positions/{cell.public_id}/evaluate", {}, JSON).json()
    assert [trim["name"] for trim in answer["proposals"][0]["trims"]] == ["guardrail"]


def test_a_tick_is_one_whole_cycle_and_the_next_one_finds_nothing_to_do(cell: Position) -> None:
    make_quote(price="97")
    client, url = client_of(cell), f"/v1/positions/{cell.public_id}/tick"
    cycle = client.post(url, {}, JSON).json()
    assert cycle["evaluation"]["proposals"][0]["qty"] == "10.4687"
    assert (cycle["order"]["status"], cycle["order"]["filled_qty"]) == ("filled", "10.4687")
    assert cycle["position_qty"] == "110.4687"
    again = client.post(url, {}, JSON).json()
    assert (again["order"], again["evaluation"]["proposals"], again["position_qty"]) == (None, [], "110.4687")


def test_the_log_is_read_on_from_where_one_stopped(cell: Position) -> None:
    make_quote(price="97")
    client, url = client_of(cell), f"/v1/positions/{cell.public_id}/events"
    client.post(f"/v1/positions/{cell.public_id}/tick", {}, JSON)
    whole = client.get(url).json()["events"]
    read: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        part = client.get(url, {"after": after, "limit": 2}).json()
        read, after = read + part["events"], part["next"]
    assert read == whole
    assert [event["seq"] for event in whole] == list(range(1, len(whole) + 1))
    assert client.get(url, {"after": whole[-1]["seq"]}).json()["events"] == []
    assert set(whole[0]) == {"seq", "type", "inputs", "outputs", "message", "market_at", "created_at", "hash"}


def test_pages_lead_there_and_back_without_losing_a_cell() -> None:
    portfolio = make_portfolio()
    cells = [str(make_position(portfolio, symbol=f"S{number}").public_id) for number in range(5)]
    client = Client(headers=bearer(portfolio.owner))
    there, url = [], "/v1/positions?limit=2&ordering=created_at"
    while url:
        page = client.get(url).json()
        there.append([row["id"] for row in page["results"]])
        last, url = page, page["next"]
    assert there == [cells[0:2], cells[2:4], cells[4:]]
    back, url = [], last["previous"]
    while url:
        page = client.get(url).json()
        back.append([row["id"] for row in page["results"]])
        url = page["previous"]
    assert back == [cells[2:4], cells[0:2]]
    newest_first = client.get("/v1/positions").json()["results"]
    assert [row["id"] for row in newest_first] == cells[::-1]


def test_a_cursor_serves_the_list_that_gave_it_and_no_other() -> None:
    portfolio = make_portfolio()
    for number in range(2):
        make_position(portfolio, symbol=f"S{number}")
    client = Client(headers=bearer(portfolio.owner))
    following = client.get("/v1/positions?limit=1").json()["next"]
    cursor = parse_qs(urlsplit(following).query)["cursor"][0]
    assert client.get(f"/v1/positions?limit=1&cursor={cursor}").status_code == 200
    assert client.get(f"/v1/orders?cursor={cursor}").status_code == 400
    assert client.get(f"/v1/positions?ordering=created_at&cursor={cursor}").status_code == 400


def test_the_list_shows_own_cells_only_and_can_be_narrowed() -> None:
    mine, theirs = make_portfolio(), make_portfolio(make_user("bob"))
    ours = make_position(mine, symbol="IBM")
    make_position(mine, symbol="AAPL")
    make_position(theirs, symbol="IBM")
    client = Client(headers=bearer(mine.owner))
    assert len(client.get("/v1/positions").json()["results"]) == 2
    found = client.get("/v1/positions", {"ticker": "IBM", "portfolio_id": str(mine.public_id)}).json()["results"]
    assert [row["id"] for row in found] == [str(ours.public_id)]
    assert client.get("/v1/positions", {"portfolio_id": str(theirs.public_id)}).json()["results"] == []


@pytest.mark.parametrize("url", ["/v1/positions", "/v1/orders"])
def test_a_longer_list_asks_the_database_no_more_often(url: str, django_assert_num_queries: Any) -> None:
    portfolio = make_portfolio()
    client = Client(headers=bearer(portfolio.owner))

    def more() -> None:
        cell = make_position(portfolio, symbol=f"S{Position.objects.count()}", anchor="100", trigger_up="0.04")
        make_quote(cell.symbol)
        path = f"/v1/positions/{cell.public_id}/orders"
        client.post(path, {"side": "BUY", "qty": 1}, JSON, headers={"Idempotency-Key": cell.symbol})

    more()
    queries = 5 if url == "/v1/positions" else 2  # who, which page; for cards prices, clock and splits too
    with django_assert_num_queries(queries):
        client.get(url)
    for _ in range(5):
        more()
    with django_assert_num_queries(queries):
        assert len(client.get(url).json()["results"]) == 6
