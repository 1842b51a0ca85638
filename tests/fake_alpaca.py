"""A fake Alpaca in a thread, and an account of ours that is wired to it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

from portfolios.domain.amounts import MICROS
from portfolios.models import Account, Position, User
from portfolios.services.accounts import create_account, seal_credentials
from tests.factories import NOON, make_portfolio, make_position
from trading.brokers.alpaca import line
from trading.brokers.alpaca.adapter import AlpacaBroker
from trading.brokers.base import OrderRequest
from trading.brokers.fake_alpaca import KEY, SECRET
from trading.brokers.fake_alpaca.server import FakeAlpaca, running
from trading.domain.choices import Side
from trading.services.connections import connect_portfolio


@contextmanager
def fake_alpaca(**traits: Any) -> Iterator[FakeAlpaca]:
    """Quick: it looks at prices often and hangs for as long as a test can wait."""
    line.paused.clear()
    with running(FakeAlpaca(**({"tick": 0.05, "hang": 1.0} | traits))) as fake:
        yield fake


def make_account(owner: User, fake: FakeAlpaca, **credentials: str) -> Account:
    account = create_account(owner=owner, name="Alpaca", adapter="alpaca", mode="paper", actor="user:test")
    given = {"key": KEY, "secret": SECRET, "base_url": fake.url} | credentials
    return seal_credentials(account_id=account.pk, given=given, actor="user:test")


def make_cell(owner: User, account: Account, **traits: Any) -> Position:
    """A cell whose orders go to the fake; its broker holds what it holds."""
    portfolio = connect_portfolio(portfolio_id=make_portfolio(owner).pk, account_id=account.pk, actor="user:test")
    return make_position(portfolio, **({"anchor": "100"} | traits))


def hold(fake: FakeAlpaca, symbol: str, shares: str, cash: str, price: str) -> None:
    """What the broker has of ours from before, and what a share costs there."""

    def deed() -> None:
        fake.book.held[symbol], fake.book.cash = Decimal(shares), Decimal(cash)
        fake.book.cost[symbol] = fake.book.prices.told[symbol] = Decimal(price)

    fake.do(deed)


def request(account: Account, **traits: Any) -> OrderRequest:
    plain = {
        "order_id": 0,
        "account": account.code,
        "adapter": "alpaca",
        "client_order_id": f"vb-{uuid.uuid4().hex}",
        "symbol": "IBM",
        "side": Side.BUY,
        "quantity": 3 * MICROS,
        "filled_quantity": 0,
        "limit_price": 0,
        "price": 100 * MICROS,
        "slippage": 0,
        "market_at": NOON,
        "sent_before": False,
        "expires_at": NOON + timedelta(hours=4),
    }
    return OrderRequest(**(plain | traits))


def broker(account: Account) -> AlpacaBroker:
    return AlpacaBroker(account.code)
