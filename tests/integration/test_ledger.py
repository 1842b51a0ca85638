"""The log of facts: nobody changes it, and whoever does anyway is found."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import InternalError, ProgrammingError, connection, transaction
from django.db.models import F

from portfolios.domain.chain import chained_hash
from portfolios.domain.fold import NOTHING, Change, after
from portfolios.models import Account, Event, House, Portfolio, Position, SettingsVersion
from portfolios.services.ends import rows_astray
from portfolios.services.journal import Journal
from portfolios.services.positions import deposit
from portfolios.services.verification import differing_rows, fold_of, rebuild_position, verify_events
from tests.at_once import at_once
from tests.factories import NOON, make_position, make_quote
from tests.market import assert_sound, later, make_fallen_cell, tick
from trading.models import Execution

pytestmark = pytest.mark.django_db
REFUSED = (InternalError, ProgrammingError)


@pytest.fixture
def cell() -> Position:
    """A cell with a past: a buy, a sale, a skip and a deposit."""
    position = make_fallen_cell()
    tick(position)
    make_quote(price="100", at=later())
    tick(position)
    deposit(position_id=position.pk, amount=5, market_at=NOON, actor="user:ann")
    position.refresh_from_db()
    assert position.event_seq >= 12
    return position


@contextmanager
def unguarded(table: str) -> Iterator[None]:
    """What only the owner of the database can do: lift the guard for a moment."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.mark.parametrize("rows", [Event.objects, Execution.objects, SettingsVersion.objects])
def test_facts_are_never_changed_or_deleted(rows) -> None:
    tick(make_fallen_cell(tau="0.02"))
    assert rows.exists()
    with pytest.raises(REFUSED, match="append-only: UPDATE refused"), transaction.atomic():
        rows.update(id=F("id"))
    with pytest.raises(REFUSED, match="append-only: DELETE refused"), transaction.atomic():
        rows.all()._raw_delete("default")


@pytest.mark.parametrize("table", settings.APPEND_ONLY)
def test_facts_are_never_emptied_out(table: str) -> None:
    with pytest.raises(REFUSED, match="append-only: TRUNCATE refused"), transaction.atomic():
        connection.cursor().execute(f"TRUNCATE {table} CASCADE")


def test_an_honest_log_is_verified(cell) -> None:
    verified = verify_events()
    assert (verified.findings, verified.streams) == ([], 3)
    assert verified.events == cell.event_seq + cell.portfolio.event_seq + cell.portfolio.account.event_seq
    words = StringIO()
    call_command("verify_events", stdout=words)
    assert "in 3 streams verified" in words.getvalue()


def edited_byte(cell: Position) -> None:
    event = Event.objects.of(cell).get(seq=3)
    Event.objects.filter(pk=event.pk).update(text=event.text.replace("10.4687", "10.4688", 1))


def scribbled_over(cell: Position) -> None:
    for seq, text in ((3, "no JSON"), (4, "[]"), (5, "")):
        Event.objects.of(cell).filter(seq=seq).update(text=text, hash=chained_hash("", text))


def edited_column(cell: Position) -> None:
    Event.objects.of(cell).filter(seq=5).update(d_cash=F("d_cash") + 1)


def edited_and_hashed_again(cell: Position) -> None:
    event = Event.objects.of(cell).get(seq=3)
    text = event.text.replace("user:test", "user:mallory").replace("robot", "mallory")
    Event.objects.filter(pk=event.pk).update(text=text, hash=chained_hash(event.prev_hash, text), actor="mallory")


def deleted(cell: Position) -> None:
    Event.objects.of(cell).filter(seq=4)._raw_delete("default")


def truncated_tail(cell: Position) -> None:
    Event.objects.of(cell).filter(seq__gt=cell.event_seq - 2)._raw_delete("default")


def emptied(cell: Position) -> None:
    Event.objects.of(cell)._raw_delete("default")


def inserted(cell: Position) -> None:
    event = Event.objects.of(cell).last()
    event.pk, event.seq = None, event.seq + 1
    event.save(force_insert=True)


def reordered(cell: Position) -> None:
    rows = Event.objects.of(cell)
    rows.filter(seq=3).update(seq=1003)
    rows.filter(seq=4).update(seq=3)
    Event.objects.filter(stream_id=cell.public_id, seq=1003).update(seq=4)


