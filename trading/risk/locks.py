"""The lock between orders that leave and halts: many orders share it, a halt has it alone.

`begin_submission` shares it until its commit and hands out a deadline of half a second; a halt waits for those
commits, and whoever comes later reads the halt. So nothing leaves later than that after a halt was committed.
"""

from django.db import connection

HALTS = 0x76626861


def share() -> None:
    """Inside a transaction, after the rows it locks. What is read next sees every halt committed before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [HALTS])


def take() -> None:
    """Alone, until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [HALTS])
