"""The audit: everything that must hold asked at once, by hand and every night."""

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from portfolios.domain.chain import GENESIS
from portfolios.models import Event, FailedTask, Position
from portfolios.services.heads import export_heads, kept_heads, public_key, read_heads
from portfolios.tasks import export_heads as export_bell
from portfolios.tasks import verify_events as verify_bell
from tests.factories import make_position
from tests.integration.test_ledger import unguarded
from tests.market import make_fallen_cell, tick
from trading.models import Order
from trading.tasks.nightly import audit as audit_bell

pytestmark = pytest.mark.django_db
NIGHT = datetime(2026, 11, 20, 3, 45, tzinfo=UTC)


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Path) -> None:
    settings.VAR = tmp_path


@pytest.fixture
def cell() -> Position:
    position = make_fallen_cell()
    tick(position)
    return position


def audited() -> tuple[int, list[str]]:
    said = StringIO()
    try:
        call_command("audit", stdout=said)
    except CommandError as error:
        return error.returncode, said.getvalue().splitlines()
    return 0, said.getvalue().splitlines()


def test_an_honest_house_has_nothing_to_report(cell: Position) -> None:
    assert audited() == (0, ["the log, the rows and everything that must hold: nothing to report"])


def test_a_row_that_is_not_what_its_events_say_is_one_line(cell: Position) -> None:
    Position.objects.filter(pk=cell.pk).update(cash=cell.cash + 1)
    code, lines = audited()
    assert code == 1
    assert [line for line in lines if line.startswith(f"row {cell.public_id} IBM: State(")] != []


def test_an_order_that_is_not_what_its_fills_say_is_found(cell: Position) -> None:
    Order.objects.update(fee=7)
    code, lines = audited()
    assert (code, [line.split()[0] for line in lines]) == (1, ["invariant"] * len(lines))


def test_a_guard_that_is_gone_is_found(cell: Position) -> None:
    with unguarded("trading_execution"):
        assert audited() == (
            1,
            [f"guard nothing refuses {deed} on trading_execution" for deed in ("DELETE", "TRUNCATE", "UPDATE")],
        )


def test_a_log_cut_since_the_newest_heads_is_found_by_command_and_bell(cell: Position) -> None:
    other = make_position(cell.portfolio)
    export_heads(at=NIGHT)
    with unguarded("portfolios_event"):
        Event.objects.of(other)._raw_delete("default")
    Position.objects.filter(pk=other.pk).update(event_seq=0, event_hash=GENESIS, shares=0, cash=0)
    code, lines = audited()
    assert (code, any("the log was cut" in line for line in lines)) == (1, True)
    verify_bell.apply()
    assert FailedTask.objects.get().error == "RuntimeError: 1 findings, 0 rows differ from their events"


def test_heads_that_were_altered_are_not_believed(cell: Position) -> None:
    path = export_heads(at=NIGHT)
    path.write_text(path.read_text().replace("2026", "2027"))
    assert audited()[0] == 1


def test_at_night_the_heads_are_exported_and_what_is_unsound_fails_the_bell(cell: Position) -> None:
    export_bell.apply()
    audit_bell.apply()
    assert FailedTask.objects.count() == 0
    assert read_heads(kept_heads()[0].read_bytes(), trusted=public_key()).heads[cell.public_id][0] == cell.event_seq
    Order.objects.update(fee=7)
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER portfolios_event_no_truncate ON portfolios_event")
    audit_bell.apply()
    assert "findings: see manage.py audit" in FailedTask.objects.get().error
