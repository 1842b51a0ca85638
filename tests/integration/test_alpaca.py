"""Our adapter at the fake: each question, each state, each fault of the line."""

from collections.abc import Iterator

import pytest

from portfolios.domain.amounts import MICROS
from portfolios.models import Account
from tests.factories import make_user
from tests.fake_alpaca import broker, fake_alpaca, hold, make_account, request
from trading.brokers.fake_alpaca.server import FakeAlpaca

pytestmark = pytest.mark.django_db


@pytest.fixture
def fake() -> Iterator[FakeAlpaca]:
    with fake_alpaca() as running:
        hold(running, "IBM", "100", "10000", "97.5")
        yield running


@pytest.fixture
def account(fake: FakeAlpaca) -> Account:
    return make_account(make_user(), fake)


def test_an_order_is_sent_and_found_with_its_fills(fake: FakeAlpaca, account: Account) -> None:
    fake.book.habit = ("fill 1", "fill 2 at 98.25")
    asked = request(account)
    assert broker(account).submit(asked).status == "accepted"
    found = broker(account).find(asked)
    assert found
    assert found.status == "filled"
    assert [(fill.quantity, fill.price) for fill in found.fills] == [(MICROS, 97_500_000), (2 * MICROS, 98_250_000)]
    assert broker(account).find(request(account)) is None
