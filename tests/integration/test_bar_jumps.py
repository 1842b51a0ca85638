"""New bars are looked at beside those recorded: an absurd jump between them is an error with line and column."""

import random
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from dividends.models import Split
from dividends.services.announcements import announce_dividend, announce_split
from dividends.services.corrections import cancel_split
from portfolios.domain.amounts import micros
from tests.bars import DAYS, days, minutes, taken_in, written
from trading.bars.catalogue import stored_bars
from trading.bars.faults import Unfit
from trading.bars.jumps import LEAST, LONG
from trading.bars.models import StoredPart
from trading.market.models import Bar

pytestmark = pytest.mark.django_db
FRIDAY, MONDAY = date(2014, 6, 6), date(2014, 6, 9)
NO_SPLIT = "and no split is known for then"


@pytest.fixture(autouse=True)
def bars_folder(settings, tmp_path: Path) -> Path:
    settings.BARS_FOLDER = tmp_path / "store"
    return settings.BARS_FOLDER


def refused(path: Path, **wishes: object) -> list[str]:
    """What is wrong, once nothing is recorded for it."""
    before = list(Bar.objects.values_list("day", "close")), list(StoredPart.objects.values_list("period", "sha256"))
    with pytest.raises(Unfit) as error:
        taken_in(path, **wishes)
    assert before == (
        list(Bar.objects.values_list("day", "close")),
        list(StoredPart.objects.values_list("period", "sha256")),
    )
    return list(map(str, error.value.faults))


def daily(path: Path, *lines: str) -> Path:
    return written(path / "days.csv", lines, DAYS)


def bar(day: date, price: str) -> str:
    return f"{day},{price},{price},{price},{price},1"


def test_the_first_new_bar_is_compared_with_the_one_recorded_before_it(tmp_path: Path) -> None:
    taken_in(daily(tmp_path, *days(5, price=700)))
    assert refused(daily(tmp_path, *days(3, MONDAY, 100))) == [
        "line 2, open: falls by 86% from the close recorded before, of 2014-06-06, "
        f"as a split of 7 for 1 would move it, {NO_SPLIT}"
    ]
    assert taken_in(daily(tmp_path, *days(3, MONDAY, 600))).new == 3


def test_the_last_new_bar_is_compared_with_the_one_recorded_after_it(tmp_path: Path) -> None:
    taken_in(daily(tmp_path, *days(3, MONDAY, 100)))
    assert refused(daily(tmp_path, *days(5, price=700))) == [
        "line 6, close: the open recorded next, of 2014-06-09, falls by 86% from this close, "
        f"as a split of 7 for 1 would move it, {NO_SPLIT}"
    ]


def test_a_file_that_fills_holes_is_compared_on_each_of_their_sides(tmp_path: Path) -> None:
    recorded = days(9, price=100)
    taken_in(daily(tmp_path, *(recorded[n] for n in (0, 2, 3, 6))))
    faults = refused(daily(tmp_path, *(bar(day_in(recorded[n]), "30") for n in (1, 4, 5, 7))))
    assert [fault.split(":")[0] for fault in faults] == [
        "line 2, close",
        "line 2, open",
        "line 3, open",
        "line 4, close",
        "line 5, open",
    ]


def day_in(line: str) -> date:
    return date.fromisoformat(line.split(",")[0])


def test_minutes_are_compared_across_the_months_files(tmp_path: Path) -> None:
    may = datetime.fromisoformat("2014-05-30T19:58:00+00:00")
    taken_in(written(tmp_path / "a.csv", minutes(2, may, 700)))
    june = datetime.fromisoformat("2014-06-02T13:30:00+00:00")
    (fault,) = refused(written(tmp_path / "b.csv", minutes(3, june, 100)))
    assert fault.startswith("line 2, open: falls by 86% from the close recorded before, of 2014-05-30")
    july = datetime.fromisoformat("2014-07-01T13:30:00+00:00")
    taken_in(written(tmp_path / "c.csv", minutes(2, july, 650)))
    faults = refused(written(tmp_path / "b.csv", minutes(3, june, 100)))
    assert [fault.split(":")[0] for fault in faults] == ["line 2, open", "line 4, close"]
    assert taken_in(written(tmp_path / "b.csv", minutes(3, june, 660))).new == 3
    assert len(stored_bars("IBM", "1min").begins) == 7


@pytest.mark.parametrize("source", ["replay", "alpaca-1min", "yahoo-daily"])
def test_a_split_of_any_source_explains_it_until_a_person_takes_it_back(tmp_path: Path, source: str) -> None:
    taken_in(daily(tmp_path, *days(5, price=700)))
    split = {"symbol": "IBM", "ex_date": MONDAY}
    announce_split(source=source, **split, numerator=7, denominator=1)
    cancel_split(source=source, **split, by="user:eve")
    assert NO_SPLIT in refused(daily(tmp_path, *days(3, MONDAY, 100)))[0]
    announce_split(source="alpaca", **split, numerator=7, denominator=1, by="user:eve")
    assert taken_in(daily(tmp_path, *days(3, MONDAY, 100))).new == 3


