"""Instruments are as the broker tells them, but for what a person has said; cells trade by that, at the broker too."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from portfolios.domain.amounts import MICROS
from portfolios.models import Account, Event, Position
from portfolios.services.positions import create_position
from tests.factories import FIRST_DAY, NOON, make_quote, make_user
from tests.fake_alpaca import broker, fake_alpaca, hold, make_account, make_cell
from tests.market import assert_sound, later, tick
from trading.brokers.alpaca.assets import listed
from trading.brokers.base import BrokerSilent
from trading.brokers.fake_alpaca.server import FakeAlpaca
from trading.brokers.models import Ability
from trading.market.models import Instrument
from trading.services import abilities
from trading.services.lots import heed_lots
from trading.services.reconciliation import reconcile_account

pytestmark = pytest.mark.django_db
PLAIN = {"class": "us_equity", "symbol": "IBM", "status": "active", "tradable": True, "fractionable": True}


@pytest.fixture
def fake() -> Iterator[FakeAlpaca]:
    with fake_alpaca() as running:
        hold(running, "IBM", "100", "10000", "97")
        yield running


@pytest.fixture
def cell(fake: FakeAlpaca) -> Position:
    owner = make_user()
    position = make_cell(owner, make_account(owner, fake))
    make_quote("IBM", "97")
    return position


def account_of(cell: Position) -> Account:
    return Account.objects.get(portfolios__positions=cell)


def connect(cell: Position) -> None:
    reconcile_account(account_id=account_of(cell).pk, why="reconnect", patience=0)
    cell.refresh_from_db()


def say(fake: FakeAlpaca, **said: Any) -> None:
    fake.do(lambda: fake.book.assets.said.update(IBM=said))


@pytest.mark.parametrize(
    ("said", "name", "value"),
    [
        ({}, "fractional", True),
        ({"fractionable": False}, "fractional", False),
        ({"fractionable": None}, "fractional", False),
        ({}, "tradable", True),
        ({"tradable": False}, "tradable", False),
        ({"status": "inactive"}, "tradable", False),
        ({"class": "crypto"}, "tradable", False),
        *(({"exchange": word}, "exchange", "XNYS") for word in ("NYSE", "NASDAQ", "ARCA", "NYSEARCA", "AMEX", "BATS")),
        *(({"exchange": word}, "exchange", "") for word in ("OTC", "CRYPTO", "", None, 7)),
        ({"exchange": "NYSE", "class": "crypto"}, "exchange", ""),
        ({}, "currency", "USD"),
        ({"class": "crypto"}, "currency", ""),
        ({"name": " IBM Common Stock "}, "name", "IBM Common Stock"),
        ({"name": "x" * 200}, "name", "x" * 120),
        ({"name": "two\nlines"}, "name", ""),
        ({"name": None}, "name", ""),
        ({"min_trade_increment": "0.001"}, "lot", 1_000),
        ({"min_trade_increment": "1"}, "lot", MICROS),
        *(({"min_trade_increment": odd}, "lot", 0) for odd in ("100", "-1", "0", "NaN", "1e-9", True, None, [], "")),
        ({"price_increment": "0.01"}, "tick", 10_000),
        *(({"price_increment": odd}, "tick", 0) for odd in ("2", "-0.01", "x", {}, False)),
    ],
)
def test_each_word_of_the_vendor_is_read_strictly(said: dict[str, Any], name: str, value: Any) -> None:
    assert getattr(listed("IBM", PLAIN | said), name) == value


@pytest.mark.parametrize("said", [{"symbol": "KO"}, {"symbol": None}, {"tradable": "yes"}, {"tradable": None}])
def test_an_asset_that_is_another_or_makes_no_sense_is_no_answer(said: dict[str, Any]) -> None:
    with pytest.raises(BrokerSilent):
        listed("IBM", PLAIN | said)


def test_an_instrument_nobody_knew_is_filled_from_the_broker(fake: FakeAlpaca, cell: Position) -> None:
    Instrument.objects.all().delete()
    say(fake, exchange="NASDAQ", name="IBM Common", price_increment="0.05", min_trade_increment="0.001")
    connect(cell)
    found = Instrument.objects.get(symbol="IBM")
    assert (found.name, found.exchange, found.currency) == ("IBM Common", "XNYS", "USD")
    assert (found.tick, found.lot, found.tradable, found.fractional) == (50_000, 1_000, True, True)
    assert (found.told_by, found.by_hand) == ("alpaca", [])
    assert found.told["lot"] == 1_000
    assert cell.lot == 1_000


def test_what_a_person_said_stays_and_what_the_broker_says_is_kept_beside_it(fake: FakeAlpaca, cell: Position) -> None:
    mine = {"name": "Big Blue", "fractional": True, "tradable": False, "by_hand": ["fractional", "tradable"]}
    Instrument.objects.update_or_create(symbol="IBM", defaults=mine)
    say(fake, fractionable=False)
    connect(cell)
    found = Instrument.objects.get(symbol="IBM")
    assert (found.name, found.fractional, found.tradable) == ("Big Blue", True, False)
    assert (found.told["fractional"], found.told["tradable"]) == (False, True)
    assert cell.lot == MICROS  # the account cannot, whatever a person says of the share
    Instrument.objects.update(by_hand=["tradable"])
    connect(cell)
    found.refresh_from_db()
    assert (found.fractional, found.tradable) == (False, False)


def test_an_exchange_whose_sessions_have_been_used_stays(fake: FakeAlpaca, cell: Position) -> None:
    Instrument.objects.update_or_create(symbol="IBM", defaults={"exchange": "XLON"})
    connect(cell)
    assert Instrument.objects.get(symbol="IBM").exchange == "XLON"


def test_what_the_broker_does_not_know_is_not_traded_there_and_makes_no_instrument(
    fake: FakeAlpaca, cell: Position
) -> None:
    Instrument.objects.all().delete()
    fake.do(lambda: fake.book.assets.unlisted.add("IBM"))
    connect(cell)
    assert Ability.objects.get().untradable == ["IBM"]
    assert not Instrument.objects.exists()
    assert tick(cell) is None
    said = Event.objects.of(cell).get(type="skipped").content["message"]
    assert said == "No buy at 97: the broker does not trade this symbol at present."


def test_whole_shares_only_are_bought_of_what_the_broker_trades_in_whole_shares(
    fake: FakeAlpaca, cell: Position
) -> None:
    say(fake, fractionable=False)
    connect(cell)
    assert cell.lot == MICROS
    assert tick(cell).quantity == 10 * MICROS
    assert [placed.qty for placed in fake.book.orders.values()] == [10]
    assert [event.type for event in Event.objects.of(cell)][1] == "lot_changed"
    assert_sound()


def test_what_the_broker_stops_trading_is_not_ordered_until_it_trades_it_again(
    fake: FakeAlpaca, cell: Position
) -> None:
    say(fake, tradable=False, status="inactive")
    connect(cell)
    assert tick(cell) is None
    assert fake.book.orders == {}
    said = Event.objects.of(cell).get(type="skipped").content["message"]
    assert said == "No buy at 97: this symbol is not traded at present."
    say(fake)
    connect(cell)
    make_quote("IBM", "97", at=later())
    assert tick(cell).status in ("accepted", "filled")


def test_so_many_symbols_are_asked_about_at_a_time_the_longest_unasked_first(
    fake: FakeAlpaca, cell: Position, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(abilities, "MOST", 2)
    for symbol in ("KO", "MSFT", "WM"):
        create_position(
            portfolio_id=cell.portfolio_id,
            symbol=symbol,
            shares=0,
            cash=0,
            market_at=NOON,
            opened_on=FIRST_DAY,
            actor="user:test",
        )
    fake.do(lambda: fake.book.assets.whole.update({"IBM", "WM"}))
    account = account_of(cell)
    asked = fake.asked

    def probe() -> list[str]:
        del asked[:]
        abilities.probe(account, broker(account), anew=False)
        return [line.rpartition("/")[2] for line in asked if "/v2/assets/" in line]

    assert probe() == ["IBM", "KO"]
    assert probe() == ["MSFT", "WM"]
    assert probe() == []
    assert Ability.objects.get().whole_only == ["IBM", "WM"]
    long_ago = (timezone.now() - timedelta(hours=2)).isoformat()
    Ability.objects.update(asked=Ability.objects.get().asked | {"KO": long_ago})
    assert probe() == ["KO"]
    assert Ability.objects.get().whole_only == ["IBM", "WM"]


def test_nothing_is_asked_of_a_book_of_our_own(cell: Position) -> None:
    account = Account.objects.filter(adapter="paper").first()
    if account:
        abilities.probe(account, broker(account), anew=True)
        assert not Ability.objects.filter(account=account.code).exists()
    assert heed_lots() == 0
