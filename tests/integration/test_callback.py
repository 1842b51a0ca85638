"""The door of brokers: what is genuine is kept and told of, all else gets one answer and leaves nothing."""

import random
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from portfolios.models import Account
from portfolios.services.accounts import rotate_webhook_secret
from tests.deliveries import AT, JSON, NEW, OLD, URL, deliver, filled, give_secrets, signed, told
from tests.factories import make_portfolio, make_user
from tests.fake_broker import FAKE, VENUE
from tests.integration.problems import problem
from tests.integration.test_inbox import resting_order
from tests.market import assert_sound, make_fallen_cell
from tests.unit.test_signatures import forged
from trading.domain.signatures import Delivery, key_of, signature
from trading.models import Execution, InboxMessage, Order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]
REFUSED = (401, "invalid_signature")
HEARTBEAT = f'{{"type": "heartbeat", "timestamp": "{AT}"}}'


@pytest.fixture
def order(settings) -> Order:
    settings.BROKERS = FAKE
    VENUE.open_again("rests")
    order = resting_order(make_fallen_cell())
    give_secrets(order.position.portfolio.account, NEW, OLD)
    return order


@pytest.fixture
def account(order: Order) -> Account:
    return order.position.portfolio.account


def send(query: str, body: bytes | str, headers: dict[str, str], content_type: str = JSON) -> HttpResponse:
    return Client(raise_request_exception=False).post(f"{URL}?{query}", body, content_type, headers=headers)


def answer(response: HttpResponse) -> tuple[int, str, bool]:
    told = response.json()
    assert InboxMessage.objects.filter(public_id=told["message_id"]).exists()
    return response.status_code, told["status"], told["duplicate"]


def test_a_fill_is_booked_and_told_so_and_the_second_delivery_does_nothing(order: Order, account: Account) -> None:
    body = filled(order, "x1", "4", "97")
    assert answer(deliver(account, body)) == (200, "processed", False)
    assert answer(deliver(account, body)) == (200, "processed", True)
    assert answer(deliver(account, body, secret=OLD)) == (200, "processed", True)
    assert (Execution.objects.count(), InboxMessage.objects.get().body) == (1, body)
    assert_sound()


def test_a_secret_opens_until_the_second_after_it_was_made(account: Account) -> None:
    first, second = (rotate_webhook_secret(account_id=account.pk, actor="user:ann") for _ in range(2))
    assert [deliver(account, HEARTBEAT, one[-3:], secret=one).status_code for one in (first, second)] == [200, 200]
    third = rotate_webhook_secret(account_id=account.pk, actor="user:ann")
    answers = [deliver(account, HEARTBEAT, "m1", secret=one).status_code for one in (first, second, third)]
    assert answers == [401, 200, 200]


def test_what_cannot_be_booked_is_kept_and_told_so(order: Order, account: Account) -> None:
    unknown = told("execution.busted", order, replaces="x9")
    assert answer(deliver(account, unknown, "m1")) == (202, "parked", False)
    assert answer(deliver(account, unknown, "m1")) == (200, "parked", True)
    assert answer(deliver(account, told("order.greeted", order), "m2")) == (202, "parked", False)
    assert answer(deliver(account, "no JSON", "m3")) == (202, "refused", False)


def test_an_order_of_another_account_is_parked(order: Order) -> None:
    other = give_secrets(make_portfolio(make_user("bob")).account, NEW)
    assert answer(deliver(other, filled(order, "x1", "4", "97"))) == (202, "parked", False)
    assert not Execution.objects.exists()


def test_the_same_id_with_another_body_is_a_conflict(order: Order, account: Account) -> None:
    deliver(account, filled(order, "x1", "4", "97"))
    assert problem(deliver(account, filled(order, "x1", "5", "97"))) == (409, "delivery_id_reused")
    assert (InboxMessage.objects.count(), Execution.objects.count()) == (1, 1)


def test_the_old_address_answers_and_names_the_new_one(order: Order, account: Account) -> None:
    response = deliver(account, filled(order, "x1", "4", "97"), url="/orders/callback")
    assert answer(response) == (200, "processed", False)
    assert response["Deprecation"]
    assert response["Link"] == '</v1/orders/callback>; rel="successor-version"'


