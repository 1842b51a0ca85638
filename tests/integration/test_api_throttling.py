"""Too much is told when to come back; a repeat of what was asked before is not too much."""

import pytest
from django.conf import settings
from django.test import Client

from tests.factories import bearer, make_position

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]
JSON = "application/json"


@pytest.fixture(autouse=True)
def low_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
    monkeypatch.setitem(rates, "read", "5/day")
    monkeypatch.setitem(rates, "write", "2/day")


def test_reads_and_writes_are_counted_apart_and_per_token() -> None:
    owner = make_position().portfolio.owner
    client = Client(headers=bearer(owner, ["read"]))
    assert [client.get("/v1/positions").status_code for _ in range(6)] == [200] * 5 + [429]
    refused = client.get("/v1/positions")
    assert refused.json()["code"] == "too_many_requests"
    assert 1 <= int(refused["Retry-After"]) <= 86_400
    assert Client(headers=bearer(owner)).get("/v1/positions").status_code == 200


def test_a_repeat_under_the_same_key_is_counted_as_a_read() -> None:
    cell = make_position()
    client = Client(headers=bearer(cell.portfolio.owner) | {"Idempotency-Key": "k1"})
    url, order = f"/v1/positions/{cell.public_id}/orders", {"side": "BUY", "qty": 1}
    answers = [client.post(url, order, JSON).status_code for _ in range(5)]
    assert answers == [201, 200, 200, 200, 200]
    others = [client.post(url, order, JSON, headers={"Idempotency-Key": key}).status_code for key in ("k2", "k3")]
    assert others == [409, 429]


def test_a_key_buys_no_way_around_where_keys_mean_nothing() -> None:
    cell = make_position()
    client = Client(headers=bearer(cell.portfolio.owner) | {"Idempotency-Key": "k1"})
    answers = [client.post(f"/v1/positions/{cell.public_id}/tick", {}, JSON).status_code for _ in range(3)]
    assert answers == [200, 200, 429]
