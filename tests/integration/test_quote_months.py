"""Old months of quotes lie in files: read as if there were no border, and lost or doubled by no crash."""

from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.migrations.exceptions import IrreversibleError
from django.test.utils import CaptureQueriesContext

from portfolios.domain.amounts import micros
from portfolios.models import Position
from portfolios.services.guards import grant_role
from reporting.metrics import facts
from reporting.metrics.running import Running
from tests.factories import make_position, make_quote
from tests.market import tick
from trading.cards import RELATED
from trading.market.base import Price
from trading.market.models import Quote, StoredQuotes
from trading.market.selectors import newest_quote
from trading.market.services import take_prices
from trading.past import past_of
from trading.quotes import moving
from trading.quotes.files import source_folder
from trading.quotes.months import make_month, make_months
from trading.quotes.moving import Changed, bring_back, move_month, move_old_months
from trading.quotes.reading import moment_before, newest_until, quote_at, quotes_between
from trading.simulation.own_quotes import quotes_since
from trading.tasks import nightly
from trading.timeline import evaluations
from trading.timeline.pages import Place, Span, rows_before
from vbalance.celery import app
from vbalance.schedule import BEAT_SCHEDULE

MONTHS = import_module("trading.market.migrations.0002_quote_months")
BEGINS = datetime(2007, 1, 3, 17, 0, tzinfo=UTC)
STEP = timedelta(days=7)
OLD = [date(2007, month, 1) for month in (1, 2, 3, 4)]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.QUOTES_FOLDER = tmp_path / "quotes"
    settings.BARS_FOLDER = tmp_path / "bars"
    return tmp_path / "quotes"


@pytest.fixture(autouse=True)
def no_months() -> Any:
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'market_quote'::regclass")
        for (name,) in cursor.fetchall():
            if name != "market_quote_default":
                cursor.execute(f"DROP TABLE {name}")


@pytest.fixture
def cell() -> Position:
    """A cell that saw a price a week from January to August, and traded."""
    cell = make_position(anchor="100")
    for week in range(33):
        make_quote(price=str([100, 97, 99, 104, 101][week % 5]), at=BEGINS + week * STEP)
        tick(cell)
    make_quote("WM", "30", at=BEGINS + STEP / 2 + 33 * STEP)
    return Position.objects.select_related(*RELATED).get(pk=cell.pk)


def everything(cell: Position) -> dict[str, Any]:
    """What every reader of old prices says."""
    quotes = list(quotes_between("IBM", "replay"))
    middle = BEGINS + 10 * STEP
    span = Span(cell, None, None, trades_only=False)
    rows = list(evaluations(cell))
    told = StringIO()
    call_command("replay", "--position", str(cell.public_id), stdout=told)
    return {
        "quotes": [values_of(quote) for quote in quotes],
        "some": [values_of(quote) for quote in quotes_between("IBM", "replay", middle, middle + 9 * STEP)],
        "at": [values_of(quote_at("IBM", "replay", quote.at)) for quote in quotes[::5]],
        "until": [values_of(newest_until("IBM", "replay", quote.at + STEP / 3)) for quote in quotes[::5]],
        "before": [moment_before("IBM", "replay", quotes[-1].at, reach) for reach in (1, 5, 20, 32, 33)],
        "rows": [(row.id, row.inputs, row.outputs) for row in rows],
        "page": [row.id for _, row in rows_before(span, Place(rows[-1].at, 0), 30)],
        "columns": [column.tolist() for column in quotes_since(cell, BEGINS)],
        "replay": told.getvalue(),
        "past": past_of(cell, middle).sight,
        "newest": values_of(newest_quote("IBM", "replay")),
    }


def values_of(quote: Quote | None) -> tuple[Any, ...]:
    assert quote
    return tuple(getattr(quote, field.attname) for field in Quote._meta.concrete_fields)


@pytest.mark.parametrize("parted", [False, True])
def test_every_reader_says_the_same_before_and_after_the_move(cell: Position, parted: bool) -> None:
    for month in OLD[::2] if parted else ():
        assert make_month(month)
        assert not make_month(month)
    before = everything(cell)
    assert move_old_months() == [date(2007, month, 1) for month in (1, 2, 3, 4)]
    assert set(Quote.objects.dates("at", "month")) == {date(2007, month, 1) for month in (5, 6, 7, 8)}
    assert everything(cell) == before
    assert move_old_months() == []
    assert sum(bring_back(part) for part in StoredQuotes.objects.all()) == 17
    assert not StoredQuotes.objects.exists()
    assert everything(cell) == before


