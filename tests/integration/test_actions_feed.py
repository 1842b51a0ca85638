"""The feed of corporate actions over HTTP on loopback: announced once, corrected, and never half an answer."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from dividends.models import ActionsAnswer, Dividend, Split
from dividends.selectors import answered_listings
from dividends.services.corrections import cancel_split
from dividends.services.splits import apply_split
from portfolios.domain.amounts import micros
from portfolios.models import Position
from tests.factories import make_position
from tests.market import story
from trading.market.services import begin_clock, move_clock
from trading.market.sources.alpaca import Keys
from trading.market.sources.corporate import AlpacaActions
from trading.services.asking_for_actions import ask_for_actions
from trading.services.corporate_actions import correct_dividend
from trading.tasks import check_dividends

pytestmark = pytest.mark.django_db
DAY = date(2007, 1, 4)
AT = datetime(2007, 1, 4, 14, 0, tzinfo=UTC)
PAID = {"symbol": "IBM", "rate": 0.3, "ex_date": "2007-02-07", "payable_date": "2007-03-10"}
SPLIT = {"symbol": "IBM", "new_rate": 1.5, "old_rate": 1, "ex_date": "2007-01-04"}


class Vendor(ThreadingHTTPServer):
    pages: list[Any]
    status = 200
    asked: list[str]


class Door(BaseHTTPRequestHandler):
    server: Vendor

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        page = self.server.pages[int("page_token=1" in self.path)]
        body = page if isinstance(page, bytes) else json.dumps(page).encode()
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        return


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with Vendor(("127.0.0.1", 0), Door) as server:
        server.pages, server.asked = [told()], []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def told(dividends: Any = (PAID,), splits: Any = (SPLIT,), token: str | None = None) -> dict[str, Any]:
    actions = {"cash_dividends": list(dividends), "forward_splits": list(splits)}
    return {"corporate_actions": actions, "next_page_token": token}


def ask(vendor: Vendor, *symbols: str) -> bool:
    feed = AlpacaActions(Keys(f"http://127.0.0.1:{vendor.server_port}", "k", "s"))
    return ask_for_actions(source="alpaca", symbols=symbols or ("IBM",), day=DAY, market_at=AT, feed=feed)


def test_what_it_tells_is_announced_and_it_is_asked_once_a_day(vendor) -> None:
    assert [ask(vendor), ask(vendor)] == [True, True]
    dividend, split = Dividend.objects.get(), Split.objects.get()
    assert (dividend.dps, dividend.pay_date, dividend.pay_date_assumed) == (micros("0.3"), date(2007, 3, 10), False)
    assert (split.numerator, split.denominator) == (3, 2)
    assert len(vendor.asked) == 1
    assert "start=2006-12-28&end=2007-09-06" in vendor.asked[0]


def test_a_dividend_that_is_paid_months_after_its_ex_date_is_told_in_time(vendor) -> None:
    """The vendor lists it under the day it is paid."""
    far = {**PAID, "ex_date": "2007-01-04", "payable_date": "2007-06-29"}
    vendor.pages = [told((far, {**PAID, "ex_date": "2007-05-04", "payable_date": "2007-06-29"}), ())]
    assert ask(vendor)
    assert [(one.ex_date, one.pay_date) for one in Dividend.objects.all()] == [(DAY, date(2007, 6, 29))]


def test_no_actions_is_an_answer_for_the_symbols_asked_about(vendor) -> None:
    vendor.pages = [told((), ())]
    assert ask(vendor, "IBM", "ZIM")
    asked = {(symbol, "alpaca"): DAY for symbol in ("IBM", "ZIM", "KO")}
    assert answered_listings(asked) == {("IBM", "alpaca"), ("ZIM", "alpaca")}


def test_pages_belong_together(vendor) -> None:
    vendor.pages = [told((), token="1"), told(({**PAID, "rate": 0.1}, {**PAID, "rate": 0.2}), ())]
    assert ask(vendor)
    assert (Dividend.objects.get().dps, Split.objects.count()) == (micros("0.3"), 1)


def test_other_terms_correct_the_announcement(vendor) -> None:
    ask(vendor)
    ActionsAnswer.objects.all().delete()
    vendor.pages = [told(({**PAID, "rate": 0.35},))]
    assert ask(vendor)
    assert Dividend.objects.get().dps == micros("0.35")


def test_what_a_person_has_said_stays_whatever_the_feed_tells(vendor) -> None:
    ask(vendor)
    terms = {"ex_date": Dividend.objects.get().ex_date, "dps": micros("0.31"), "pay_date": None}
    correct_dividend(source="alpaca", symbol="IBM", **terms, market_at=AT, actor="user:ann")
    ActionsAnswer.objects.all().delete()
    assert ask(vendor)
    assert Dividend.objects.get().dps == micros("0.31")


@pytest.mark.parametrize(
    "page",
    [
        b"garbage",
        [],
        {},
        {"corporate_actions": []},
        {"corporate_actions": {"cash_dividends": "many"}},
        told(({**PAID, "rate": 0},)),
        told(({**PAID, "rate": "NaN"},)),
        told(({**PAID, "ex_date": "soon"},)),
        told(({**PAID, "payable_date": "2007-01-01"},)),
        told(({**PAID, "symbol": None},)),
        told((), ({**SPLIT, "new_rate": 0},)),
        told((), ({**SPLIT, "new_rate": 1},)),
        told((), ({**SPLIT, "old_rate": -1},)),
        told((), ({**SPLIT, "new_rate": 1.234567},)),
    ],
)
def test_what_cannot_be_read_is_no_answer(vendor, page) -> None:
    vendor.pages = [page]
    assert not ask(vendor)
    assert not ActionsAnswer.objects.exists()
    assert not Dividend.objects.exists()


@pytest.mark.parametrize("status", [302, 401, 429, 500, 504])
def test_a_feed_that_is_silent_has_not_answered(vendor, status) -> None:
    vendor.status = status
    assert not ask(vendor)
    assert not ActionsAnswer.objects.exists()


def test_a_feed_that_contradicts_a_split_that_was_carried_out_has_not_answered(vendor) -> None:
    ask(vendor)
    cell = make_position()
    apply_split(position_id=cell.pk, split=Split.objects.get(), last_close=micros("100"), market_at=AT)
    ActionsAnswer.objects.all().delete()
    vendor.pages = [told(({**PAID, "rate": 9},), ({**SPLIT, "new_rate": 2},))]
    assert not ask(vendor)
    assert (Split.objects.get().numerator, Dividend.objects.get().dps) == (3, micros("0.3"))


def test_the_bell_asks_for_what_is_held_and_splits_it_the_same_minute(vendor, settings) -> None:
    settings.ALPACA_DATA_KEY, settings.ALPACA_DATA_SECRET = "k", "s"
    settings.ALPACA_DATA_URL = f"http://127.0.0.1:{vendor.server_port}"
    cell = make_position(anchor="150")
    Position.objects.filter(pk=cell.pk).update(source="alpaca")
    begin_clock(source="alpaca", begins_on=DAY)
    move_clock(source="alpaca", at=AT, day=DAY, phase="open")
    for _ in range(2):
        check_dividends()
    cell.refresh_from_db()
    assert (cell.shares, cell.anchor) == (micros("150"), micros("100"))
    assert (len(vendor.asked), story(cell)) == (1, ["split"])


def test_what_a_person_took_back_stays_so_and_his_day_has_no_answer_while_the_feed_still_tells_it(vendor) -> None:
    ask(vendor)
    cancel_split(source="alpaca", symbol="IBM", ex_date=DAY)
    ActionsAnswer.objects.all().delete()
    assert not ask(vendor, "IBM", "KO")
    assert Split.objects.get().cancelled_at is not None
    assert [answer.symbol for answer in ActionsAnswer.objects.all()] == ["KO"]
