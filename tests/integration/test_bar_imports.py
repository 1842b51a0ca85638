"""Bars come in whole or not at all, once however often, and come out as they went in."""

import gzip
import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from dividends.services.announcements import announce_split
from portfolios.errors import Refused
from tests.at_once import at_once
from tests.bars import DAYS, HEADER, OPENING, bar_at, days, minutes, taken_in, written
from trading.bars import folder as store
from trading.bars.catalogue import BarsGone, series_of, stored_bars
from trading.bars.faults import Unfit
from trading.bars.models import StoredPart
from trading.bars.services import Wish, look_over
from trading.market.models import Bar, Instrument
from trading.simulation.recorded import recorded_bars
from trading.tasks.nightly import sweep_bars

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def bars_folder(settings, tmp_path: Path) -> Path:
    settings.BARS_FOLDER = tmp_path / "store"
    return settings.BARS_FOLDER


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def refused(path: Path, symbol: str = "IBM", **wishes: object) -> list[str]:
    with pytest.raises(Unfit) as error:
        taken_in(path, symbol, **wishes)
    assert (StoredPart.objects.count(), Bar.objects.count(), Instrument.objects.count()) == (0, 0, 0)
    return [str(fault) for fault in error.value.faults]


def test_minutes_come_out_as_they_went_in(tmp_path: Path, bars_folder: Path) -> None:
    found = taken_in(written(tmp_path / "a.csv", minutes(3)))
    assert (found.resolution, found.rows, found.new, found.same, found.different) == ("1min", 3, 3, 0, 0)
    stored = stored_bars("IBM", "1min")
    assert stored.begins.tolist() == [int(OPENING.timestamp()) + 60 * n for n in range(3)]
    assert stored.prices.tolist()[1] == [100_010_000, 100_060_000, 99_960_000, 100_010_000]
    assert stored.volumes.tolist() == [100] * 3
    assert stored.market.tolist() == [0] * 3
    assert stored.days.tolist() == [(date(2014, 6, 5) - date(1970, 1, 1)).days] * 3
    assert Instrument.objects.get().symbol == "IBM"
    (part,) = StoredPart.objects.all()
    assert (part.period, part.rows, part.source) == ("2014-06", 3, "a.csv")
    assert [oct(path.stat().st_mode & 0o777) for path in files_in(bars_folder)] == ["0o600"]
    assert {oct(path.stat().st_mode & 0o777) for path in bars_folder.rglob("*") if path.is_dir()} == {"0o700"}


def test_the_simulator_reads_the_same_bars_from_the_store_as_from_the_file(tmp_path: Path) -> None:
    from trading.simulation.bars import read_bars

    path = written(tmp_path / "a.csv", minutes(400))
    taken_in(path)
    ours, files = recorded_bars("IBM", resolution="1min"), read_bars(path)
    for name in ("at", "days", "prices"):
        assert np.array_equal(getattr(ours, name), getattr(files, name)), name
    assert ours.market.tolist() == [0] * 390 + [1] * 10  # the calendar knows where the session ends, the file does not
    assert len(recorded_bars("IBM", date(2014, 6, 6), None, "1min").at) == 0


def test_the_same_file_twice_adds_nothing_and_writes_nothing(tmp_path: Path, bars_folder: Path) -> None:
    path = written(tmp_path / "a.csv", minutes())
    taken_in(path)
    before = [(file.name, file.stat().st_mtime_ns) for file in files_in(bars_folder)]
    again = taken_in(path)
    assert (again.new, again.same, again.different) == (0, 5, 0)
    assert [(file.name, file.stat().st_mtime_ns) for file in files_in(bars_folder)] == before


def test_overlapping_files_make_one_series_with_one_bar_a_time(tmp_path: Path) -> None:
    lines = minutes(30)
    taken_in(written(tmp_path / "b.csv", lines[10:]))
    found = taken_in(written(tmp_path / "a.csv", lines[:20]))
    assert (found.new, found.same) == (10, 10)
    assert stored_bars("IBM", "1min").begins.tolist() == [int(OPENING.timestamp()) + 60 * n for n in range(30)]


def test_only_the_months_that_change_are_written_anew(tmp_path: Path) -> None:
    july = datetime(2014, 7, 1, 13, 30, tzinfo=UTC)
    taken_in(written(tmp_path / "a.csv", minutes(5) + minutes(5, july)))
    before = dict(StoredPart.objects.values_list("period", "file"))
    taken_in(written(tmp_path / "b.csv", minutes(9, july)))
    after = dict(StoredPart.objects.values_list("period", "file"))
    assert set(after) == {"2014-06", "2014-07"}
    assert after["2014-06"] == before["2014-06"]
    assert after["2014-07"] != before["2014-07"]
    assert series_of("IBM", "1min").rows == 14