def test_totals_see_the_same_prices_wherever_they_lie_and_ask_once(cell: Position) -> None:
    others = [make_position(cell.portfolio, symbol=symbol) for symbol in ("WM", "A", "B", "C")]
    weeks = [-1, 0, 0.5, 3.8, 9, 16.5, 17, 17.5, 33]
    for other in others[1:]:
        make_quote(other.symbol, "7", at=BEGINS)
        make_quote(other.symbol, "8", at=BEGINS + 34 * STEP)
    before = [totals_see([cell, *others], week) for week in weeks]
    assert {asked for _, asked in before} == {1}
    assert move_old_months() == OLD
    after = [totals_see([cell, *others], week) for week in weeks]
    assert [seen for seen, _ in after] == [seen for seen, _ in before]
    assert {asked for _, asked in after} == {2}


def totals_see(cells: list[Position], week: float) -> tuple[list[Any], int]:
    """The prices that cells opened in that week are reckoned with, and how many queries told them."""
    starts = {cell.pk: Running(at=int((BEGINS + week * STEP).timestamp() * 1000)) for cell in cells}
    nothing: dict[Any, Any] = {cell.public_id: [] for cell in cells}
    with CaptureQueriesContext(connection) as captured:
        found = facts.quotes_since(cells, starts, nothing, BEGINS + 40 * STEP)
    seen = [facts.quotes_for(starts[cell.pk], [], found[facts.listing_of(cell)]) for cell in cells]
    return seen, len(captured)


def test_a_price_that_comes_late_joins_its_month(cell: Position) -> None:
    move_old_months()
    late = BEGINS + STEP / 2
    Quote.objects.create(symbol="IBM", source="replay", at=late, last=micros("98"), received_at=late)
    before = [values_of(quote) for quote in quotes_between("IBM", "replay")]
    assert len(before) == 34
    assert move_old_months() == [date(2007, 1, 1)]
    assert [values_of(quote) for quote in quotes_between("IBM", "replay")] == before
    assert not Quote.objects.filter(at=late).exists()


def test_the_newest_of_a_symbol_long_silent_stays_in_the_table(cell: Position) -> None:
    make_month(OLD[0])
    Quote.objects.create(symbol="OLD", source="replay", at=BEGINS, last=micros("5"), received_at=BEGINS)
    move_old_months()
    assert newest_quote("OLD", "replay").last == micros("5")  # type: ignore[union-attr]
    assert [quote.last for quote in quotes_between("OLD", "replay")] == [micros("5")]
    assert move_old_months() == []


