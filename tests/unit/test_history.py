"""The shipped history is complete, consistent, and exactly what the source's adjustment factors say."""

import hashlib
from collections import Counter
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from scripts.make_history import Bar, check_bars, derive_events, price_text, write_history
from trading.market.calendars import calendar_for
from trading.market.history import FOLDER, SYMBOLS, read_bars, read_dividends, read_splits

TICKERS = [shipped.symbol for shipped in SYMBOLS]
EXPECTED_BARS = {"AAPL": 3270, "GOOG": 2148, "IBM": 3270, "MSFT": 3270}


def recorded(session: str, close: str, adj_close: str) -> Bar:
    price = Decimal(close)
    return Bar(session, price, price, price, price, 1000, Decimal(adj_close))


def test_four_blue_chips_are_shipped_from_the_dot_com_bust_to_2013():
    assert {symbol: len(read_bars(symbol)) for symbol in TICKERS} == EXPECTED_BARS
    assert {symbol: read_bars(symbol)[0].session for symbol in TICKERS} == {
        "AAPL": date(2000, 3, 1),
        "GOOG": date(2004, 8, 19),
        "IBM": date(2000, 3, 1),
        "MSFT": date(2000, 3, 1),
    }
    assert {read_bars(symbol)[-1].session for symbol in TICKERS} == {date(2013, 3, 1)}


def test_every_dividend_of_the_period_is_known():
    assert Counter(paid.symbol for paid in read_dividends()) == {"IBM": 52, "MSFT": 37, "AAPL": 3}


def test_microsoft_paid_three_dollars_and_eight_cents_once():
    special = [paid for paid in read_dividends() if paid.dps == 3_080_000]
    assert [(paid.symbol, paid.ex_date) for paid in special] == [("MSFT", date(2004, 11, 15))]


def test_every_dividend_is_a_sum_of_whole_cents():
    assert all(paid.dps > 0 and paid.dps % 10_000 == 0 for paid in read_dividends())


def test_apple_split_twice_and_microsoft_once_two_for_one():
    assert read_splits() == [
        ("AAPL", date(2000, 6, 21), 2, 1),
        ("AAPL", date(2005, 2, 28), 2, 1),
        ("MSFT", date(2003, 2, 18), 2, 1),
    ]


def test_each_split_halves_the_recorded_price():
    for split in read_splits():
        bars = read_bars(split.symbol)
        before, after = next(pair for pair in pairwise(bars) if pair[1].session == split.ex_date)
        assert 0.9 < after.open * split.numerator / (before.close * split.denominator) < 1.1


def test_pay_dates_nobody_knows_are_left_empty():
    lines = (FOLDER / "dividends.csv").read_text().splitlines()
    assert lines[0] == "symbol,ex_date,amount,pay_date"
    assert all(line.endswith(",") for line in lines[1:])


@pytest.mark.parametrize("symbol", TICKERS)
def test_no_session_is_missing_and_none_is_made_up(symbol):
    days = [bar.session for bar in read_bars(symbol)]
    sessions = calendar_for("XNYS").sessions_between(days[0], days[-1])
    assert days == [session.day for session in sessions]


@pytest.mark.parametrize("symbol", TICKERS)
def test_every_price_lies_between_the_low_and_the_high_of_its_day(symbol):
    for bar in read_bars(symbol):
        assert 0 < bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
        assert bar.volume > 0


def test_every_event_falls_on_a_recorded_session():
    sessions = {symbol: {bar.session for bar in read_bars(symbol)} for symbol in TICKERS}
    assert all(event.ex_date in sessions[event.symbol] for event in [*read_dividends(), *read_splits()])


def test_prices_are_read_exactly():
    first = read_bars("AAPL")[0]
    assert first == (date(2000, 3, 1), 118_560_000, 132_060_000, 118_500_000, 130_310_000, 9_616_100)


def test_a_share_that_is_not_shipped_has_no_history():
    with pytest.raises(KeyError):
        read_bars("ZIM")


def test_the_files_are_those_the_checksums_were_taken_of():
    sums = dict(reversed(line.split()) for line in (FOLDER / "SHA256SUMS").read_text().splitlines())
    assert sums == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*.csv")}


def test_the_note_tells_source_licence_and_counts():
    note = (FOLDER / "README.md").read_text()
    assert "bokeh_sampledata" in note
    assert "public domain" in note
    for symbol, count in EXPECTED_BARS.items():
        assert f"| `{symbol}.csv` | {count:,} |" in note


def test_a_dividend_and_a_split_are_read_out_of_the_adjustment_factors():
    """Paid 1.00 at a close of 50, later split 2:1: the factor goes 0.490196.., 0.5, 1."""
    bars = [
        recorded("2001-01-02", "51", "25"),
        recorded("2001-01-03", "50", "25"),
        recorded("2001-01-04", "26", "26"),
        recorded("2001-01-05", "27", "27"),
    ]
    dividends, splits = derive_events(bars)
    assert dividends == [("2001-01-03", Decimal("1.000000"))]
    assert splits == [("2001-01-04", 2)]


def test_a_quiet_factor_is_no_event():
    bars = [recorded("2001-01-02", "50", "25"), recorded("2001-01-03", "60", "30.003")]
    assert derive_events(bars) == ([], [])


def test_a_split_that_is_not_whole_stops_the_script():
    with pytest.raises(ValueError, match="no whole split"):
        derive_events([recorded("2001-01-02", "30", "20"), recorded("2001-01-03", "20", "20")])


def test_a_price_above_its_high_is_refused_not_repaired():
    sound = recorded("2001-01-02", "50", "50")
    with pytest.raises(ValueError, match="contradict"):
        check_bars("IBM", [sound._replace(close=Decimal("50.01"))])
    with pytest.raises(ValueError, match="order"):
        check_bars("IBM", [sound, sound])


def test_prices_are_written_to_the_cent_or_finer_and_never_rounded():
    assert [price_text(Decimal(text)) for text in ("127.0", "130", "14.2675")] == ["127.00", "130.00", "14.2675"]
    with pytest.raises(ValueError, match="six places"):
        price_text(Decimal("0.1234567"))


def test_the_script_writes_bars_events_and_checksums(tmp_path):
    write_history({"IBM": [recorded("2001-01-02", "51", "25"), recorded("2001-01-03", "50", "25")]}, tmp_path)
    written = {path.name: path.read_text().splitlines()[1:] for path in tmp_path.glob("*.csv")}
    assert written == {
        "IBM.csv": ["2001-01-02,51.00,51.00,51.00,51.00,1000", "2001-01-03,50.00,50.00,50.00,50.00,1000"],
        "dividends.csv": ["IBM,2001-01-03,1.00,"],
        "splits.csv": [],
    }
    assert len((tmp_path / "SHA256SUMS").read_text().splitlines()) == 3
