"""What tests are set in: people, portfolios, cells and prices, in as few words as possible."""

from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Any

from portfolios.domain.amounts import micros
from portfolios.models import Portfolio, Position, Role, User
from portfolios.services.portfolios import add_member, create_portfolio
from portfolios.services.positions import create_position
from portfolios.services.tokens import create_token
from trading.market.base import Price
from trading.market.models import Quote
from trading.market.services import begin_clock, move_clock, take_prices

FIRST_DAY = date(2007, 1, 3)
NOON = datetime(2007, 1, 3, 17, 0, tzinfo=UTC)


def make_user(name: str = "ann", **traits: Any) -> User:
    """Without a password unless one is given: hashing one takes as long as the rest of a test."""
    return User.objects.create_user(username=name, **traits)


def make_portfolio(owner: User | None = None, name: str = "Savings", **members: str) -> Portfolio:
    """`make_portfolio(ann, bob="viewer")`: bob, made if need be, may look in."""
    portfolio = create_portfolio(owner=owner or make_user(), name=name)
    for username, role in members.items():
        user = User.objects.filter(username=username).first() or make_user(username)
        add_member(portfolio=portfolio, user=user, role=Role(role), actor="user:test")
    return portfolio


def make_position(
    portfolio: Portfolio | None = None,
    *,
    symbol: str = "IBM",
    shares: str = "100",
    cash: str = "10000",
    anchor: str = "0",
    **settings: Any,
) -> Position:
    return create_position(
        portfolio_id=(portfolio or make_portfolio()).pk,
        symbol=symbol,
        shares=micros(shares),
        cash=micros(cash),
        anchor=micros(anchor),
        market_at=NOON,
        opened_on=FIRST_DAY,
        actor="user:test",
        given_settings=settings,
    )


def make_quote(symbol: str = "IBM", price: str = "100", *, at: datetime = NOON, source: str = "replay") -> Quote:
    """A price in an open market whose clock stands at that instant."""
    begin_clock(source=source, begins_on=FIRST_DAY)
    move_clock(source=source, at=at, day=at.date(), phase="open")
    take_prices(source=source, prices=[Price(symbol, at, micros(price), 0, 0)])
    return Quote.objects.get(symbol=symbol, source=source, at=at)


def bearer(user: User, scopes: Collection[str] = ("read", "trade")) -> dict[str, str]:
    """Headers of a request made with a token of this user: `client.get(url, headers=bearer(ann))`."""
    _, secret = create_token(user=user, name="test", scopes=scopes, days=1)
    return {"Authorization": f"Bearer {secret}"}