@pytest.mark.parametrize(
    "deed",
    [
        edited_byte,
        scribbled_over,
        edited_column,
        edited_and_hashed_again,
        deleted,
        truncated_tail,
        emptied,
        inserted,
        reordered,
    ],
)
def test_whatever_the_owner_of_the_database_does_to_the_log_is_found(cell, deed: Callable[[Position], None]) -> None:
    with unguarded("portfolios_event"):
        deed(cell)
    assert verify_events().findings != []
    assert {finding.stream_id for finding in verify_events().findings} == {cell.public_id}
    with pytest.raises(CommandError) as refused:
        call_command("verify_events", stderr=StringIO())
    assert refused.value.returncode == 1


def test_folding_gives_the_row_back_at_every_prefix() -> None:
    position = make_position(anchor="100")
    seen: dict[int, object] = {}
    for minute, price in enumerate(("97", "100", "94", "70", "73", "99", "102")):
        make_quote(price=price, at=later(minute))
        tick(position)
        seen[position.event_seq] = position.folded
    assert len(seen) > 5
    state = NOTHING
    columns = ("d_shares", "d_cash", "d_receivable", "d_reserved_cash", "d_reserved_shares", "anchor_after")
    for seq, *change in Event.objects.of(position).values_list("seq", *columns, "state_after"):
        state = after(state, Change(*change))
        assert seen.pop(seq, state) == state
    assert not seen
    assert fold_of(position) == position.folded


def test_a_damaged_row_is_found_and_rebuilt(cell) -> None:
    honest = cell.folded
    Position.objects.filter(pk=cell.pk).update(cash=F("cash") + 1, anchor=1)
    assert [(found.position.pk, found.folded) for found in differing_rows()] == [(cell.pk, honest)]
    with pytest.raises(CommandError) as refused:
        call_command("rebuild", "--check", stdout=StringIO())
    assert refused.value.returncode == 1
    call_command("rebuild", stdout=StringIO())
    cell.refresh_from_db()
    assert cell.folded == honest
    assert rebuild_position(position_id=cell.pk) == honest
    assert_sound()


@pytest.mark.django_db(transaction=True)
def test_verifying_while_the_robot_writes_finds_nothing() -> None:
    cells = [make_position(symbol="IBM", anchor="100")]
    cells += [make_position(cells[0].portfolio, symbol="IBM") for _ in range(4)]

    def write(position: Position) -> None:
        for _ in range(30):
            deposit(position_id=position.pk, amount=1, market_at=NOON, actor="user:ann")

    def verify() -> list[object]:
        return [found for _ in range(15) for found in (*verify_events().findings, *differing_rows())]

    outcomes = at_once(verify, *[partial(write, cell) for cell in cells])
    assert outcomes[0] == []


def test_an_event_and_its_row_are_one_commit(cell) -> None:
    before = cell.event_seq

    def broken() -> None:
        with transaction.atomic():
            row = Position.objects.locked().get(pk=cell.pk)
            journal = Journal(row, market_at=NOON, actor="robot")
            journal.add("deposited", "lost", cash=1)
            journal.write()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    cell.refresh_from_db()
    assert cell.event_seq == before
    assert_sound()


@pytest.mark.parametrize("table", [Position, Portfolio, Account, House])
def test_a_row_that_names_another_end_of_its_log_is_found_and_rebuilt(cell, table) -> None:
    House.objects.get_or_create(pk=1)
    row = table.objects.get(pk=cell.portfolio.account_id) if table is Account else table.objects.first()
    honest = (row.event_seq, row.event_hash, row.state)
    assert rows_astray() == []
    table.objects.filter(pk=row.pk).update(event_seq=F("event_seq") + 1, event_hash="0" * 63 + "1")
    assert [(found.table, found.public_id) for found in rows_astray()] == [(table, row.public_id)]
    with pytest.raises(CommandError) as refused:
        call_command("rebuild", "--check", stdout=StringIO())
    assert refused.value.returncode == 1
    call_command("rebuild", stdout=StringIO())
    row.refresh_from_db()
    assert (row.event_seq, row.event_hash, row.state) == honest
    assert_sound()
