"""Requests as proxies and clients really send them: through others, and in chunks."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from gunicorn.http.body import Body, ChunkedReader
from gunicorn.http.unreader import IterUnreader

from portfolios.identity.models import Session
from portfolios.models import Position
from tests.factories import bearer, make_position, make_user
from tests.integration.problems import problem
from trading.models import Order
from vbalance.addresses import networks

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]
PASSWORD = "correct horse battery staple"
PROXY, HACKER, ANN = "10.0.0.1", "203.0.113.66", "203.0.113.9"


@pytest.fixture
def behind_a_proxy(settings: LazySettings) -> None:
    settings.TRUSTED_PROXIES = networks(["10.0.0.0/24"])


def through(proxy: str, client: str) -> Client:
    return Client(REMOTE_ADDR=proxy, headers={"X-Forwarded-For": client})


def sign_in(client: Client, password: str = PASSWORD) -> int:
    return client.post("/login", {"username": "ann", "password": password}).status_code


@pytest.mark.usefixtures("behind_a_proxy")
def test_behind_a_proxy_one_guesser_is_locked_out_and_not_the_rest_of_the_world() -> None:
    make_user("ann", password=PASSWORD)
    for _ in range(10):
        sign_in(through(PROXY, HACKER), "wrong")
    assert sign_in(through(PROXY, HACKER)) == 429
    assert sign_in(through(PROXY, f"{ANN}, {HACKER}")) == 429  # a name he wrote before his own
    assert sign_in(through(PROXY, ANN)) == 302
    assert Session.objects.get().address == ANN


@pytest.mark.usefixtures("behind_a_proxy")
def test_a_forged_address_does_not_get_around_the_lockout() -> None:
    make_user("ann", password=PASSWORD)
    for number in range(10):
        sign_in(through(HACKER, f"198.51.100.{number}"), "wrong")
    assert sign_in(through(HACKER, ANN)) == 429


def test_without_trusted_proxies_the_header_is_ignored() -> None:
    make_user("ann", password=PASSWORD)
    assert sign_in(through(PROXY, ANN)) == 302
    assert Session.objects.get().address == PROXY


@pytest.fixture
def cell() -> Position:
    return make_position()


def chunked(cell: Position, wire: Iterator[bytes], **headers: str) -> Any:
    """An order whose body is what gunicorn reads off such a wire."""
    body = Body(ChunkedReader(None, IterUnreader(wire)))
    wsgi = {"wsgi.input": body, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_TYPE": "application/json"}
    named = {"Idempotency-Key": "k"} | bearer(cell.portfolio.owner)
    url = f"/v1/positions/{cell.public_id}/orders"
    return Client().generic("POST", url, headers=named | headers, **wsgi)


def chunks(text: str) -> Iterator[bytes]:
    return iter(
        [b"%x\r\n%s\r\n" % (len(part), part) for part in (text[:9].encode(), text[9:].encode())] + [b"0\r\n\r\n"]
    )


def test_a_body_in_chunks_is_the_body(cell: Position) -> None:
    assert chunked(cell, chunks('{"side": "BUY", "qty": 1.5}')).status_code == 201
    assert Order.objects.get().quantity == 1_500_000


BROKEN = {
    "breaks off inside a chunk": [b'1b\r\n{"side": "BUY"'],
    "breaks off between chunks": [b"2\r\n{}\r\n"],
    "says nothing": [],
    "has no length": [b"xyz\r\n{}\r\n0\r\n\r\n"],
    "has a negative length": [b"-2\r\n{}\r\n0\r\n\r\n"],
    "has no end of chunk": [b"2\r\n{}2\r\n{}\r\n0\r\n\r\n"],
}


@pytest.mark.parametrize("wire", BROKEN.values(), ids=BROKEN)
def test_a_broken_body_is_not_an_empty_one(cell: Position, wire: list[bytes]) -> None:
    assert problem(chunked(cell, iter(wire))) == (400, "bad_request")
    assert not Order.objects.exists()


def test_a_body_in_chunks_may_not_be_larger_than_others(cell: Position) -> None:
    endless = itertools.repeat(b"400\r\n" + b" " * 1024 + b"\r\n")
    assert problem(chunked(cell, endless)) == (413, "body_too_large")


def test_chunks_of_nonsense_are_malformed_json(cell: Position) -> None:
    assert problem(chunked(cell, chunks('{"side": "BUY"'))) == (400, "malformed_json")
    assert problem(chunked(cell, chunks(json.dumps({"side": "BUY"})))) == (422, "invalid_fields")
