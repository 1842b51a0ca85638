"""Bars that people deliver are prices of a feed: at the instant a bar closed, and never dressed as new ones."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from dividends.services.announcements import announce_dividend, announce_split
from portfolios.domain.amounts import micros
from portfolios.domain.settings import merge_settings, rules_from
from portfolios.models import Portfolio, Position
from tests.at_once import at_once
from tests.bars import DAYS, bar_at, days, taken_in, written
from tests.factories import make_position
from tests.market import assert_sound, tick
from trading.bars.live import DailyFiles, HourlyFiles, MinuteFiles
from trading.cards import RELATED
from trading.market.base import Price
from trading.market.calendars import calendar_for
from trading.market.feeds import FEEDS, in_words, missing_for
from trading.market.models import Instrument, PriceRefusal, Quote
from trading.market.services import begin_clock, move_clock
from trading.models import Execution, Order
from trading.services.evaluation import evaluate_position
from trading.services.polling import claim_turn, take_all
from trading.sight import see
from trading.timeline import evaluations

pytestmark = pytest.mark.django_db
RULES = rules_from(merge_settings(), default_buffer=0)
# Wednesday before Thanksgiving 2014; Thursday is a holiday, on Friday the session ends at 13:00.
WEDNESDAY, FRIDAY, MONDAY = date(2014, 11, 26), date(2014, 11, 28), date(2014, 12, 1)


@pytest.fixture(autouse=True)
def bars_folder(settings, tmp_path: Path) -> Path:
    settings.BARS_FOLDER = tmp_path / "store"
    return settings.BARS_FOLDER


def new_york(day: date, clock: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}-05:00").astimezone(UTC)


def follow(source: str, **traits: str) -> Position:
    position = make_position(**traits)
    Position.objects.filter(pk=position.pk).update(source=source)
    Portfolio.objects.filter(pk=position.portfolio_id).update(source=source)
    return Position.objects.get(pk=position.pk)


def minute_bars(path: Path, *lines: tuple[str, float], step: str = "1min", day: date = WEDNESDAY) -> None:
    rows = [bar_at(new_york(day, clock), price) for clock, price in lines]
    taken_in(written(path / "a.csv", rows), resolution=step)


def closes(
    path: Path, count: int = 3, begins: date = date(2014, 11, 24), symbol: str = "IBM", price: int = 100
) -> None:
    taken_in(written(path / "d.csv", days(count, begins, price), DAYS), symbol)


def test_the_newest_closed_minute_is_the_price_at_its_end(tmp_path: Path) -> None:
    minute_bars(tmp_path, ("09:30", 100), ("09:31", 101), ("09:32", 102))
    told = MinuteFiles(new_york(WEDNESDAY, "09:33:30")).newest(["IBM", "KO"])
    assert told == [Price("IBM", new_york(WEDNESDAY, "09:33"), micros("102"), 0, 0, None, "files")]
    assert MinuteFiles(new_york(WEDNESDAY, "09:32:59")).newest(["IBM"])[0].last == micros("101")
    assert HourlyFiles(new_york(WEDNESDAY, "09:33:30")).newest(["IBM"]) == []


def test_bars_of_another_day_and_of_before_the_session_are_no_price_of_today(tmp_path: Path) -> None:
    minute_bars(tmp_path, ("15:59", 100), day=date(2014, 11, 25))
    minute_bars(tmp_path, ("09:28", 101), ("09:29", 101))
    assert MinuteFiles(new_york(WEDNESDAY, "09:30:30")).newest(["IBM"]) == []
    assert MinuteFiles(new_york(date(2014, 11, 27), "10:00")).newest(["IBM"]) == []


def test_an_hour_ends_with_the_session_if_that_is_earlier(tmp_path: Path) -> None:
    minute_bars(tmp_path, ("11:00", 100), ("12:00", 101), step="1hour", day=FRIDAY)
    (told,) = HourlyFiles(new_york(FRIDAY, "13:00")).newest(["IBM"])
    assert (told.at, told.last) == (new_york(FRIDAY, "13:00"), micros("101"))
    Instrument.objects.filter(symbol="IBM").update(exchange="XLON")
    taken_in(written(tmp_path / "a.csv", [bar_at(datetime(2014, 11, 26, 16, tzinfo=UTC), 99)]), resolution="1hour")
    (told,) = HourlyFiles(datetime(2014, 11, 26, 17, tzinfo=UTC)).newest(["IBM"])
    assert (told.at, told.last) == (datetime(2014, 11, 26, 16, 30, tzinfo=UTC), micros("99"))


def test_a_minute_holds_for_two_and_an_hour_for_two_and_then_it_is_refused_as_stale_once(tmp_path: Path) -> None:
    minute_bars(tmp_path, ("09:30", 100), ("09:31", 100.01), ("09:32", 100.02))
    for clock in ("09:31", "09:32"):
        now = new_york(WEDNESDAY, clock)
        take_all(MinuteFiles(now).newest(["IBM"]), source="files-1min", now=now)
    assert [quote.last for quote in Quote.objects.order_by("at")] == [micros("100.01")]  # the second confirms the first
    for late in ("09:35:01", "09:36:01"):
        now = new_york(WEDNESDAY, late)
        assert take_all(MinuteFiles(now).newest(["IBM"]), source="files-1min", now=now) == []
    assert [row.sentence for row in PriceRefusal.objects.filter(reason="stale")] == [
        "It was 121.0 s old when it came, more than 120 s."
    ]


@pytest.mark.parametrize(
    ("session", "holds_until"),
    [
        (date(2014, 11, 25), new_york(WEDNESDAY, "16:00")),
        (WEDNESDAY, new_york(FRIDAY, "13:00")),  # over a holiday, to the end of a half day
        (FRIDAY, new_york(MONDAY, "16:00")),  # over a weekend
        (date(2012, 10, 26), new_york(date(2012, 10, 31), "15:00")),  # over the hurricane; summer time
        (date(2001, 9, 10), new_york(date(2001, 9, 17), "15:00")),  # a week without sessions
    ],
)
def test_a_close_holds_until_the_next_session_has_closed(tmp_path: Path, session: date, holds_until: datetime) -> None:
    closes(tmp_path, 1, session)
    at = calendar_for().session_on(session).close
    Quote.objects.create(symbol="IBM", source="files-daily", at=at, last=micros("100"), received_at=at)
    quote = Quote.objects.get()
    for now, stale in ((holds_until - timedelta(seconds=1), 0), (holds_until + timedelta(seconds=1), 1)):
        assert see(quote, now, RULES).stale == stale
    assert DailyFiles(holds_until).newest(["IBM"])[0].at == at
    Quote.objects.all().delete()
    for now, reason in ((holds_until, "unconfirmed"), (holds_until + timedelta(seconds=1), "stale")):
        take_all(DailyFiles(holds_until).newest(["IBM"]), source="files-daily", now=now)
        assert PriceRefusal.objects.order_by("-pk")[0].reason == reason
    assert (
        PriceRefusal.objects.order_by("-pk")[0].sentence == f"It is the close of {session}; a session has closed since."
    )


def test_a_day_that_is_not_over_has_no_close(tmp_path: Path) -> None:
    closes(tmp_path)
    assert DailyFiles(new_york(WEDNESDAY, "15:59")).newest(["IBM"])[0].at == new_york(date(2014, 11, 25), "16:00")
    assert DailyFiles(new_york(WEDNESDAY, "16:00")).newest(["IBM"])[0].at == new_york(WEDNESDAY, "16:00")
    assert DailyFiles(new_york(WEDNESDAY, "16:00")).newest(["KO"]) == []


def test_a_close_from_before_an_ex_date_is_of_other_shares_and_is_left_out(tmp_path: Path) -> None:
    closes(tmp_path)
    closes(tmp_path, symbol="KO")
    announce_split(source="files-daily", symbol="IBM", ex_date=FRIDAY, numerator=2, denominator=1)
    announce_dividend(source="files-daily", symbol="KO", ex_date=MONDAY, dps=micros("1"))
    asked = {day: DailyFiles(new_york(day, "10:00")).newest(["IBM", "KO"]) for day in (FRIDAY, MONDAY)}
    assert [price.symbol for price in asked[FRIDAY]] == ["KO"]
    assert asked[MONDAY] == []
    taken_in(written(tmp_path / "d.csv", days(1, FRIDAY, 50), DAYS))
    assert [price.symbol for price in DailyFiles(new_york(MONDAY, "10:00")).newest(["IBM", "KO"])] == ["IBM"]


def test_what_was_taken_is_not_taken_again_and_a_bar_that_is_replaced_is_a_correction(tmp_path: Path) -> None:
    closes(tmp_path)
    tuesday, wednesday, friday = (new_york(day, "10:00") for day in (date(2014, 11, 25), WEDNESDAY, FRIDAY))
    for now in (tuesday, wednesday, friday, friday + timedelta(minutes=1)):
        take_all(DailyFiles(now).newest(["IBM"]), source="files-daily", now=now)
    assert Quote.objects.filter(source="files-daily").count() == 2  # Monday's waited for Tuesday's
    taken_in(written(tmp_path / "d.csv", days(1, WEDNESDAY, 101), DAYS), replace=True)
    assert take_all(DailyFiles(friday).newest(["IBM"]), source="files-daily", now=friday) == []
    assert PriceRefusal.objects.get(reason="correction").last == "101"


def test_files_are_looked_at_each_minute_while_the_exchange_is_open() -> None:
    cell = follow("files-daily")
    for source in ("files-daily", "files-hourly", "files-1min"):
        Position.objects.filter(pk=cell.pk).update(source=source)
        now = new_york(WEDNESDAY, "10:00")
        assert claim_turn(source=source, now=now) == ["IBM"]
        assert claim_turn(source=source, now=now + timedelta(seconds=59)) == []
        assert claim_turn(source=source, now=now + timedelta(seconds=60)) == ["IBM"]
        assert claim_turn(source=source, now=new_york(WEDNESDAY, "23:00")) == []


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_has_the_turn() -> None:
    follow("files-daily")
    now = new_york(WEDNESDAY, "10:00")
    got = at_once(*[lambda: claim_turn(source="files-daily", now=now)] * 4)
    assert sorted(map(len, got)) == [0, 0, 0, 1]


def test_a_file_that_is_gone_is_no_price_and_holds_up_nobody(tmp_path: Path, bars_folder: Path) -> None:
    minute_bars(tmp_path, ("09:30", 100))
    rows = [bar_at(new_york(WEDNESDAY, "09:30"), 50)]
    taken_in(written(tmp_path / "a.csv", rows), "KO", resolution="1min")
    next((bars_folder / "IBM" / "1min").glob("*.parquet")).unlink()
    assert [price.symbol for price in MinuteFiles(new_york(WEDNESDAY, "09:31")).newest(["IBM", "KO"])] == ["KO"]


def seen_by(cell: Position, now: datetime, price: str = "97") -> None:
    """The close of Wednesday, and the time it is."""
    begin_clock(source="files-daily", begins_on=WEDNESDAY)
    move_clock(source="files-daily", at=now, day=now.date(), phase="open")
    at = new_york(WEDNESDAY, "16:00")
    Quote.objects.get_or_create(
        symbol=cell.symbol, source="files-daily", at=at, defaults={"last": micros(price), "received_at": now}
    )


def test_a_close_is_acted_on_in_the_next_session_as_of_then() -> None:
    cell = follow("files-daily", anchor="100")
    morning = new_york(FRIDAY, "09:30:05")
    seen_by(cell, morning)
    order = tick(cell)
    assert order is not None
    assert (order.side, order.status, order.market_day) == ("BUY", "filled", FRIDAY)
    assert order.expires_at == new_york(FRIDAY, "13:00")
    assert Execution.objects.get().at == morning
    assert order.decision_price == micros("97")
    assert_sound()
    rows = list(evaluations(Position.objects.select_related(*RELATED).get(pk=cell.pk)))
    assert [(row.phase, row.gate_values["market_closed"], row.sight.stale) for row in rows] == [
        ("regular", "regular", 0)
    ]


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (new_york(date(2014, 11, 27), "12:00"), "market_closed"),  # Thanksgiving
        (new_york(WEDNESDAY, "22:00"), "market_closed"),
        (new_york(FRIDAY, "13:00:01"), "stale_price"),
    ],
)
def test_who_asks_while_the_exchange_is_closed_or_has_closed_since_gets_no_order(now: datetime, reason: str) -> None:
    cell = follow("files-daily", anchor="100")
    seen_by(cell, now)
    found = evaluate_position(position_id=cell.pk, asked_by="user:ann")
    assert found.order is None
    assert found.decision is not None
    assert found.decision.reason.name.lower() == reason


def test_a_proposal_by_a_close_lasts_an_hour_of_the_session_it_is_made_in() -> None:
    cell = follow("files-daily", anchor="100")
    Portfolio.objects.filter(pk=cell.portfolio_id).update(approve_first=True)
    seen_by(cell, new_york(FRIDAY, "12:30"))
    evaluate_position(position_id=cell.pk)
    assert Order.objects.get(status="proposed").expires_at == new_york(FRIDAY, "13:00")


def test_every_feed_of_files_has_its_source(settings) -> None:
    names = [name for name in FEEDS if name.startswith("files-")]
    assert sorted(names) == ["files-1min", "files-daily", "files-hourly"]
    for name in names:
        assert settings.PRICE_SOURCES[name] == settings.LIVE_SOURCES[name]
        assert in_words(name).startswith("Files you import")
        assert missing_for(name) == ""


def test_a_symbol_costs_no_query_of_its_own(tmp_path: Path, django_assert_num_queries) -> None:
    for symbol in ("IBM", "KO", "WM"):
        closes(tmp_path, symbol=symbol)
    with django_assert_num_queries(4):
        assert len(DailyFiles(new_york(FRIDAY, "10:00")).newest(["IBM", "KO", "WM"])) == 3
