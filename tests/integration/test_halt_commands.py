"""Halting from a shell: with Valkey away, with everything stopped but PostgreSQL, with words that make no sense."""

import os
import subprocess
import sys
import uuid
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from portfolios.models import Event, Position
from tests.factories import make_position
from trading.risk.models import Halt
from trading.services.halts import halt


def manage(*words: str, database: str | None = None) -> subprocess.CompletedProcess[str]:
    """A process of its own whose queue is nowhere."""
    known = connection.settings_dict
    where = {"host": known["HOST"], "port": known["PORT"], "user": known["USER"], "password": known["PASSWORD"]}
    query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in where.items() if value)
    environment = os.environ | {
        "DATABASE_URL": database or f"postgresql:///{known['NAME']}?{query}",
        "REDIS_URL": "unix:///nowhere/valkey.sock?db=0",
        "VBALANCE_LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.django_db(transaction=True)
def test_the_house_is_halted_and_let_go_on_while_valkey_is_away() -> None:
    told = manage("halt", "--reason", "the wire is on fire", "--cancel-working", "--by", "ann")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("halted: the whole house, since ")
    assert told.stdout.endswith("UTC by shell:ann: the wire is on fire\n")
    known = Halt.objects.in_force().get()
    assert (known.scope, known.cancels, known.halted_by) == ("global", True, "shell:ann")
    told = manage("resume", "--reason", "it is out", "--by", "bob")
    assert (told.returncode, told.stdout, told.stderr) == (
        0,
        "armed again: the whole house; 0 other halts are in force\n",
        "",
    )
    assert list(Event.objects.order_by("pk").values_list("type", "actor")) == [
        ("halted", "shell:ann"),
        ("rearmed", "shell:bob"),
    ]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_one_line() -> None:
    told = manage("halt", "--reason", "so", database="postgresql:///x?host=/nowhere")
    assert told.returncode == 1
    assert told.stderr.startswith("CommandError: the database does not answer (")
    assert told.stderr.count("\n") == 1


def words_for(cell: Position) -> dict[str, str]:
    return {
        "position": str(cell.public_id),
        "portfolio": str(cell.portfolio.public_id),
        "account": str(cell.portfolio.account.public_id),
    }


@pytest.mark.django_db
@pytest.mark.parametrize("scope", ["position", "portfolio", "account"])
def test_one_thing_is_halted_by_its_id_and_let_go_on(scope: str, capsys: pytest.CaptureFixture[str]) -> None:
    cell = make_position()
    option = f"--{scope}={words_for(cell)[scope]}"
    for _ in range(2):  # again is no mistake
        call_command("halt", option, "--reason=so")
    assert Halt.objects.in_force().get().scope == scope
    call_command("resume", option, "--reason=over")
    assert not Halt.objects.in_force().exists()
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["halted", "halted", "armed again"]


NOBODY = uuid.UUID(int=0)
BAD = [
    (["halt"], "--reason: must be one line of at most 200 characters"),
    (["halt", "--reason="], "--reason: must be one line of at most 200 characters"),
    (["halt", "--reason=two\nlines"], "--reason: must be one line of at most 200 characters"),
    (["halt", f"--reason={'x' * 201}"], "--reason: must be one line of at most 200 characters"),
    (["halt", "--reason=so", "--portfolio=1"], "--portfolio: '1' is no id"),
    (["halt", "--reason=so", "--position="], "--position: '' is no id"),
    (["halt", "--reason=so", f"--account={NOBODY}"], "--account: there is no such account"),
    (["halt", "--reason=so", f"--account={NOBODY}", f"--position={NOBODY}"], "name one of --position, --account"),
    (["halt", "--reason=so", "--by=a\nb"], "--by: must be one line of at most 100 characters"),
    (["resume", "--reason=so", f"--portfolio={NOBODY}"], "--portfolio: there is no such portfolio"),
    (["resume", "--reason=so"], None),
    (["resume"], "--reason: must be one line of at most 200 characters"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("words", "message"), BAD)
def test_what_makes_no_sense_is_one_line_and_exit_code_two(words: list[str], message: str | None) -> None:
    if message and words[0] == "resume":
        halt(scope="global", target_id=None, reason="so", actor="user:ann")
    before = Halt.objects.in_force().count()
    with pytest.raises(CommandError) as refused:
        call_command(*words)
    assert (str(refused.value), refused.value.returncode) == (message or "the whole house is not halted itself", 2)
    assert Halt.objects.in_force().count() == before


WORDS = [
    ("halt --nope", "manage.py halt: unrecognized arguments: --nope"),
    ("resume now", "manage.py resume: unrecognized arguments: now"),
    ("audit --nope", "manage.py audit: unrecognized arguments: --nope"),
    ("export_heads --to", "manage.py export_heads: argument --to: expected one argument"),
    ("verify_events --nope", "manage.py verify_events: unrecognized arguments: --nope"),
    ("torture --nope", "manage.py torture: unrecognized arguments: --nope"),
    ("torture --seeds 0", "manage.py torture: argument --seeds: must be a whole number from 1 to 10000000"),
    ("torture --jobs -1", "manage.py torture: argument --jobs: must be a whole number from 1 to 10000000"),
    ("torture --seed x", "manage.py torture: argument --seed: invalid int value: 'x'"),
    ("up --port 0", "manage.py up: argument --port: must be a port from 1 to 65535"),
]


@pytest.mark.parametrize(("words", "line"), WORDS)
def test_a_word_no_command_knows_is_one_line_and_exit_code_two(words: str, line: str) -> None:
    told = manage(*words.split(), database="postgresql:///x?host=/nowhere")
    assert (told.returncode, told.stdout, told.stderr) == (2, "", f"{line}\n")


def test_chaos_refuses_as_the_commands_do() -> None:
    command = [sys.executable, "-m", "scripts.chaos", "--nope"]
    told = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (2, "scripts/chaos: unrecognized arguments: --nope\n")


@pytest.mark.parametrize("reason", ['it\'s $HOME `id` "quoted"', "; echo no"])
def test_make_passes_the_reason_on_as_it_is(reason: str, tmp_path: Path) -> None:
    """Its recipe as make gives it to the shell, with a `run` that says what it was told."""
    rule = (Path(settings.BASE_DIR) / "Makefile").read_text().partition("\nkill-switch:")[2]
    recipe = rule.splitlines()[1].strip().removeprefix("@").replace("$$", "$")
    (tmp_path / "run").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "run").chmod(0o755)
    told = subprocess.run(["sh", "-c", recipe], cwd=tmp_path, env={"REASON": reason}, capture_output=True, text=True)
    assert told.stdout.splitlines() == ["manage", "halt", "--reason", reason]
