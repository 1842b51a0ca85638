"""What keeps the log as it was written: triggers for everybody, and in production a role that may only add to it."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import connection, transaction

DEEDS = ("UPDATE", "DELETE", "TRUNCATE")
RIGHTS = (*DEEDS, "TRIGGER", "REFERENCES")

# tgtype as pg_trigger.h has it: 2 before, 8 delete, 16 update, 32 truncate. A condition or a list of columns lets
# something through, and so does a function that no longer raises.
GUARDED_DEEDS = """
SELECT guarded.name, deed.name
  FROM unnest(%s::text[]) AS guarded(name)
 CROSS JOIN (VALUES ('UPDATE', 16), ('DELETE', 8), ('TRUNCATE', 32)) AS deed(name, bit)
 WHERE NOT EXISTS (
    SELECT FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
     WHERE tgrelid = to_regclass(guarded.name) AND tgenabled IN ('O', 'A') AND tgqual IS NULL
       AND cardinality(tgattr::int2[]) = 0 AND tgtype & 2 > 0 AND tgtype & deed.bit > 0
       AND proname = 'forbid_change' AND btrim(prosrc, E' \\n') LIKE 'BEGIN%%RAISE EXCEPTION%%END'
       AND prosrc NOT LIKE '%%RETURN%%')
 ORDER BY 1, 2
"""
TOO_MUCH_ON_A_TABLE = """
SELECT guarded.name, deed.name
  FROM unnest(%s::text[]) AS guarded(name) CROSS JOIN unnest(%s::text[]) AS deed(name)
 WHERE has_table_privilege(guarded.name, deed.name)
    OR (deed.name = 'UPDATE' AND has_any_column_privilege(guarded.name, 'UPDATE'))
 ORDER BY 1, 2
"""
OWNED = """
SELECT 'the table ' || relname FROM pg_class
 WHERE oid IN (SELECT to_regclass(name) FROM unnest(%s::text[]) AS guarded(name)) AND pg_has_role(relowner, 'MEMBER')
UNION ALL SELECT 'the schema ' || nspname FROM pg_namespace
 WHERE nspname = current_schema() AND pg_has_role(nspowner, 'MEMBER')
UNION ALL SELECT 'the database' FROM pg_database
 WHERE datname = current_database() AND pg_has_role(datdba, 'MEMBER')
UNION ALL SELECT 'the function forbid_change' FROM pg_proc
 WHERE proname = 'forbid_change' AND pg_has_role(proowner, 'MEMBER')
"""
ALMIGHTY = "SELECT rolsuper OR rolcreaterole OR rolreplication FROM pg_roles WHERE rolname = current_user"


def log_guards_missing() -> list[str]:
    """What does not protect the log here, one line each; empty where everything does.

    In production the database's role is judged too: it must be able to add to the log and nothing else.
    """
    return [*triggers_missing(), *(rights_too_many() if settings.PRODUCTION else ())]


def triggers_missing() -> Iterator[str]:
    for table, deed in asked(GUARDED_DEEDS, [list(settings.APPEND_ONLY)]):
        yield f"nothing refuses {deed} on {table}"
    if asked("SELECT current_setting('session_replication_role')")[0][0] == "replica":
        yield "triggers do not fire in this session (session_replication_role)"


def rights_too_many() -> Iterator[str]:
    """What the role of this connection could do to the log beyond adding to it."""
    if asked(ALMIGHTY)[0][0]:
        yield "the programs use a database role that is superuser, or makes roles, or replicates"
        return
    tables = list(settings.APPEND_ONLY)
    for (thing,) in asked(OWNED, [tables]):
        yield f"the programs' database role owns {thing}"
    for table, right in asked(TOO_MUCH_ON_A_TABLE, [tables, list(RIGHTS)]):
        yield f"the programs' database role has {right} on {table}"


def asked(query: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


@transaction.atomic
def grant_role(*, role: str, password: str = "") -> None:
    """Everything the programs need and nothing that could change the log; made if it is not there. Asked as owner."""
    name = connection.ops.quote_name(role)
    database = connection.ops.quote_name(str(connection.settings_dict["NAME"]))
    (schema,) = asked("SELECT quote_ident(current_schema())")[0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is None:
            cursor.execute(f"CREATE ROLE {name} LOGIN")
        cursor.execute(f"ALTER ROLE {name} NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS")
        if password:
            cursor.execute("SELECT format('ALTER ROLE %%I PASSWORD %%L', %s::text, %s::text)", [role, password])
            cursor.execute(cursor.fetchone()[0])
        for statement in grants(name, database, schema):
            cursor.execute(statement)


def grants(role: str, database: str, schema: str) -> Iterator[str]:
    """Taken away first, so that a second time ends like the first."""
    yield f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {role}"
    yield f"GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {role}"
    yield f"GRANT USAGE ON SCHEMA {schema} TO {role}"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}"
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}"
    yield f"GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}"
    yield f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role}"  # such as those that make a month for quotes
    kept = ", ".join(settings.APPEND_ONLY)
    yield f"REVOKE {', '.join(RIGHTS)} ON {kept} FROM {role}, PUBLIC"
    yield f"REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {role}"