BODIES: list[tuple[bytes | str, dict[str, Any], str | None, int, str]] = [
    (HEARTBEAT, {"webhook-id": None}, None, *REFUSED),
    (HEARTBEAT, {"webhook-timestamp": None}, None, *REFUSED),
    (HEARTBEAT, {"webhook-signature": None}, None, *REFUSED),
    (HEARTBEAT, {"webhook-id": ""}, None, *REFUSED),
    (HEARTBEAT, {"webhook-id": "msg.1"}, None, *REFUSED),
    (HEARTBEAT, {"webhook-id": "msg_1é"}, None, *REFUSED),
    (HEARTBEAT, {"webhook-id": "x" * 161}, None, *REFUSED),
    (HEARTBEAT, {"webhook-timestamp": "soon"}, None, *REFUSED),
    (HEARTBEAT, {"webhook-timestamp": "1"}, None, *REFUSED),
    (HEARTBEAT, {"webhook-timestamp": "9" * 500}, None, *REFUSED),
    (HEARTBEAT, {"webhook-timestamp": "-1"}, None, *REFUSED),
    (HEARTBEAT, {"webhook-signature": "v1,"}, None, *REFUSED),
    (HEARTBEAT, {"webhook-signature": "v1"}, None, *REFUSED),
    (HEARTBEAT, {"webhook-signature": "v1a,AAAA"}, None, *REFUSED),
    (HEARTBEAT, {"webhook-signature": "ö,ö"}, None, *REFUSED),
    (HEARTBEAT, {}, "", *REFUSED),
    (HEARTBEAT, {}, "account=", *REFUSED),
    (HEARTBEAT, {}, "account=1", *REFUSED),
    (HEARTBEAT, {}, "account=%00", *REFUSED),
    (HEARTBEAT, {}, "account=%ff%fe", *REFUSED),
    (HEARTBEAT, {}, "account=00000000-0000-4000-8000-000000000000", *REFUSED),
    (HEARTBEAT, {}, "account={ours}&account={ours}", *REFUSED),
    (HEARTBEAT, {}, "account={ours}&more=1", *REFUSED),
    (HEARTBEAT, {}, "account={ours}&format=xml", *REFUSED),
    (HEARTBEAT, {}, "account=%7B{ours}%7D", *REFUSED),
    (HEARTBEAT, {"Accept": "text/html"}, None, 200, ""),
    (HEARTBEAT, {"Authorization": "Bearer nonsense"}, None, 200, ""),
    (b"\xff\xfe", {}, None, *REFUSED),
    (b'{"a": "\x00"}', {}, None, *REFUSED),
    ("x" * 65_537, {}, None, 413, "body_too_large"),
    ("x" * 65_536, {}, None, 202, ""),
    ("", {}, None, 202, ""),
    ("[" * 60_000, {}, None, 202, ""),
    ('{"type": "heartbeat", "timestamp": "now"}', {}, None, 202, ""),
]


@pytest.mark.parametrize(("body", "headers", "query", "status", "code"), BODIES)
def test_whatever_is_sent_has_its_answer(
    account: Account, body: bytes | str, headers: dict[str, Any], query: str | None, status: int, code: str
) -> None:
    """Signed as it came, where bytes can be signed at all; then one thing is changed."""
    genuine = signed(body if isinstance(body, str) else body.decode("latin-1"))
    sent = {name: value for name, value in (genuine | headers).items() if value is not None}
    asked = f"account={account.public_id}" if query is None else query.format(ours=account.public_id)
    response = send(asked, body, sent)
    if code:
        assert problem(response) == (status, code)
        assert not InboxMessage.objects.exists()
    else:
        assert answer(response)[0] == status


def test_bytes_that_are_no_text_are_refused_however_well_signed(account: Account) -> None:
    """The reference signs text only; a broker may sign any bytes."""
    for body in (b"\xff\xfe{}", b'{"a": "\x00"}'):
        headers = signed("")
        delivery = Delivery(body, headers["webhook-id"], headers["webhook-timestamp"], "")
        headers["webhook-signature"] = signature(key_of(NEW), delivery).decode()
        assert problem(send(f"account={account.public_id}", body, headers)) == REFUSED


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "é"]
)
def test_the_body_is_what_was_signed_whatever_it_is_called(order: Order, account: Account, content_type: str) -> None:
    body = filled(order, "x1", "4", "97")
    assert send(f"account={account.public_id}", body, signed(body), content_type).status_code == 200


def test_every_refusal_reads_the_same(order: Order, account: Account) -> None:
    """No account, no secret, a stale time or a wrong signature: nobody learns which."""
    bare = make_portfolio(make_user("bob")).account
    lost = make_portfolio(make_user("cid")).account
    Account.objects.filter(pk=lost.pk).update(sealed="not ours to read")
    answers = [
        deliver(bare, HEARTBEAT),
        deliver(lost, HEARTBEAT),
        deliver(account, HEARTBEAT, seconds=-900),
        deliver(account, HEARTBEAT, secret="whsec_" + "A" * 32),
        send("account=00000000-0000-4000-8000-000000000000", HEARTBEAT, signed(HEARTBEAT)),
        send("", HEARTBEAT, {}),
    ]
    assert {response.content for response in answers} == {answers[0].content}
    assert problem(answers[0]) == REFUSED
    assert not InboxMessage.objects.exists()


def test_none_of_five_hundred_forgeries_enters(order: Order, account: Account) -> None:
    chance, body, statuses = random.Random(5), filled(order, "x1", "4", "97"), []
    genuine = Delivery(body.encode(), *signed(body).values())
    while len(statuses) < 500:
        forgery = as_servers_read(forged(genuine, chance))
        if forgery != genuine:
            headers = dict(zip(signed(""), forgery[1:], strict=True))
            statuses.append(send(f"account={account.public_id}", forgery.body, headers).status_code)
    assert set(statuses) == {401}
    assert not InboxMessage.objects.exists()


def as_servers_read(delivery: Delivery) -> Delivery:
    """Headers are one line each, with nothing around it."""
    lines = (value.replace("\r", "").replace("\n", "").strip() for value in delivery[1:])
    return Delivery(delivery.body, *lines)


def test_nobody_uses_up_what_is_anothers(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "delivery", "2/min")
    address = f"{URL}?account={account.public_id}"
    flood = [Client(REMOTE_ADDR="192.0.2.1").post(address, "x", JSON).status_code for _ in range(4)]
    assert flood == [401, 401, 429, 429]
    assert deliver(account, HEARTBEAT).status_code == 200


def test_a_delivery_costs_a_bounded_number_of_statements(order, account, django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(45):
        deliver(account, filled(order, "x1", "4", "97"))
    with django_assert_max_num_queries(8):
        deliver(account, filled(order, "x1", "4", "97"))
    with django_assert_max_num_queries(1):
        deliver(account, HEARTBEAT, secret="whsec_" + "A" * 32)
