"""The newest price in the fast store: never an older one over a newer, never a stale one for fresh."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
import redis
from django.db import transaction

from portfolios.domain.amounts import micros
from tests.factories import NOON, make_quote
from trading.market import cache
from trading.market.base import Price
from trading.market.models import Quote
from trading.market.selectors import latest_quote
from trading.market.services import take_prices

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    cache.forget_all()
    yield
    cache.forget_all()


def price(dollars: int, at: datetime = NOON, **more: int) -> Quote:
    return Quote(symbol="IBM", source="made", at=at, last=micros(str(dollars)), received_at=at + SECOND, **more)


def test_it_comes_back_as_it_went_in() -> None:
    quote = price(100, bid=micros("99.99"), ask=micros("100.01"))
    assert cache.remember_newest(quote)
    found = cache.newest("made", "IBM")
    assert found
    for name in ("symbol", "source", "at", "last", "bid", "ask", "received_at"):
        assert getattr(found, name) == getattr(quote, name)
    assert cache.newest("made", "WM") is None
    assert cache.newest("other", "IBM") is None


def test_an_older_one_is_refused_and_a_correction_too_and_the_same_again_is_confirmed() -> None:
    assert cache.remember_newest(price(101, NOON + SECOND))
    assert not cache.remember_newest(price(100))
    assert not cache.remember_newest(price(102, NOON + SECOND))
    assert cache.remember_newest(price(101, NOON + SECOND))
    assert cache.newest("made", "IBM").last == micros("101")  # type: ignore[union-attr]


def test_by_many_at_once_the_newest_stays() -> None:
    moments = list(range(1, 401))
    random.Random(6).shuffle(moments)
    barrier, seen = Barrier(9), []

    def tell(mine: list[int]) -> None:
        barrier.wait()
        for moment in mine:
            cache.remember_newest(price(moment, NOON + moment * SECOND))

    def watch() -> None:
        barrier.wait()
        while not seen or seen[-1] < NOON + 400 * SECOND:
            found = cache.newest("made", "IBM")
            if found:
                assert found.last == micros(str((found.at - NOON) // SECOND))
                seen.append(found.at)

    threads = [Thread(target=tell, args=(moments[place::8],)) for place in range(8)] + [Thread(target=watch)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert seen == sorted(seen)


def test_what_nobody_confirmed_for_a_while_is_not_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.remember_newest(price(100))
    monkeypatch.setattr(cache, "GOOD_FOR", -1)
    assert cache.newest("made", "IBM") is None


@pytest.mark.django_db(transaction=True)
def test_the_table_answers_where_the_store_was_emptied_or_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    make_quote(price="100")
    known = cache.newest("replay", "IBM")
    assert known
    assert (known.last, known.pk) == (micros("100"), None)
    cache.forget_all()
    assert latest_quote("IBM", "replay").pk  # type: ignore[union-attr]

    nowhere = redis.Redis(host="127.0.0.1", port=9, socket_connect_timeout=0.2)
    with monkeypatch.context() as away:
        away.setattr(cache, "store", lambda: nowhere)
        away.setattr(cache, "remembering", lambda: nowhere.register_script(cache.REMEMBER))
        assert latest_quote("IBM", "replay").last == micros("100")  # type: ignore[union-attr]
        assert not cache.remember_newest(price(100))


@pytest.mark.django_db(transaction=True)
def test_a_price_that_was_not_committed_is_not_remembered() -> None:
    with transaction.atomic():
        make_quote(price="100")
        transaction.set_rollback(True)
    assert cache.newest("replay", "IBM") is None
    assert latest_quote("IBM", "replay") is None


@pytest.mark.django_db(transaction=True)
def test_older_market_time_reaches_neither_table_nor_store() -> None:
    make_quote(price="100", at=datetime(2007, 1, 3, 18, tzinfo=UTC))
    take_prices(source="replay", prices=[Price("IBM", NOON, micros("90"), 0, 0)])
    assert latest_quote("IBM", "replay").last == micros("100")  # type: ignore[union-attr]
