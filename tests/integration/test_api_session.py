"""The session of the README, as it stands."""

import pytest
from django.test import Client

from tests.factories import bearer, make_portfolio, make_position, make_user

pytestmark = pytest.mark.django_db
JSON = "application/json"


def test_a_person_trades_a_symbol_without_history() -> None:
    client = Client(headers=bearer(make_user()))

    created = client.post("/v1/positions", {"ticker": "ZIM", "qty": 0, "cash": 10000}, JSON)
    assert created.status_code == 201
    cell = created.json()
    assert (cell["ticker"], cell["qty"], cell["cash"], cell["price"]) == ("ZIM", "0", "10000", None)
    orders = f"/v1/positions/{cell['id']}/orders"
    k1 = {"Idempotency-Key": "k1"}

    placed = client.post(orders, {"side": "BUY", "qty": 1.5}, JSON, headers=k1)
    assert placed.status_code == 201
    order = placed.json()
    assert order == {"order_id": order["order_id"], "accepted": True, "position_id": cell["id"]}

    again = client.post(orders, {"qty": "1.50", "side": "BUY"}, JSON, headers=k1)
    assert (again.status_code, again.content) == (200, placed.content)

    other = client.post(orders, {"side": "SELL", "qty": 2.0}, JSON, headers=k1)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_signature_mismatch")

    keyless = client.post(orders, {"side": "BUY", "qty": 1.5}, JSON)
    assert (keyless.status_code, keyless.json()["code"]) == (400, "idempotency_key_missing")

    lost = client.post("/v1/positions/unknown/orders", {"side": "BUY", "qty": 1.5}, JSON, headers=k1)
    assert (lost.status_code, lost.json()["code"]) == (404, "position_not_found")

    fill = {"price": 50, "filled_qty": 1.5, "commission": 0.1}
    filled = client.post(f"/v1/orders/{order['order_id']}/fill", fill, JSON)
    assert filled.status_code == 200
    assert filled.json() == {
        "order_id": order["order_id"],
        "status": "filled",
        "position_qty": "1.5",
        "position_cash": "9924.9",
    }

    log = client.get(f"/v1/positions/{cell['id']}/events").json()
    assert (log["position_id"], log["next"]) == (cell["id"], None)
    assert [event["type"] for event in log["events"]] == [
        "position_created",
        "order_intent",
        "order_submitted",
        "order_filled",
        "anchor_updated",
    ]
    assert [event["seq"] for event in log["events"]] == [1, 2, 3, 4, 5]
    assert log == client.get("/v1/events", {"position_id": cell["id"]}).json()


def test_a_session_in_the_browser_needs_its_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user())
    refused = client.post("/v1/positions", {"ticker": "ZIM"}, JSON)
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    client.cookies["csrftoken"] = token = "a" * 32
    assert client.post("/v1/positions", {"ticker": "ZIM"}, JSON, headers={"X-CSRFToken": token}).status_code == 201


def test_the_old_addresses_still_answer_and_name_the_new_ones() -> None:
    client = Client(headers=bearer(make_user()))
    cell = client.post("/v1/positions", {"ticker": "ZIM", "cash": "100"}, JSON).json()["id"]
    old = client.get("/events", {"position_id": cell})
    assert old.json() == client.get("/v1/events", {"position_id": cell}).json()
    assert old["Deprecation"].startswith("@")
    assert old["Link"] == '</v1/events>; rel="successor-version"'
    evaluated = client.post(f"/positions/{cell}/evaluate", {"dry_run": True}, JSON)
    assert evaluated.status_code == 200
    assert evaluated["Link"] == f'</v1/positions/{cell}/evaluate>; rel="successor-version"'


def test_a_cells_old_address_is_its_page_or_its_json() -> None:
    owner = make_user()
    cell = make_position(make_portfolio(owner))
    url, new = f"/positions/{cell.public_id}", f"/v1/positions/{cell.public_id}"
    program = Client(headers=bearer(owner))
    assert program.get(url).json()["id"] == str(cell.public_id)
    assert program.get(url)["Link"] == f'<{new}>; rel="successor-version"'
    browser = Client()
    browser.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    page = browser.get(url, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page["Content-Type"].startswith("text/html")
    assert "Deprecation" not in page
    assert browser.get(url, headers={"Accept": "application/json"}).json()["id"] == str(cell.public_id)
