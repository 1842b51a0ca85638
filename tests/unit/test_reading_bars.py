"""The quick way and the line reader are of one mind about every file: what one takes, the other takes alike."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trading.bars.engine import engine
from trading.bars.faults import Unfit
from trading.bars.staging import STAGED, source_of, stage_by_lines, staged_quickly

NUMBERS = st.one_of(
    st.decimals(0, 2_000_000, places=6).map(lambda value: format(value, "f")),
    st.sampled_from(
        ["100", "0.0001", "1000000", "1000000.1", "0", "-1", "+1", ".5", "5.", "1e2", "1_0", " 1", "", "NaN"]
    ),
    st.sampled_from(["0x1", "1.1234567", "999999999999", "9999999999999", "\u0661", "007", "1,5"]),
)
MOMENTS = st.sampled_from([
    "2014-06-05T09:30:00-04:00", "2014-06-05T13:30:00Z", "2014-06-05 13:30:00+00:00", "2014-06-05T13:30+00:00",
    "2014-06-05T13:30:00", "2014-06-05", "20140605T133000Z", "2014-06-05T24:00:00Z", "2014-06-05T13:30:60Z",
    "2014-06-31T13:30:00Z", "2014-06-05T13:30:00+15:00", "2014-06-05T13:30:00.5Z", "2014-06-05T13:30:00+0000", "now",
    "2014-W23-4T13:30:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+00:00", "1969-12-31T23:59:59Z",
])  # fmt: skip
SESSIONS = st.sampled_from(["regular", "pre", "post", "", " pre", "closed", "Regular"])


@pytest.fixture(scope="module")
def duck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from django.test import override_settings

    with override_settings(BARS_FOLDER=tmp_path_factory.mktemp("bars")), engine() as opened:
        yield opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


def rows_of(duck: Any) -> list[tuple[Any, ...]]:
    return list(duck.execute("SELECT * FROM staged ORDER BY rowid").fetchall())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(MOMENTS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, SESSIONS), min_size=1, max_size=3))
def test_what_the_quick_way_takes_the_line_reader_takes_alike(duck: Any, folder: Path, lines: Any) -> None:
    path = folder / "a.csv"
    text = "\n".join(",".join(f'"{value}"' for value in line) for line in lines)
    path.write_text(f"timestamp,open,high,low,close,volume,session\n{text}\n", encoding="utf-8")
    check(duck, path)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MOMENTS, st.integers(10**4, 10**6), st.integers(0, 10**9))
def test_decent_lines_are_taken_whatever_the_moment(
    duck: Any, folder: Path, moment: str, price: int, volume: int
) -> None:
    path = folder / "b.csv"
    amount = f"{price / 100:.2f}"
    path.write_text(f"timestamp,open,high,low,close,volume\n{moment},{amount},{amount},{amount},{amount},{volume}\n")
    check(duck, path)


def check(duck: Any, path: Path) -> None:
    duck.execute(f"CREATE OR REPLACE TABLE staged ({STAGED})")
    if not staged_quickly(duck, source_of(duck, path), "IBM", 100):
        return
    quick = rows_of(duck)
    duck.execute("DELETE FROM staged")
    try:
        stage_by_lines(duck, path, "IBM", 100)
    except Unfit as error:
        pytest.fail(f"the quick way took what the line reader refuses: {error}")
    assert rows_of(duck) == quick


def test_the_quick_way_takes_a_plain_file(duck: Any, folder: Path) -> None:
    path = folder / "c.csv"
    path.write_text("timestamp,open,high,low,close\n2014-06-05T09:30:00-04:00,1,1.5,0.5,1.000001\n")
    duck.execute(f"CREATE OR REPLACE TABLE staged ({STAGED})")
    assert staged_quickly(duck, source_of(duck, path), "IBM", 100)
    assert rows_of(duck) == [(1_401_975_000, 1_000_000, 1_500_000, 500_000, 1_000_001, 0, None)]
