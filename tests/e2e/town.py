"""The town a browser looks at: two cells with some months of recorded history, their owner, and a newcomer."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from django.core.management import call_command
from django.db import connection
from playwright.sync_api import Page

from dividends.services.announcements import announce_dividend
from portfolios.domain.amounts import micros
from portfolios.models import Portfolio, Position, User
from portfolios.services.portfolios import create_portfolio
from portfolios.services.positions import create_position
from trading.market import history
from trading.market.models import Bar, MarketClock
from trading.market.services import begin_clock, load_bars
from trading.services.evaluation import evaluate_position
from trading.services.execution import execute_order
from trading.services.replay import next_step, release_step

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
BEGINS, STANDS, ENDS = date(2007, 1, 3), date(2007, 2, 12), date(2007, 4, 30)
PASSWORD = "correct horse battery"


class Town(NamedTuple):
    url: str
    ibm: str
    aapl: str


def build_town() -> tuple[Position, Position]:
    for symbol in ("IBM", "AAPL"):
        load_window(symbol)
    announce_dividend(source="replay", symbol="IBM", ex_date=date(2007, 2, 7), dps=micros("0.3"))
    begin_clock(source="replay", begins_on=BEGINS)
    User.objects.create_user("newcomer", password=PASSWORD)
    portfolio = create_portfolio(owner=User.objects.create_user("ann", password=PASSWORD), name="Blue chips")
    cells = open_cell(portfolio, "IBM", "51"), open_cell(portfolio, "AAPL", "58")
    call_command("feed", "--fast-forward-to", STANDS.isoformat(), stdout=StringIO())
    return cells


def load_window(symbol: str) -> None:
    bars = []
    for bar in history.read_bars(symbol):
        if BEGINS <= bar.session <= ENDS:
            prices = {name: getattr(bar, name) for name in ("open", "high", "low", "close", "volume")}
            bars.append(Bar(symbol=symbol, day=bar.session, **prices))
    load_bars(symbol=symbol, name=f"The {symbol} company", exchange="XNYS", bars=bars)


def open_cell(portfolio: Portfolio, symbol: str, shares: str) -> Position:
    return create_position(
        portfolio_id=portfolio.pk,
        symbol=symbol,
        shares=micros(shares),
        cash=micros("5000"),
        market_at=datetime(2007, 1, 3, 14, 30, tzinfo=UTC),
        opened_on=BEGINS,
        actor="setup",
    )


def walk(*, steps: int) -> None:
    """What feed and worker do together; in a thread, because a test's own transaction is never committed."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(walk_here, steps).result()


def walk_here(steps: int) -> None:
    for _ in range(steps):
        step = next_step(MarketClock.objects.get())
        assert step is not None
        release_step(step)
        for position in Position.objects.all():
            order = evaluate_position(position_id=position.pk).order
            if order:
                execute_order(order_id=order.pk)
    connection.close()


def sign_in(page: Page, town: Town, name: str) -> None:
    page.goto(f"{town.url}/login")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{town.url}/")
