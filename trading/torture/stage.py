"""What a run is set in: an account at a faulty broker, a portfolio, its cells, a market of its own."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from portfolios.domain.amounts import MICROS, PPM
from portfolios.models import Account, Portfolio, Position, User
from portfolios.services.positions import create_position
from trading.market.models import MarketClock, Quote

FIRST_DAY, OPENING = date(2007, 1, 3), datetime(2007, 1, 3, 14, 31, tzinfo=UTC)
SYMBOLS = ("IBM", "MSFT", "AAPL")
SETTINGS: dict[str, tuple[Any, ...]] = {
    "sizing": ("anchor_ratio", "proportional", "constant_mix", "fixed_percentage"),
    "order_type": ("market", "limit"),
    "limit_offset_bps": ("0", "20"),
    "fractional": (True, False),
    "commission_bps": ("1", "25"),
    "commission_min": ("0", "1"),
    "min_notional": ("100", "0"),
    "drift_bps": ("20", "500"),
    "max_orders_per_day": ("5", "100"),
    "reanchor_after_skip": (False, True),
    "guardrail_high": ("0.75", "1"),
}
OFTEN = 0.35  # of each setting, to be other than its default
POOR = 0.3


class Stage(NamedTuple):
    account: Account
    portfolio: Portfolio
    cells: list[int]
    symbols: list[str]
    poor: bool


NOWHERE = Stage(Account(), Portfolio(), [], [], poor=False)


def settings_by(chance: Random) -> dict[str, Any]:
    return {name: chance.choice(values) for name, values in SETTINGS.items() if chance.random() < OFTEN}


def set_up(seed: int, owner: User, chance: Random, now: datetime) -> Stage:
    """A cell or up to three, two of them perhaps of one symbol."""
    source = f"torture {seed}"
    account = Account.objects.create(
        owner=owner, name="Torture", code=source, adapter="faulty", mode="paper", reconciled_at=now
    )
    portfolio = Portfolio.objects.create(
        owner=owner,
        name=source,
        source=source,
        account=account,
        paper_slippage=chance.choice((0, 500)),
        approve_first=chance.random() < 0.1,
    )
    MarketClock.objects.create(source=source, begins_on=FIRST_DAY, at=OPENING, day=FIRST_DAY, phase="open")
    symbols = [chance.choice(SYMBOLS) for _ in range(chance.choice((1, 1, 1, 2, 3)))]
    poor = chance.random() < POOR
    cells = [opened(portfolio, symbol, chance, poor) for symbol in symbols]
    return Stage(account, portfolio, cells, sorted(set(symbols)), poor)


def opened(portfolio: Portfolio, symbol: str, chance: Random, poor: bool) -> int:
    """The poor have hardly any cash and want to buy all the same: they live off their dividends."""
    position: Position = create_position(
        portfolio_id=portfolio.pk,
        symbol=symbol,
        shares=(100 if poor else chance.choice((0, 20, 100, 100))) * MICROS,
        cash=(100 if poor else chance.choice((1_000, 10_000, 10_000))) * MICROS,
        anchor=chance.choice((0, 100, 100, 100, 100)) * MICROS,
        market_at=OPENING,
        opened_on=FIRST_DAY,
        actor="user:torture",
        given_settings=settings_by(chance) | ({"guardrail_high": "1", "min_notional": "0"} if poor else {}),
    )
    return position.pk


class Market:
    """One source's clock and prices, moved by hand."""

    def __init__(self, source: str, symbols: list[str]) -> None:
        self.source = source
        self.at = OPENING
        self.prices = dict.fromkeys(symbols, 100 * MICROS)

    def wait(self, step: timedelta) -> None:
        self.at += step
        MarketClock.objects.filter(source=self.source).update(at=self.at, day=self.at.date())

    def next_day(self) -> None:
        """The next weekday, at its opening."""
        days = 3 if self.at.weekday() == 4 else 1
        self.wait(self.at.replace(hour=14, minute=31, second=0, microsecond=0) + timedelta(days=days) - self.at)

    def quote(self, symbol: str, change: int) -> Quote:
        """The price of a symbol moves by so many ppm."""
        price = max(self.prices[symbol] * (PPM + change) // PPM, MICROS)
        self.prices[symbol] = price
        return Quote.objects.create(symbol=symbol, source=self.source, at=self.at, last=price, received_at=self.at)