def test_a_large_dividend_explains_it_too_and_prices_adjusted_for_it_already_do_not_fit(tmp_path: Path) -> None:
    taken_in(daily(tmp_path, *days(5, price=100)))
    announce_dividend(source="alpaca", symbol="IBM", ex_date=MONDAY, dps=micros("60"))
    assert refused(daily(tmp_path, *days(2, MONDAY, 100))) == [
        "line 2, open: rises by 150% from what the close recorded before, of 2014-06-06 "
        "and the dividend of 2014-06-09 let expect"
    ]
    assert taken_in(daily(tmp_path, *days(2, MONDAY, 40))).new == 2


def test_within_a_file_a_split_it_was_adjusted_for_already_is_named(tmp_path: Path) -> None:
    announce_split(source="replay", symbol="IBM", ex_date=MONDAY, numerator=7, denominator=1)
    assert refused(daily(tmp_path, *days(5, price=100), *days(2, MONDAY, 100))) == [
        "line 7, open: rises by 600% from what the close before and the split of 7 for 1 on 2014-06-09 let expect"
    ]


def test_what_was_taken_for_real_is_not_asked_about_again(tmp_path: Path) -> None:
    first, second = days(5, price=700), days(3, MONDAY, 100)
    taken_in(daily(tmp_path, *first))
    assert taken_in(daily(tmp_path, *second), accept_jumps=True).warnings == ("jumps taken for real: 1",)
    for lines in (first, second):
        again = taken_in(daily(tmp_path, *lines))
        assert (again.new, again.same, again.warnings) == (0, len(lines), ())
    more = taken_in(daily(tmp_path, *second, bar(date(2014, 6, 12), "101")))
    assert (more.new, more.same) == (1, 3)


def test_other_values_that_replace_are_compared_as_new_ones(tmp_path: Path) -> None:
    taken_in(daily(tmp_path, *days(5, price=100)))
    wrong = daily(tmp_path, bar(date(2014, 6, 4), "10"))
    said = refused(wrong, replace=True)
    assert [fault.split(":")[0] for fault in said] == ["line 2, close", "line 2, open"]
    assert taken_in(daily(tmp_path, bar(date(2014, 6, 4), "101")), replace=True).different == 1


def test_what_a_stock_did_in_months_is_no_jump_and_is_told(tmp_path: Path) -> None:
    taken_in(daily(tmp_path, bar(date(2014, 1, 2), "700")))
    near, far = date(2014, 1, 2) + timedelta(days=LONG - 1), date(2014, 1, 2) + timedelta(days=LONG + 1)
    assert len(refused(daily(tmp_path, bar(near, "100")))) == 1
    found = taken_in(daily(tmp_path, bar(far + timedelta(days=1), "100")))
    assert found.warnings == ("far from the bar recorded more than 30 days before or after: 1",)


@pytest.mark.parametrize("seed", range(12))
def test_the_same_jumps_are_found_as_by_looking_at_all_bars_in_turn(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    every = [day_in(line) for line in days(20)]
    prices = {day: chance.choice(["100", "100", "101", "104", "300"]) for day in every}
    recorded = sorted(chance.sample(every, 10))
    given = sorted(chance.sample(every, 6))
    Bar.objects.bulk_create(recorded_bar(day, prices[day]) for day in recorded)
    corrected = {day for day in given if day in recorded and chance.random() < 0.3}
    changed = {day: chance.choice(["100", "320"]) if day in corrected else prices[day] for day in given}
    for day in given:
        if chance.random() < 0.6:
            source = chance.choice(["replay", "alpaca"])
            announce_split(source=source, symbol="IBM", ex_date=day, numerator=1, denominator=3)
    wanted = slowly(recorded, prices, given, changed)
    path = daily(tmp_path, *(bar(day, changed[day]) for day in given))
    said = refused(path, replace=True) if wanted else (taken_in(path, replace=True), [])[1]
    assert sorted({(int(fault.split(",")[0][5:]), fault.split(", ")[1].split(":")[0]) for fault in said}) == wanted


def recorded_bar(day: date, price: str) -> Bar:
    value = micros(price)
    return Bar(symbol="IBM", day=day, open=value, high=value, low=value, close=value, volume=1)


def slowly(recorded: list[date], prices: dict, given: list[date], changed: dict) -> list[tuple[int, str]]:
    """Line and column: the file's own neighbours, and each new bar beside the recorded one next to it."""
    ups = {row.ex_date for row in Split.objects.all()}

    def jumps(before: tuple[date, str], after: tuple[date, str]) -> bool:
        expected = float(before[1]) * 3 ** len([day for day in ups if before[0] < day <= after[0]])
        return not float(LEAST) <= float(after[1]) / expected <= 1 / float(LEAST)

    found = set()
    line = {day: number + 2 for number, day in enumerate(given)}
    for before, after in pairwise(given):
        if jumps((before, changed[before]), (after, changed[after])):
            found.add((line[after], "open"))
    merged = sorted(set(recorded) | set(given))
    value = {day: changed.get(day, prices[day]) for day in merged}
    new = {day for day in given if day not in recorded or changed[day] != prices[day]}
    for before, after in pairwise(merged):
        meets = (before in new) != (after in new) and not (before in line and after in line)
        if meets and jumps((before, value[before]), (after, value[after])):
            found.add((line[after], "open") if after in line else (line[before], "close"))
    return sorted(found)
