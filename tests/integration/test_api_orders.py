"""Orders through the door: once per key, whatever the net does."""

import threading
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portfolios.models import Event, Position
from tests.factories import bearer, make_portfolio, make_position
from trading.models import Execution, Order
from trading.services.ordering import SCENE

JSON = "application/json"


@pytest.mark.django_db(transaction=True)
def test_ten_impatient_clients_with_one_key_place_one_order() -> None:
    cell = make_position()
    headers = bearer(cell.portfolio.owner) | {"Idempotency-Key": "k1"}
    answers: list[Any] = []

    def post() -> None:
        try:
            url = f"/v1/positions/{cell.public_id}/orders"
            answers.append(Client(headers=headers).post(url, {"side": "BUY", "qty": 1.5}, JSON))
        finally:
            connection.close()

    threads = [threading.Thread(target=post) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert Order.objects.count() == 1


def statements_of(post: Any) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        post()
    return [str(query["sql"]).split()[0] for query in captured.captured_queries]


@pytest.mark.django_db(transaction=True)
def test_an_order_is_five_statements_in_one_commit_and_a_repeat_needs_four() -> None:
    cell = make_position()
    client = Client(headers=bearer(cell.portfolio.owner))
    url = f"/v1/positions/{cell.public_id}/orders"
    client.get(f"/v1/positions/{cell.public_id}")  # the token's use is noted once a minute

    def post() -> None:
        client.post(url, {"side": "BUY", "qty": 1.5}, JSON, headers={"Idempotency-Key": "k1"})

    who, which, claimed, judged, stored = "SELECT", "SELECT", "INSERT", "SELECT", "WITH"
    assert statements_of(post) == [who, which, "BEGIN", claimed, judged, stored, "COMMIT"]
    assert statements_of(post) == [who, which, "BEGIN", "INSERT", "SELECT", "COMMIT"]
    order = Order.objects.get()
    assert [event.subject for event in Event.objects.of(cell)][-1] == order.public_id


@pytest.mark.django_db(transaction=True)
def test_the_statements_of_an_order_are_planned_once() -> None:
    portfolio = make_portfolio()
    client = Client(headers=bearer(portfolio.owner))
    planned = []
    for number in range(2):
        url = f"/v1/positions/{make_position(portfolio).public_id}/orders"
        headers = {"Idempotency-Key": f"k{number}"}
        assert client.post(url, {"side": "BUY", "qty": 1.5}, JSON, headers=headers).status_code == 201
        planned.append(plans())
    assert len(planned[0]) >= 5
    assert planned[1] == planned[0]


def plans() -> list[Any]:
    """What this connection has planned, and when."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, prepare_time FROM pg_prepared_statements ORDER BY prepare_time")
        return list(cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_a_cell_is_not_judged_without_its_lock() -> None:
    cell = make_position()
    with pytest.raises(transaction.TransactionManagementError):
        SCENE.first(position=cell.pk)
    with transaction.atomic():
        assert SCENE.first(position=cell.pk) == cell
    with pytest.raises(transaction.TransactionManagementError):
        SCENE.first(position=cell.pk)


@pytest.mark.django_db
def test_a_key_of_one_cell_is_not_free_for_the_next_one() -> None:
    portfolio = make_portfolio()
    first, second = make_position(portfolio), make_position(portfolio, symbol="AAPL")
    client = Client(headers=bearer(portfolio.owner) | {"Idempotency-Key": "k1"})
    answers = [
        client.post(f"/v1/positions/{cell.public_id}/orders", {"side": "BUY", "qty": 1}, JSON)
        for cell in (first, second)
    ]
    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[1].json()["code"] == "idempotency_signature_mismatch"


@pytest.mark.django_db
def test_a_fill_reported_twice_under_one_key_is_booked_once() -> None:
    cell = make_position()
    client = Client(headers=bearer(cell.portfolio.owner) | {"Idempotency-Key": "k1"})
    order = client.post(f"/v1/positions/{cell.public_id}/orders", {"side": "BUY", "qty": 2}, JSON).json()["order_id"]
    half = {"price": 50, "filled_qty": 1}
    fills = [client.post(f"/v1/orders/{order}/fill", half, JSON, headers={"Idempotency-Key": "half"}) for _ in range(2)]
    assert [fill.status_code for fill in fills] == [200, 200]
    assert fills[0].content == fills[1].content
    assert fills[0].json()["status"] == "partially_filled"
    assert Execution.objects.count() == 1


@pytest.mark.django_db
def test_a_cell_opened_twice_under_one_key_is_one_cell() -> None:
    portfolio = make_portfolio()
    client = Client(headers=bearer(portfolio.owner) | {"Idempotency-Key": "open"})
    answers = [client.post("/v1/positions", {"ticker": "ZIM", "cash": cash}, JSON) for cash in (100, "100.00")]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].content == answers[1].content
    assert Position.objects.count() == 1


@pytest.mark.django_db
def test_an_order_is_listed_and_shown_with_its_executions() -> None:
    cell = make_position()
    client = Client(headers=bearer(cell.portfolio.owner))
    url, k1 = f"/v1/positions/{cell.public_id}/orders", {"Idempotency-Key": "k1"}
    order = client.post(url, {"side": "SELL", "qty": "2"}, JSON, headers=k1).json()["order_id"]
    client.post(f"/v1/orders/{order}/fill", {"price": "50", "filled_qty": "2", "commission": 0}, JSON)
    shown = client.get(f"/v1/orders/{order}").json()
    assert (shown["status"], shown["filled_qty"], shown["notional"]) == ("filled", "2", "100")
    assert [(part["qty"], part["price"], part["commission"]) for part in shown["executions"]] == [("2", "50", "0")]
    listed = client.get("/v1/orders", {"position_id": str(cell.public_id), "status": "filled"}).json()
    assert [row["order_id"] for row in listed["results"]] == [order]
    assert client.get("/v1/orders", {"side": "BUY"}).json()["results"] == []
