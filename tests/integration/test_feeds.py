"""Live prices are asked for, each once per turn, from the first source that answers, and nothing is made up."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from portfolios.models import Portfolio, Position
from tests.at_once import at_once
from tests.factories import make_position
from tests.fake_alpaca import fake_alpaca
from trading.brokers.fake_alpaca import KEY, SECRET
from trading.market.base import Price, PriceUnavailable, Unreadable
from trading.market.models import PriceRefusal, Quote
from trading.market.sources.alpaca import AlpacaSource, Keys, joined
from trading.market.sources.asking import Asking
from trading.market.sources.yahoo import YahooSource, price_in
from trading.selectors import held_symbols, listings, traded_symbols
from trading.services.polling import claim_turn, take_all

OPEN = datetime(2026, 11, 20, 15, 0, 0, tzinfo=UTC)
FEED = "alpaca-1min"


def follow(position: Position, source: str = FEED) -> Position:
    Position.objects.filter(pk=position.pk).update(source=source)
    Portfolio.objects.filter(pk=position.portfolio_id).update(source=source)
    return Position.objects.get(pk=position.pk)


@pytest.mark.django_db
def test_a_price_of_the_fake_alpaca_is_taken_with_its_own_time_and_sides(settings) -> None:
    with fake_alpaca() as fake:
        fake.do(lambda: fake.book.prices.told.update(IBM=Decimal("97.13")))
        source = AlpacaSource(Keys(fake.url, KEY, SECRET))
        settings.ALPACA_DATA_FEED = "iex"
        first, second = source.newest(["IBM"]), source.newest(["IBM"])
    assert (first[0].last, first[0].bid, first[0].ask, first[0].origin) == (
        97_130_000,
        97_120_000,
        97_140_000,
        "alpaca",
    )
    assert abs(datetime.now(UTC) - first[0].at) < timedelta(seconds=30)
    take_all(first, source="alpaca")
    take_all(second, source="alpaca")
    quote = Quote.objects.get(source="alpaca")
    assert (quote.last, quote.at, quote.origin) == (97_130_000, second[0].at, "alpaca")
    assert (quote.received_at - quote.at).total_seconds() < 30


@pytest.mark.parametrize("keys", [Keys("http://127.0.0.1:9", KEY, SECRET), None])
def test_who_cannot_be_asked_is_unavailable_and_its_words_hold_no_key(settings, keys) -> None:
    settings.ALPACA_DATA_KEY = settings.ALPACA_DATA_SECRET = ""
    with pytest.raises(PriceUnavailable) as told:
        AlpacaSource(keys).newest(["IBM"])
    assert SECRET not in str(told.value)
    assert SECRET not in repr(keys)


def test_wrong_keys_are_no_price() -> None:
    with fake_alpaca() as fake, pytest.raises(PriceUnavailable, match="answered 40"):
        AlpacaSource(Keys(fake.url, KEY, "wrong")).newest(["IBM"])


@pytest.mark.parametrize("value", ["NaN", "abc", None, True, Decimal("Infinity"), [], {}, "1e400"])
def test_what_is_no_number_is_told_as_it_came(value) -> None:
    told = joined("IBM", {"t": "2026-11-20T15:00:00Z", "p": value}, None)
    assert isinstance(told, Unreadable)
    assert (told.symbol, told.at) == ("IBM", OPEN)


def test_a_trade_older_than_the_quote_keeps_its_own_time() -> None:
    quote = {"t": "2026-11-20T15:00:09.123456789Z", "bp": Decimal("99.9"), "ap": Decimal("100.1")}
    told = joined("IBM", {"t": "2026-11-20T15:00:00Z", "p": Decimal("100.00000049")}, quote)
    assert told == Price(
        "IBM", OPEN + timedelta(seconds=9, microseconds=123456), 100_000_000, 99_900_000, 100_100_000, OPEN, "alpaca"
    )
    assert joined("IBM", {"p": 1, "t": "yesterday"}, quote).text == "yesterday"
    assert joined("IBM", None, quote) is None


class Silent:
    name = "silent"

    def __init__(self) -> None:
        self.asked = 0

    def newest(self, _symbols):
        self.asked += 1
        raise PriceUnavailable("nothing")


class Speaks:
    name = "speaks"

    def __init__(self, *known: str) -> None:
        self.known = known

    def newest(self, symbols):
        return [Price(symbol, OPEN, 100, 0, 0, None, self.name) for symbol in symbols if symbol in self.known]


def test_a_source_that_fails_is_tried_again_then_the_next_one_then_it_is_left_alone_for_a_while() -> None:
    now, slept = [0.0], []
    asking, silent = Asking(slept.append, lambda: now[0]), Silent()
    assert [price.origin for price in asking.newest([silent, Speaks("IBM")], ["IBM"])] == ["speaks"]
    assert (silent.asked, len(slept)) == (2, 1)
    asking.newest([silent, Speaks("IBM")], ["IBM"])
    assert silent.asked == 2
    now[0] = 1.1
    asking.newest([silent, Speaks("IBM")], ["IBM"])
    assert silent.asked == 4
    with pytest.raises(PriceUnavailable):
        asking.newest([silent], ["IBM"])


def test_what_one_source_does_not_know_the_next_is_asked_for_and_what_none_knows_is_not_made_up() -> None:
    told = Asking().newest([Speaks("IBM"), Speaks("IBM", "KO")], ["IBM", "KO", "ZIM"])
    assert sorted(price.symbol for price in told) == ["IBM", "KO"]


def test_without_its_library_yahoo_says_which_extra_it_is(monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "yfinance", None)
    with pytest.raises(PriceUnavailable, match="extra named yahoo"):
        YahooSource().newest(["IBM"])


def test_a_close_of_yahoo_is_a_price_at_its_minute_and_nan_is_none() -> None:
    assert price_in("IBM", OPEN, 97.1) == Price("IBM", OPEN, 97_100_000, 0, 0, None, "yahoo")
    assert isinstance(price_in("IBM", OPEN, float("nan")), Unreadable)


@pytest.mark.django_db
def test_what_is_no_price_is_refused_with_its_text() -> None:
    assert take_all([Unreadable("IBM", OPEN, "NaN <b>", "alpaca")], source=FEED, now=OPEN) == []
    row = PriceRefusal.objects.get()
    assert (row.reason, row.last, row.sentence) == ("not_a_number", "NaN <b>", "'NaN <b>' is no price.")


@pytest.mark.django_db
def test_a_symbol_has_one_turn_a_minute_and_none_while_its_exchange_is_closed_or_nobody_holds_it() -> None:
    assert claim_turn(source=FEED, now=OPEN) == []
    cell = follow(make_position())
    assert claim_turn(source=FEED, now=OPEN) == ["IBM"]
    assert claim_turn(source=FEED, now=OPEN + timedelta(seconds=59)) == []
    assert claim_turn(source=FEED, now=OPEN + timedelta(seconds=60)) == ["IBM"]
    assert claim_turn(source=FEED, now=OPEN + timedelta(hours=9)) == []
    assert claim_turn(source=FEED, now=OPEN + timedelta(days=1)) == []
    assert claim_turn(source="alpaca", now=OPEN) == []
    Position.objects.filter(pk=cell.pk).update(state="closed")
    assert claim_turn(source=FEED, now=OPEN + timedelta(minutes=5)) == []


@pytest.mark.django_db
def test_a_streamed_symbol_is_asked_for_only_when_it_is_mute() -> None:
    follow(make_position(), "alpaca")
    assert claim_turn(source="alpaca", now=OPEN) == ["IBM"]
    for second in (1, 2):
        at = OPEN + timedelta(seconds=second)
        take_all([Price("IBM", at, 100_000_000, 0, 0)], source="alpaca", now=at)
    assert claim_turn(source="alpaca", now=OPEN + timedelta(seconds=5)) == []
    assert claim_turn(source="alpaca", now=OPEN + timedelta(seconds=13)) == ["IBM"]


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_share_the_turns_and_take_one_price_once() -> None:
    follow(make_position())
    claimed = at_once(*[lambda: claim_turn(source=FEED, now=OPEN)] * 4)
    assert sorted(map(len, claimed)) == [0, 0, 0, 1]
    first = [Price("IBM", OPEN, 100_000_000, 0, 0)]
    second = [Price("IBM", OPEN + timedelta(seconds=60), 100_000_000, 0, 0)]
    for told in (first, second):
        now = told[0].at + timedelta(seconds=1)
        at_once(*[lambda told=told, now=now: take_all(told, source=FEED, now=now)] * 4)
    assert Quote.objects.filter(source=FEED).count() == 1


@pytest.mark.django_db
def test_what_is_followed_is_found_listing_by_listing_and_costs_one_question(django_assert_num_queries) -> None:
    assert listings() == []
    portfolio = follow(make_position()).portfolio
    for symbol, state in (("IBM", "active"), ("KO", "closed"), ("AAPL", "paused")):
        cell = make_position(portfolio, symbol=symbol)
        Position.objects.filter(pk=cell.pk).update(state=state, source="replay")
    with django_assert_num_queries(1):
        found = listings()
    assert found == [
        ("AAPL", "replay", True),
        ("IBM", FEED, True),
        ("IBM", "replay", True),
        ("KO", "replay", False),
    ]
    assert (held_symbols("replay"), traded_symbols("replay")) == (["AAPL", "IBM"], ["AAPL", "IBM", "KO"])