@pytest.mark.parametrize("step", ["copy_out", "write_file", "kept", "sum_of", "enlist", "take_out"])
def test_a_death_at_any_step_loses_nothing_and_doubles_nothing(
    cell: Position, step: str, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    make_month(OLD[1])
    before = everything(cell)
    real = getattr(moving, step)

    def dying(*given: Any) -> None:
        real(*given)
        raise ZeroDivisionError

    with monkeypatch.context() as here:
        here.setattr(moving, step, dying)
        with pytest.raises(ZeroDivisionError):
            move_month(OLD[1], ["replay"])
    assert not StoredQuotes.objects.exists()
    assert Quote.objects.filter(symbol="IBM").count() == 33
    assert everything(cell) == before
    assert move_old_months() == OLD
    assert everything(cell) == before
    moving.swept(source_folder("replay"), set(StoredQuotes.objects.values_list("file", flat=True)), older_than=0)
    assert len([path for path in (folder / "replay").iterdir() if path.is_file()]) == 4


def test_a_price_written_while_the_file_is_made_stops_the_move(cell: Position, monkeypatch: pytest.MonkeyPatch) -> None:
    real, late = moving.copy_out, BEGINS + STEP / 2

    def interrupted(*given: Any) -> None:
        real(*given)
        Quote.objects.create(symbol="IBM", source="replay", at=late, last=micros("98"), received_at=late)

    with monkeypatch.context() as here:
        here.setattr(moving, "copy_out", interrupted)
        with pytest.raises(Changed):
            move_month(OLD[0], ["replay"])
    assert len(list(quotes_between("IBM", "replay"))) == 34
    assert move_old_months() == OLD


def test_a_reader_on_his_way_while_a_month_moves_sees_each_quote_once(cell: Position) -> None:
    everyone = [quote.at for quote in quotes_between("IBM", "replay")]
    on_his_way = quotes_between("IBM", "replay")
    seen = [next(on_his_way).at, next(on_his_way).at]
    move_old_months()
    assert seen + [quote.at for quote in on_his_way] == everyone


def test_a_month_is_made_ahead_and_takes_what_came_before(cell: Position) -> None:
    assert make_months(date(2006, 12, 31)) == [date(2006, 12, 1), date(2007, 1, 1), date(2007, 2, 1)]
    assert make_months(date(2006, 12, 31)) == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM market_quote_2007_01")
        assert cursor.fetchone() == (5,)
    take_prices(source="other", prices=[Price("IBM", datetime(2007, 1, 31, 23, 59, tzinfo=UTC), micros("9"), 0, 0)])
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM market_quote WHERE source = 'other'")
        assert cursor.fetchone() == ("market_quote_2007_01",)


def test_no_month_goes_that_is_not_all_in_files(cell: Position) -> None:
    make_month(OLD[0])
    with pytest.raises(Exception, match="in no file"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT market_quote_drop_month(%s)", [OLD[0]])
    assert Quote.objects.filter(symbol="IBM").count() == 33


def test_the_way_back_is_one_table_with_all_of_it_and_its_checks(cell: Position) -> None:
    make_month(OLD[0])
    before = list(quotes_between("IBM", "replay"))
    low = {"symbol": "LOW", "source": "s", "at": BEGINS, "last": 0, "received_at": BEGINS}
    for way in (MONTHS.WHOLE, MONTHS.PARTED):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(MONTHS.WHOLE)
            if way is MONTHS.PARTED:
                cursor.execute(MONTHS.PARTED)
            assert list(Quote.objects.filter(symbol="IBM").order_by("at")) == before
            again = {"symbol": "IBM", "source": "replay", "at": BEGINS, "last": micros("9"), "received_at": BEGINS}
            for bad in (again, low, low | {"last": micros("9"), "bid": 2, "ask": 1}):
                with pytest.raises(IntegrityError), transaction.atomic():
                    Quote.objects.create(**bad)
            assert Quote.objects.create(**again | {"symbol": "NEW"}).pk > max(quote.pk for quote in before)
            transaction.set_rollback(True)


def test_there_is_no_way_back_while_months_lie_in_files(cell: Position) -> None:
    MONTHS.refuse_while_in_files(apps, None)
    move_old_months()
    with pytest.raises(IrreversibleError, match="4 months"):
        MONTHS.refuse_while_in_files(apps, None)


def test_the_programs_own_role_moves_months_though_it_may_make_and_drop_nothing(cell: Position) -> None:
    make_month(OLD[0])
    before = list(quotes_between("IBM", "replay"))
    grant_role(role="vb_months")
    with connection.cursor() as cursor:
        try:
            cursor.execute("SET ROLE vb_months")
            with pytest.raises(ProgrammingError), transaction.atomic():
                cursor.execute("DROP TABLE market_quote_2007_01")
            assert make_month(OLD[1])
            assert move_old_months() == OLD
            assert list(quotes_between("IBM", "replay")) == before
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute("DROP OWNED BY vb_months")
            cursor.execute("DROP ROLE vb_months")


def test_the_command_shows_moves_and_brings_back_and_says_which_file_is_gone(cell: Position, folder: Path) -> None:
    def said(*words: str) -> str:
        out = StringIO()
        call_command("quotes", *words, stdout=out)
        return out.getvalue()

    assert said() == "all quotes are in the table\n"
    assert [line.split()[:3] for line in said("--move").splitlines()] == [
        ["replay", f"2007-0{month}", rows] for month, rows in ((1, "5"), (2, "4"), (3, "4"), (4, "4"))
    ]
    for path in (folder / "replay").glob("2007-03*"):
        path.unlink()
    with pytest.raises(CommandError, match="2007-03: the list names a file of quotes that is not there"):
        said("--bring-back")
    assert [line.split()[1] for line in said().splitlines()] == ["2007-03", "2007-04"]
    with pytest.raises(CommandError, match="not allowed with"):
        said("--move", "--bring-back")


def test_the_bells_make_and_move_months(cell: Position) -> None:
    nightly.make_quote_months()
    nightly.make_quote_months()
    nightly.move_old_quotes()
    assert StoredQuotes.objects.count() == 4
    for entry in ("make quote months", "move old quotes"):
        assert BEAT_SCHEDULE[entry]["task"] in app.tasks