def test_other_values_for_a_recorded_time_are_refused_unless_they_are_to_replace(tmp_path: Path) -> None:
    taken_in(written(tmp_path / "a.csv", minutes(3)))
    other = written(tmp_path / "b.csv", [*minutes(2), bar_at(OPENING + timedelta(minutes=2), 101)])
    with pytest.raises(Refused) as error:
        taken_in(other)
    assert (error.value.code, error.value.status) == ("bars_differ", 409)
    assert "for 1 bars other values are recorded, the first at 2014-06-05 13:32 UTC" in error.value.message
    assert stored_bars("IBM", "1min").prices[2, 3] == 100_020_000
    found = taken_in(other, replace=True)
    assert (found.new, found.same, found.different) == (0, 2, 1)
    assert stored_bars("IBM", "1min").prices[:, 3].tolist() == [100_000_000, 100_010_000, 101_000_000]


def test_days_go_where_pages_and_replay_read_them(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", days(3), DAYS)
    assert taken_in(path).resolution == "1day"
    assert taken_in(path).same == 3
    assert Bar.objects.values_list("day", "close", "volume").earliest("day") == (date(2014, 6, 2), 100_000_000, 1000)
    dearer = written(tmp_path / "b.csv", [*days(2), days(3)[2].replace("1000", "1001")], DAYS)
    with pytest.raises(Refused, match="other values are recorded"):
        taken_in(dearer)
    taken_in(dearer, replace=True)
    assert list(Bar.objects.order_by("day").values_list("volume", flat=True)) == [1000, 1000, 1001]


def as_gz(path: Path) -> Path:
    zipped = path.with_suffix(".csv.gz")
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    return zipped


def as_parquet(path: Path) -> Path:
    import duckdb

    target = path.with_suffix(".parquet")
    duckdb.sql(
        f"COPY (SELECT timestamp::TIMESTAMPTZ AS timestamp, open::DOUBLE AS open, high::DOUBLE AS high, "
        f"low::DOUBLE AS low, close::DOUBLE AS close, volume::BIGINT AS volume "
        f"FROM read_csv('{path}', all_varchar=true)) TO '{target}' (FORMAT parquet)"
    )
    return target


def with_mark(path: Path) -> Path:
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    return path


def with_carriage_returns(path: Path) -> Path:
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    return path


def loosely(path: Path) -> Path:
    """Right, but only the line reader knows: spaces, quotes, blank lines, other spellings of the same moment."""
    text = path.read_text().replace(",100.00,", ',"100.00",').replace(",100\n", ", 100\n\n")
    path.write_text(text.replace("+00:00", "+0000"))
    return path


@pytest.mark.parametrize("form", [as_gz, as_parquet, with_mark, with_carriage_returns, loosely])
def test_the_same_bars_in_other_forms_are_the_same_bars(tmp_path: Path, form) -> None:
    taken_in(written(tmp_path / "a.csv", minutes(30)))
    found = taken_in(form(written(tmp_path / "b.csv", minutes(30))))
    assert (found.resolution, found.rows, found.same) == ("1min", 30, 30)


GOOD = minutes(3)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([GOOD[0], GOOD[0]], "line 3, timestamp: is given twice"),
        ([GOOD[1], GOOD[0]], "line 3, timestamp: must be later than in the line before"),
        ([GOOD[0], GOOD[1].replace("100.06", "99.98")], "line 3, high, low: must enclose open and close"),
        ([GOOD[0].replace("100.00", "0")], "line 2, open: must be from 0.0001 to 1000000"),
        ([GOOD[0].replace("100.00", "-1")], "line 2, open: must be from 0.0001 to 1000000"),
        ([GOOD[0].replace("100.00", "1e2")], "line 2, open: must be a plain number"),
        ([GOOD[0].replace("100.00", "NaN")], "line 2, open: must be a plain number"),
        ([GOOD[0].replace("100.00", "ten")], "line 2, open: must be a plain number"),
        ([GOOD[0].replace("100.00", "1.1234567")], "line 2, open: must be a plain number"),
        ([GOOD[0].replace("100.00", "")], "line 2, open: is missing"),
        ([GOOD[0].removesuffix(",100") + ",-5"], "line 2, volume: must be a whole number of shares"),
        ([GOOD[0].removesuffix(",100") + ",1.5"], "line 2, volume: must be a whole number of shares"),
        ([GOOD[0].replace("+00:00", "")], "line 2, timestamp: must name its offset from UTC"),
        ([GOOD[0].replace(":00+", ":00.5+")], "line 2, timestamp: must be of whole seconds"),
        ([GOOD[0].replace("2014-06-05", "2014-06-31")], "line 2, timestamp: must be ISO 8601"),
        ([bar_at(datetime(2014, 7, 4, 14, tzinfo=UTC), 100)], "line 2, timestamp: the exchange is closed then"),
        ([bar_at(datetime(2014, 6, 7, 14, tzinfo=UTC), 100)], "line 2, timestamp: the exchange is closed then"),
        ([bar_at(datetime(2014, 6, 5, 3, tzinfo=UTC), 100)], "line 2, timestamp: the exchange is closed then"),
        ([bar_at(datetime(2014, 11, 28, 23, tzinfo=UTC), 100)], "line 2, timestamp: the exchange is closed then"),
        ([bar_at(datetime(1989, 6, 5, 14, tzinfo=UTC), 100)], "line 2, timestamp: no sessions are known before 1990"),
        ([bar_at(datetime(2038, 6, 7, 14, tzinfo=UTC), 100)], "line 2, timestamp: this bar is not over yet"),
        ([bar_at(OPENING + timedelta(seconds=30), 100)], "timestamp: bars begin at full minutes"),
        ([GOOD[0], bar_at(OPENING + timedelta(minutes=1), 14.2)], "line 3, open: falls by 86% from the close before"),
        ([GOOD[0], bar_at(OPENING + timedelta(minutes=1), 1000)], "line 3, open: rises by 900% from the close before"),
        ([GOOD[0], GOOD[1] + ",7"], "line 3, field 7: the header has no column for it"),
        ([], "there is no bar in it"),
    ],
)
def test_what_cannot_be_is_named_by_line_and_column_and_changes_nothing(tmp_path: Path, lines, said: str) -> None:
    (fault,) = refused(written(tmp_path / "a.csv", lines))
    assert fault.startswith(said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2014-07-04,1,1,1,1,1", "line 2, date: the exchange does not trade on 2014-07-04"),
        ("1969-12-27,1,1,1,1,1", "line 2, date: the exchange does not trade on 1969-12-27"),
        ("1985-06-08,1,1,1,1,1", "line 2, date: the exchange does not trade on 1985-06-08"),
        ("2014-02-30,1,1,1,1,1", "line 2, date: must be a date such as"),
        ("2038-06-07,1,1,1,1,1", "line 2, date: the session of 2038-06-07 is not over yet"),
    ],
)
def test_days_are_sessions_that_are_over(tmp_path: Path, line: str, said: str) -> None:
    (fault,) = refused(written(tmp_path / "a.csv", [line], DAYS))
    assert fault.startswith(said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1: the header needs a column timestamp or date"),
        (b"timestamp,open,high,low\n", "line 1: the header needs a column close"),
        (b"date,open,open,high,low,close\n", "line 1, open: the header has this column twice"),
        (DAYS.encode() + b"\n2014-06-02,1,1,1,1,1\n2014-06-03,1,1,1,1,\xff\n", "line 3, byte 20: is not UTF-8"),
        ("date,open,high,low,close\n".encode("utf-16"), "line 1, byte 1: is not UTF-8"),
        (b"\x1f\x8bnonsense", "line 1, byte 2: is not UTF-8"),
        (b"PK\x03\x04zip\x00\xff\xfe", "line 1, byte "),
    ],
)
def test_a_file_that_is_none_is_said_to_be_none(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    (fault,) = refused(path)
    assert fault.startswith(said)


def test_broken_parquet_and_broken_gzip_are_refused(tmp_path: Path) -> None:
    for name in ("a.parquet", "a.csv.gz"):
        path = tmp_path / name
        path.write_bytes(b"PAR1 nothing of the kind PAR1")
        (fault,) = refused(path)
        assert "must be a" in fault


def test_the_first_twenty_errors_are_told(tmp_path: Path) -> None:
    for wrong in ([line.replace("100", "x") for line in minutes(30)], minutes(30)[::-1]):
        said = refused(written(tmp_path / "a.csv", wrong))
        assert len(said) == 20
        assert said == sorted(said, key=lambda fault: int(fault.split(",")[0].split()[1]))


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    lines = [minutes(3)[0], "", minutes(3)[1], "", "", minutes(3)[1]]
    assert refused(written(tmp_path / "a.csv", lines)) == ["line 7, timestamp: is given twice"]


def test_a_known_split_is_no_jump_and_an_unknown_one_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", [*days(2, price=700), *days(2, date(2014, 6, 9))], DAYS)
    assert refused(path) == [
        "line 4, open: falls by 86% from the close before, as a split of 7 for 1 would move it, "
        "and no split is known for then"
    ]
    announce_split(source="replay", symbol="IBM", ex_date=date(2014, 6, 9), numerator=7, denominator=1)
    assert taken_in(path).new == 4


def test_jumps_can_be_said_to_be_real(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", [*days(2, price=700), *days(2, date(2014, 6, 9))], DAYS)
    assert taken_in(path, accept_jumps=True).warnings == ("jumps taken for real: 1",)


def test_the_resolution_is_the_coarsest_that_fits_or_the_one_that_is_said(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", [bar_at(OPENING + timedelta(minutes=5 * n), 100) for n in range(4)])
    assert look_over(Wish(path, "a.csv", "IBM")).resolution == "5min"
    assert look_over(Wish(path, "a.csv", "IBM", "1min")).resolution == "1min"
    assert refused(path, resolution="1hour")[0] == "line 2, timestamp: a bar of 1hour cannot begin then"
    assert "which are not for 1day" in refused(path, resolution="1day")[0]
    with pytest.raises(Refused, match="must be one of"):
        taken_in(path, resolution="2min")


def test_a_file_of_another_symbol_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", [line + ",KO" for line in minutes(2)], HEADER + ",symbol")
    assert refused(path)[0] == "line 2, symbol: must be IBM: a file is imported for one symbol"
    assert taken_in(path, "KO").new == 2


@pytest.mark.parametrize("symbol", ["", "ibm", "../X", "A/B", "I\x00", "A" * 13])
def test_a_symbol_is_one(tmp_path: Path, symbol: str) -> None:
    with pytest.raises(Refused, match="must be a symbol"):
        taken_in(written(tmp_path / "a.csv", minutes(1)), symbol)


def test_too_many_rows_are_refused_by_counting(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", minutes(11))
    assert refused(path, most=10) == ["has more than 10 rows"]
    assert taken_in(path, most=11).new == 11


class PowerCut(Exception):
    pass


@pytest.mark.parametrize("when", ["before the name", "before the catalogue"])
def test_a_crash_half_way_leaves_what_was_and_is_swept(tmp_path: Path, bars_folder, monkeypatch, when: str) -> None:
    """The plug is pulled where the file gets its name, or after that and before the catalogue knows it."""
    taken_in(written(tmp_path / "a.csv", minutes(3)))
    kept = files_in(bars_folder)

    def cut(*_: object, **__: object) -> None:
        raise PowerCut

    target = (Path, "replace") if when == "before the name" else (StoredPart.objects, "update_or_create")
    with monkeypatch.context() as plug:
        plug.setattr(*target, cut)
        with pytest.raises(PowerCut):
            taken_in(written(tmp_path / "b.csv", minutes(9)))
    assert len(stored_bars("IBM", "1min").begins) == 3
    assert set(kept) <= set(files_in(bars_folder))
    long_ago = time.time() - 2 * store.HOUR
    for path in files_in(bars_folder):
        os.utime(path, (long_ago, long_ago))
    assert taken_in(written(tmp_path / "b.csv", minutes(9))).new == 6
    taken_in(written(tmp_path / "c.csv", minutes(10)))
    names = set(StoredPart.objects.values_list("file", flat=True))
    swept = {path.name for path in files_in(bars_folder) if path.stat().st_mtime > long_ago + 1}
    assert names <= swept
    assert kept[0] not in files_in(bars_folder)


def test_the_nightly_sweep_takes_what_nobody_can_be_reading(tmp_path: Path, bars_folder: Path) -> None:
    """An old month, what a killed writer and a killed engine left; the newest month and fresh files stay."""
    taken_in(written(tmp_path / "a.csv", minutes(3)))
    taken_in(written(tmp_path / "b.csv", minutes(9)))
    (draft := bars_folder / "IBM" / "1min" / "work-x").mkdir()
    (draft / "draft").touch()
    (spilt := bars_folder / "work-y").mkdir()
    sweep_bars()
    assert (len(files_in(bars_folder)), spilt.exists()) == (3, True)
    long_ago = time.time() - 25 * store.HOUR
    for path in [*files_in(bars_folder), spilt]:
        os.utime(path, (long_ago, long_ago))
    sweep_bars()
    assert [path.name for path in files_in(bars_folder)] == [StoredPart.objects.get().file]
    assert not spilt.exists()
    assert len(stored_bars("IBM", "1min").begins) == 9


def test_a_file_that_is_gone_is_said_to_be_gone(tmp_path: Path, bars_folder: Path) -> None:
    taken_in(written(tmp_path / "a.csv", minutes(3)))
    for path in files_in(bars_folder):
        path.unlink()
    with pytest.raises(BarsGone, match="import these bars again"):
        stored_bars("IBM", "1min")


@pytest.mark.django_db(transaction=True)
def test_two_importers_of_one_symbol_at_once_lose_nothing(tmp_path: Path) -> None:
    lines = minutes(40)
    paths = [written(tmp_path / f"{n}.csv", lines[10 * n : 10 * n + 10]) for n in range(4)]
    found = at_once(*(lambda path=path: taken_in(path) for path in paths))
    assert [each.new for each in found] == [10] * 4
    assert len(stored_bars("IBM", "1min").begins) == 40
    assert StoredPart.objects.get().rows == 40
