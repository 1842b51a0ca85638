"""What was published once: heads of the log in signed files, against which a log that was cut short is found."""

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from portfolios.domain.chain import GENESIS, canonical_text
from portfolios.models import Account, Event, Portfolio, Position
from portfolios.services.heads import (
    Forged,
    export_heads,
    kept_heads,
    public_key,
    read_heads,
    sealed,
    signed_heads,
)
from portfolios.services.positions import deposit
from tests.factories import NOON, make_position
from tests.integration.test_ledger import unguarded

pytestmark = pytest.mark.django_db
NIGHT = datetime(2026, 11, 20, 3, 45, tzinfo=UTC)


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Path) -> Path:
    settings.VAR = tmp_path
    return tmp_path


@pytest.fixture
def cell() -> Position:
    position = make_position()
    for _ in range(3):
        deposit(position_id=position.pk, amount=5, market_at=NOON, actor="user:ann")
    position.refresh_from_db()
    return position


def cut(cell: Position, keep: int) -> None:
    """What the owner of the database can do, thoroughly: the row agrees with the shorter log."""
    with unguarded("portfolios_event"):
        Event.objects.of(cell).filter(seq__gt=keep)._raw_delete("default")
    last = Event.objects.of(cell).last()
    Position.objects.filter(pk=cell.pk).update(event_seq=keep, event_hash=last.hash if last else GENESIS)


def verified(*words: str) -> tuple[int, str]:
    said, complained = StringIO(), StringIO()
    try:
        call_command("verify_events", *words, stdout=said, stderr=complained)
    except CommandError as error:
        return error.returncode, complained.getvalue() + str(error)
    return 0, said.getvalue()


@pytest.mark.parametrize("keep", [0, 1, 3])
def test_a_log_cut_short_together_with_its_row_is_found_by_what_was_published(cell: Position, keep: int) -> None:
    path = export_heads(at=NIGHT)
    assert verified("--heads", str(path))[0] == 0
    cut(cell, keep)
    assert verified()[0] == 0
    code, said = verified("--heads", str(path))
    assert (code, "was published: the log was cut" in said) == (1, True)


def test_a_log_written_anew_after_the_cut_is_found_too(cell: Position) -> None:
    path = export_heads(at=NIGHT)
    cut(cell, 2)
    for _ in range(3):
        deposit(position_id=cell.pk, amount=4, market_at=NOON, actor="user:ann")
    assert verified()[0] == 0
    code, said = verified("--heads", str(path))
    assert (code, "is not the event that was published" in said) == (1, True)


def test_a_log_that_grew_holds_what_was_published(cell: Position) -> None:
    path = export_heads(at=NIGHT)
    deposit(position_id=cell.pk, amount=4, market_at=NOON, actor="user:ann")
    code, said = verified("--heads", str(path))
    assert (code, "with all that was published at 2026-11-20T03:45:00+00:00" in said) == (0, True)


def test_every_stream_is_published(cell: Position) -> None:
    heads = read_heads(signed_heads(at=NIGHT).encode(), trusted=public_key()).heads
    rows = [*Position.objects.all(), *Portfolio.objects.all(), *Account.objects.all()]
    assert heads == {row.public_id: (row.event_seq, row.event_hash) for row in rows if row.event_seq}
    assert set(heads) == set(Event.objects.values_list("stream_id", flat=True))


def test_no_byte_of_a_file_of_heads_can_be_changed_dropped_or_added(cell: Position) -> None:
    raw = signed_heads(at=NIGHT).encode()
    assert read_heads(raw, trusted=public_key()).heads
    for place in range(len(raw)):
        for forged in (
            raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :],
            raw[:place] + bytes([raw[place] ^ 32]) + raw[place + 1 :],
            raw[:place] + raw[place + 1 :],
            raw[:place] + b" " + raw[place:],
            raw[:place],
        ):
            with pytest.raises(Forged):
                read_heads(forged, trusted=public_key())


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"text":"\\ud800","signature":"00"}'])
def test_what_is_no_file_of_heads_is_refused(raw: bytes) -> None:
    with pytest.raises(Forged):
        read_heads(raw, trusted=public_key())


def test_heads_signed_by_somebody_else_are_forged(cell: Position, settings: Any, tmp_path: Path) -> None:
    ours, path = public_key(), export_heads(at=NIGHT)
    key = tmp_path / "public-key"
    key.write_text(ours + "\n")
    assert verified("--heads", str(path), "--public-key", str(key))[0] == 0
    content = json.loads(json.loads(path.read_text())["text"])
    settings.HEADS_KEY = "11" * 32
    path.write_text(sealed(canonical_text(content)))
    assert verified("--heads", str(path))[0] == 0, "by his own key it is right"
    code, said = verified("--heads", str(path), "--public-key", str(key))
    assert (code, "forged or altered" in said) == (1, True)


def test_a_key_is_made_once_and_kept_to_ourselves(own_folder: Path) -> None:
    assert public_key() == public_key()
    kept = own_folder / "heads" / "private-key"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.read_text() not in signed_heads(at=NIGHT)


def test_files_are_kept_not_written_over(cell: Position, own_folder: Path) -> None:
    first = export_heads(at=NIGHT)
    said = first.read_text()
    second = export_heads(at=NIGHT.replace(hour=4))
    assert [path.name for path in kept_heads()] == ["2026-11-20.json", "2026-11-20T044500.json"]
    assert (first.read_text(), kept_heads()[-1]) == (said, second)
    assert {path.name for path in (own_folder / "heads").iterdir()} == {first.name, second.name, "private-key"}


def test_the_command_writes_where_it_is_told_and_prints_the_public_key(tmp_path: Path) -> None:
    said, wanted = StringIO(), tmp_path / "elsewhere" / "heads.json"
    call_command("export_heads", to=wanted, stdout=said, stderr=StringIO())
    assert said.getvalue().strip() == public_key()
    assert read_heads(wanted.read_bytes(), trusted=public_key()).heads == {}
    assert kept_heads() == []


@pytest.mark.parametrize("words", [["--heads", "/nowhere"], ["--heads", __file__, "--public-key", __file__]])
def test_what_cannot_be_read_is_bad_input(words: list[str]) -> None:
    assert verified(*words)[0] == 2


def test_a_key_that_is_none_is_bad_input(settings: Any) -> None:
    settings.HEADS_KEY = "secret"
    with pytest.raises(CommandError) as refused:
        call_command("export_heads")
    assert refused.value.returncode == 2
