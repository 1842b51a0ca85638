"""Who may change the log: nobody by trigger, and in production not even the role the programs use."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction

from portfolios.services.guards import grant_role, log_guards_missing
from tests.market import assert_sound, make_fallen_cell, tick
from trading.models import Execution
from vbalance.health import log_part
from vbalance.preparation import tell_of_guards

pytestmark = pytest.mark.django_db
ROLE = f"robot_{os.getpid()}"  # roles belong to the whole server, and other tests run beside these
DENIED = r"permission denied|must be owner"
TABLES = pytest.mark.parametrize("table", settings.APPEND_ONLY)


@pytest.fixture
def production(settings: Any) -> None:
    settings.PRODUCTION = True


@contextmanager
def as_programs(role: str = ROLE) -> Iterator[Callable[[str], None]]:
    """Everything inside is done by the programs' role; yields a way to run one statement that may fail."""

    def run(statement: str) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)

    run("SET CONSTRAINTS ALL IMMEDIATE")
    run(f"SET ROLE {role}")
    try:
        yield run
    finally:
        run("RESET ROLE")


def test_a_database_just_migrated_protects_the_log() -> None:
    assert log_guards_missing() == []
    assert log_part() == (True, "append-only")


@TABLES
@pytest.mark.parametrize(
    ("harm", "missing"),
    [
        ("ALTER TABLE {table} DISABLE TRIGGER USER", {"UPDATE", "DELETE", "TRUNCATE"}),
        ("ALTER TABLE {table} ENABLE REPLICA TRIGGER {table}_no_change", {"UPDATE", "DELETE"}),
        ("DROP TRIGGER {table}_no_truncate ON {table}", {"TRUNCATE"}),
        (
            "DROP TRIGGER {table}_no_change ON {table}; CREATE TRIGGER {table}_no_change BEFORE UPDATE OF id OR DELETE"
            " ON {table} FOR EACH ROW EXECUTE FUNCTION forbid_change()",
            {"UPDATE", "DELETE"},
        ),
        (
            "DROP TRIGGER {table}_no_change ON {table}; CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE"
            " ON {table} FOR EACH ROW WHEN (OLD.id > 9) EXECUTE FUNCTION forbid_change()",
            {"UPDATE", "DELETE"},
        ),
        ("ALTER TABLE {table} RENAME TO elsewhere", {"UPDATE", "DELETE", "TRUNCATE"}),
    ],
)
def test_a_guard_that_is_gone_off_or_full_of_holes_is_missed(table: str, harm: str, missing: set[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(harm.format(table=table))
    assert set(log_guards_missing()) == {f"nothing refuses {deed} on {table}" for deed in missing}
    assert log_part().ok is False


def test_a_guard_that_no_longer_refuses_is_missed() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION forbid_change() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN IF TG_OP = 'UPDATE' THEN RETURN NEW; END IF; RAISE EXCEPTION 'no'; END $$"
        )
    assert len(log_guards_missing()) == 9


def test_a_session_in_which_triggers_sleep_is_missed() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
    assert log_guards_missing() == ["triggers do not fire in this session (session_replication_role)"]


def test_in_production_the_owner_of_the_tables_may_not_trade(production, caplog) -> None:
    assert log_guards_missing() == ["the programs use a database role that is superuser, or makes roles, or replicates"]
    tell_of_guards()
    assert "the log is not protected" in caplog.text


def test_the_programs_do_all_their_work_in_a_role_that_cannot_change_the_log(production) -> None:
    grant_role(role=ROLE)
    grant_role(role=ROLE)
    cell = make_fallen_cell()
    with as_programs() as run:
        assert log_guards_missing() == []
        order = tick(cell)
        assert order is not None
        assert order.status == "filled"
        assert_sound()
        for table in settings.APPEND_ONLY:
            for deed in (
                f"UPDATE {table} SET id = id",
                f"DELETE FROM {table}",
                f"TRUNCATE {table} CASCADE",
                f"ALTER TABLE {table} DISABLE TRIGGER USER",
                f"DROP TRIGGER {table}_no_change ON {table}",
                f"DROP TABLE {table} CASCADE",
                f"CREATE TRIGGER swallow BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION forbid_change()",
            ):
                with pytest.raises(ProgrammingError, match=DENIED):
                    run(deed)
        for deed in (
            "CREATE OR REPLACE FUNCTION forbid_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "SET session_replication_role = replica",
            "CREATE TABLE mine (id int)",
            "DROP SCHEMA public CASCADE",
            "ALTER ROLE CURRENT_USER SUPERUSER",
        ):
            with pytest.raises(ProgrammingError, match=DENIED):
                run(deed)
    assert Execution.objects.count() == 1


@TABLES
@pytest.mark.parametrize("right", ["UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "UPDATE (id)"])
def test_a_right_too_many_is_missed_in_production_and_taken_back_by_granting_again(production, table, right) -> None:
    grant_role(role=ROLE)
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT {right} ON {table} TO {ROLE}")
    with as_programs():
        assert log_guards_missing() == [f"the programs' database role has {right.split()[0]} on {table}"]
    grant_role(role=ROLE)
    with as_programs():
        assert log_guards_missing() == []


def test_what_the_role_owns_it_could_change(production) -> None:
    grant_role(role=ROLE)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE trading_execution OWNER TO {ROLE}")
    with as_programs():
        assert "the programs' database role owns the table trading_execution" in log_guards_missing()


@pytest.mark.django_db(transaction=True)
def test_a_role_that_signs_in_with_its_own_password_adds_and_changes_nothing(settings) -> None:
    """Through a connection of its own, as the programs in production have it."""
    role, owner = f"{ROLE}_login", connection.get_connection_params()
    settings.DATABASE_APP_URL = f"postgresql://{role}:s3cret@ignored/vbalance"
    said = StringIO()
    try:
        call_command("grant_app_role", stdout=said)
        call_command("grant_app_role", stdout=said)
        assert f"{role} may do what the programs do" in said.getvalue()
        address = {name: owner[name] for name in ("dbname", "host", "port") if owner.get(name)}
        with psycopg.connect(**address, user=role, password="s3cret", autocommit=True) as programs:
            assert programs.execute("SELECT count(*) FROM portfolios_event").fetchone() == (0,)
            programs.execute(
                "INSERT INTO portfolios_house (public_id, state, event_seq, event_hash, id)"
                " VALUES (gen_random_uuid(), 'active', 0, '', 1) ON CONFLICT DO NOTHING"
            )
            for deed in ("UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"):
                for table in settings.APPEND_ONLY:
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        programs.execute(deed.format(table))
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize("options", [{}, {"role": connection.settings_dict["USER"]}])
def test_no_role_or_the_owner_s_own_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("grant_app_role", **options)
    assert refused.value.returncode == 2
