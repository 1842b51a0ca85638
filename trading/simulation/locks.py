"""One worker at a time for each run or chunk: a lock that the database lets go of by itself when its holder dies."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.utils import Error

RUNS = 7_620_115  # the lock's first key; the second is the run's
CHUNKS, SWEEPS = RUNS + 1, RUNS + 2

# Of this database: other houses on the same server have runs of the same numbers.
HELD = """
    SELECT objid::bigint
      FROM pg_locks
     WHERE locktype = 'advisory' AND classid = %s AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@contextmanager
def alone_at(run_id: int, kind: int = RUNS) -> Iterator[bool]:
    """Whether nobody else is at it. Held by the connection, not by a transaction: progress is committed meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [kind, key_of(run_id)])
        (taken,) = cursor.fetchone()
    try:
        yield taken
    finally:
        if taken:
            let_go(run_id, kind)


def let_go(run_id: int, kind: int = RUNS) -> None:
    """A connection that broke has let go already."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [kind, key_of(run_id)])
    except Error:
        connection.close()


def worked_on(kind: int = RUNS) -> set[int]:
    """The keys of the runs that somebody is at."""
    with connection.cursor() as cursor:
        cursor.execute(HELD, [kind])
        return {key for (key,) in cursor.fetchall()}


def key_of(run_id: int) -> int:
    return run_id % 2**31
