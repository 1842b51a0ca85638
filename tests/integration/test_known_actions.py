"""Of what several sources tell of one day one counts: a person's word, then what a feed was told, then the record's."""

from datetime import date
from typing import Any

import pytest

from dividends.models import Dividend
from dividends.selectors import known_actions
from dividends.services.announcements import announce_dividend, announce_split
from dividends.services.corrections import cancel_split, correct_dividend, correct_split
from tests.factories import NOON
from trading.services.corporate_actions import cancel_dividend
from trading.services.told_actions import Told, ToldDividend, ToldSplit, take_actions
from trading.simulation.recorded import recorded_actions

pytestmark = pytest.mark.django_db
DAY = date(2014, 6, 9)
STAFF = "user:eve"


def paid(source: str, dps: int, by: str = "", day: date = DAY, symbol: str = "IBM") -> Dividend:
    return announce_dividend(source=source, symbol=symbol, ex_date=day, dps=dps, by=by)


def key(source: str, **more: Any) -> dict[str, Any]:
    return {"source": source, "symbol": "IBM", "ex_date": DAY, **more}


def amounts() -> list[int]:
    return [row.dps for row in known_actions("IBM")[0]]


def test_one_a_day_however_many_sources_tell_it_and_each_day_its_own() -> None:
    for source in ("replay", "alpaca", "alpaca-daily", "yahoo-1min"):
        paid(source, 5)
        announce_split(**key(source), numerator=7, denominator=1)
    paid("replay", 4, day=date(2014, 3, 9))
    paid("replay", 9, symbol="KO")
    assert amounts() == [4, 5]
    assert [(split.numerator, split.denominator) for split in known_actions("IBM")[1]] == [(7, 1)]


@pytest.mark.parametrize("order", [("replay", "alpaca"), ("alpaca", "replay")])
def test_a_feed_counts_before_the_record_whoever_was_first(order: tuple[str, str]) -> None:
    for source in order:
        paid(source, 1 if source == "replay" else 2)
    assert amounts() == [2]


@pytest.mark.parametrize("source", ["replay", "alpaca"])
def test_a_person_counts_before_all_whichever_source_it_was_told_to(source: str) -> None:
    paid(source, 3, by=STAFF)
    for other in {"replay", "alpaca", "yahoo-daily"} - {source}:
        paid(other, 2)
    assert amounts() == [3]


def test_a_persons_correction_counts_before_a_feed_and_of_two_persons_the_later() -> None:
    paid("replay", 1)
    paid("alpaca", 2)
    correct_dividend(**key("replay"), dps=4, pay_date=None, market_at=NOON, actor=STAFF)
    assert amounts() == [4]
    correct_dividend(**key("alpaca"), dps=6, pay_date=None, market_at=NOON, actor="user:ann")
    assert amounts() == [6]
    correct_dividend(**key("replay"), dps=7, pay_date=None, market_at=NOON, actor=STAFF)
    assert amounts() == [7]


def test_what_a_person_takes_back_is_none_although_others_still_tell_it() -> None:
    paid("replay", 1)
    paid("alpaca", 1)
    announce_split(**key("replay"), numerator=2, denominator=1)
    announce_split(**key("alpaca"), numerator=2, denominator=1)
    cancel_dividend(**key("replay"), market_at=NOON, actor=STAFF)
    cancel_split(**key("replay"), by=STAFF)
    assert known_actions("IBM") == ([], [])
    correct_dividend(**key("alpaca"), dps=2, pay_date=None, market_at=NOON, actor=STAFF)
    correct_split(**key("alpaca"), numerator=3, denominator=1, by=STAFF)
    assert amounts() == [2]
    assert known_actions("IBM")[1][0].numerator == 3


def test_one_taken_back_before_names_were_written_down_is_a_persons_word_too() -> None:
    paid("replay", 1)
    Dividend.objects.update(cancelled_at=NOON)
    paid("alpaca", 1)
    assert amounts() == []


def test_a_file_to_the_record_is_the_record_and_a_feed_that_tells_is_a_feed() -> None:
    told = Told((ToldDividend("IBM", DAY, 1, None),), (ToldSplit("IBM", DAY, 2, 1),))
    take_actions(source="replay", told=told, corrects=False, market_at=NOON, actor="import")
    other = Told((ToldDividend("IBM", DAY, 2, None),), (ToldSplit("IBM", DAY, 3, 1),))
    take_actions(source="alpaca", told=other, corrects=True, market_at=NOON, actor="alpaca")
    dividends, splits = recorded_actions("IBM")
    assert [row.dps for row in dividends] == [2]
    assert [row.numerator for row in splits] == [3]
    assert {row.told_by for row in Dividend.objects.all()} == {"import", "alpaca"}


def test_it_costs_two_queries(django_assert_num_queries) -> None:
    for source in ("replay", "alpaca", "yahoo-daily"):
        for month in range(1, 13):
            paid(source, 1, day=date(2014, month, 9))
    with django_assert_num_queries(2):
        assert len(known_actions("IBM")[0]) == 12
