"""A hundred identical requests at once, at the real web server: one order, one answer."""

import http.client
import json
import socket
import threading

import pytest

from tests.factories import bearer, make_portfolio, make_position, make_user
from tests.programs import running, wait_until
from trading.models import Order

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE, ROUNDS = 100, 20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def test_a_hundred_identical_orders_at_once_are_one_order_twenty_times_over() -> None:
    port = free_port()
    with running("web", str(port)):
        wait_until(lambda: answers(port), what="the web")
        for number in range(ROUNDS):
            owner = make_user(f"ann{number}")
            cell = make_position(make_portfolio(owner))
            said = ask_at_once(port, f"/v1/positions/{cell.public_id}/orders", bearer(owner))
            assert sorted(status for status, _ in said) == [200] * (AT_ONCE - 1) + [201]
            assert len({body for _, body in said}) == 1
            assert Order.objects.filter(position=cell).count() == 1


def ask_at_once(port: int, path: str, headers: dict[str, str]) -> list[tuple[int, bytes]]:
    """Status and body of each answer. A wait past the limit of five seconds would be a 409."""
    said: list[tuple[int, bytes]] = []
    start = threading.Barrier(AT_ONCE)
    words = headers | {"Idempotency-Key": "k", "Content-Type": "application/json"}

    def ask() -> None:
        web = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        start.wait(60)
        web.request("POST", path, json.dumps({"side": "BUY", "qty": 1.5}), words)
        answer = web.getresponse()
        said.append((answer.status, answer.read()))
        web.close()

    threads = [threading.Thread(target=ask) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said
