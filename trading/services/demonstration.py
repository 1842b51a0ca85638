"""The first start: shipped history into the database, a demo portfolio of four cells, and one at a broker."""

import secrets
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from django.db import transaction

from dividends.services.announcements import announce_dividend, announce_split
from portfolios.domain.amounts import MICROS
from portfolios.domain.exact import muldiv_ceil, muldiv_floor
from portfolios.models import Account, Portfolio, Position, User
from portfolios.services.accounts import create_account, readable, seal_credentials
from portfolios.services.portfolios import create_portfolio
from portfolios.services.positions import create_position
from portfolios.services.tokens import create_token
from trading.market import history
from trading.market.calendars import DEFAULT_EXCHANGE, calendar_for
from trading.market.models import Bar
from trading.market.selectors import market_day, market_now, newest_quote
from trading.market.services import begin_clock, load_bars
from trading.services.connections import connect_portfolio
from trading.services.replay import SOURCE

BEGINS_ON = date(2007, 1, 3)
CELL = 10_000 * MICROS


AT_BROKER = "At a fake Alpaca"
TRADED_THERE = ("IBM", "MSFT")


class DemoAccess(NamedTuple):
    """The demo's secrets in clear, shown once."""

    username: str
    password: str
    token: str


def load_history() -> int:
    """Bars, dividends and splits as shipped; how many bars were new. Running it again adds nothing."""
    added = 0
    for shipped in history.SYMBOLS:
        bars = [
            Bar(
                symbol=shipped.symbol,
                day=bar.session,
                open=bar.open,
                high=bar.high,
                low=bar.low,
                close=bar.close,
                volume=bar.volume,
            )
            for bar in history.read_bars(shipped.symbol)
        ]
        added += load_bars(symbol=shipped.symbol, name=shipped.name, exchange=shipped.exchange, bars=bars)
    for dividend in history.read_dividends():
        announce_dividend(source=SOURCE, symbol=dividend.symbol, ex_date=dividend.ex_date, dps=dividend.dps)
    for split in history.read_splits():
        announce_split(source=SOURCE, **split._asdict())
    begin_clock(source=SOURCE, begins_on=BEGINS_ON)
    return added


@transaction.atomic
def create_demo() -> DemoAccess | None:
    """An investor with one portfolio of four cells of $10,000, half stock, half cash; None when he exists."""
    if User.objects.filter(username="demo").exists():
        return None
    password = secrets.token_urlsafe(9)
    user = User.objects.create_superuser("demo", password=password)
    portfolio = create_portfolio(owner=user, name="Blue chips")
    for shipped in history.SYMBOLS:
        open_half_and_half(portfolio, shipped.symbol)
    _, token = create_token(user=user, name="demo", scopes=["read", "simulate", "propose", "trade"], days=365)
    return DemoAccess("demo", password, token)


@transaction.atomic
def create_broker_demo(credentials: Mapping[str, str]) -> dict[str, int]:
    """The demo investor's account at a broker that lives at this address, and a portfolio whose orders go there.

    What its cells hold in micro-shares by symbol, for the broker must hold the same. When it exists only the
    credentials are brought up to date.
    """
    demo = User.objects.get(username="demo")
    account = demo.accounts.filter(name=AT_BROKER).exclude(state=Account.Status.CLOSED).first()
    if account is None:
        account = create_account(owner=demo, name=AT_BROKER, adapter="alpaca", mode="paper", actor="setup")
        portfolio = create_portfolio(owner=demo, name=AT_BROKER)
        connect_portfolio(portfolio_id=portfolio.pk, account_id=account.pk, actor="setup")
        for symbol in TRADED_THERE:
            open_at_market(portfolio, symbol)
    if readable(account) != credentials:
        seal_credentials(account_id=account.pk, given=credentials, actor="setup")
    held = Position.objects.filter(portfolio__account=account).values_list("symbol", "shares")
    return {symbol: int(shares) for symbol, shares in held}


def open_at_market(portfolio: Portfolio, symbol: str) -> None:
    """Half the cell in stock at the newest price of the replayed market."""
    quote = newest_quote(symbol, SOURCE)
    price = quote.last if quote else Bar.objects.get(symbol=symbol, day=BEGINS_ON).open
    shares = muldiv_floor(CELL // 2, MICROS, price)
    create_position(
        portfolio_id=portfolio.pk,
        symbol=symbol,
        shares=shares,
        cash=CELL - muldiv_ceil(shares, price, MICROS),
        market_at=market_now(SOURCE),
        opened_on=market_day(SOURCE),
        actor="setup",
    )


def open_half_and_half(portfolio: Portfolio, symbol: str) -> None:
    """Half the cell in stock at the first open, without commission; the rest stays cash."""
    price = Bar.objects.get(symbol=symbol, day=BEGINS_ON).open
    shares = muldiv_floor(CELL // 2, MICROS, price)
    session = calendar_for(DEFAULT_EXCHANGE).session_on(BEGINS_ON)
    if session is None:
        raise ValueError(f"{BEGINS_ON} is not a session")
    create_position(
        portfolio_id=portfolio.pk,
        symbol=symbol,
        shares=shares,
        cash=CELL - muldiv_ceil(shares, price, MICROS),
        market_at=session.open,
        opened_on=BEGINS_ON,
        actor="setup",
    )
