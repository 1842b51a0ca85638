"""Where a process can die, what its connection does at each such place, and what may never be seen there."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

CRASHES = (
    "before begin",
    "after lock",
    "before commit",
    "after commit",
    "before the network call",
    "during the network call",
    "after the network call",
)
FAULTS = (
    "lost answer",
    "fill before its acknowledgement",
    "delivery once more",
    "delivery out of order",
    "bell lost",
    "bell rung twice",
    "halt",
    "split in flight",
    "dividend in flight",
)
CELLS = '"portfolios_position"'
LOCK, CHANGE, BIRTH = "FOR UPDATE", f"UPDATE {CELLS}", f"INSERT INTO {CELLS}"


class Crash(BaseException):
    """The process ends here. Nothing in it may tidy up."""


class Violation(BaseException):
    """Something that must hold does not. No code under test can catch it."""


class Points:
    """Every place of a run at which it may crash; armed, some of them do."""

    def __init__(self, chance: Random, rate: float, most: int) -> None:
        self.chance = chance
        self.rate = rate
        self.left = most
        self.passed: Counter[str] = Counter()
        self.crashed: Counter[str] = Counter()

    def reach(self, point: str) -> bool:
        """Whether the process is to die here."""
        self.passed[point] += 1
        if self.left <= 0 or self.chance.random() >= self.rate:
            return False
        self.left -= 1
        self.crashed[point] += 1
        return True

    def pass_by(self, point: str) -> None:
        if self.reach(point):
            raise Crash(point)


class Watch:
    """Of one transaction: whether it has the lock of its cells, and whether it wrote anything."""

    def __init__(self, connection: BaseDatabaseWrapper, points: Points, check: Callable[[], None]) -> None:
        self.connection: Any = connection
        self.points = points
        self.check = check
        self.locked = self.wrote = False
        self.begin, self.finish = self.connection.set_autocommit, self.connection.commit

    def set_autocommit(self, autocommit: bool, **options: Any) -> None:
        if not autocommit:
            self.points.pass_by("before begin")
            self.locked = self.wrote = False
        self.begin(autocommit, **options)

    def commit(self) -> None:
        if self.points.reach("before commit"):
            self.connection.rollback()
            raise Crash("before commit")
        self.finish()
        if self.wrote:
            self.check()
            self.points.pass_by("after commit")

    def statement(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.wrote = self.wrote or not sql.startswith("SELECT")
        if CELLS not in sql:
            return execute(sql, params, many, context)
        if CHANGE in sql and not self.locked:
            raise Violation("a cell is changed without its lock")
        self.locked = self.locked or BIRTH in sql
        answer = execute(sql, params, many, context)
        if LOCK in sql:
            self.locked = True
            self.points.pass_by("after lock")
        return answer


def hang_up(connection: BaseDatabaseWrapper) -> None:
    """What PostgreSQL does when a client is gone. The connection itself is kept with its plans: nobody sees those."""
    own: Any = connection
    if own.connection is None:
        return
    own.in_atomic_block = own.needs_rollback = False
    own.savepoint_ids, own.atomic_blocks, own.run_on_commit = [], [], []
    own.connection.rollback()
    own.connection.autocommit = own.autocommit = True
    own.connection.execute("SELECT pg_advisory_unlock_all()")


@contextmanager
def watched(connection: BaseDatabaseWrapper, points: Points, check: Callable[[], None]) -> Iterator[Watch]:
    """The connection tells of its transactions; `check` follows every commit that wrote something."""
    watch = Watch(connection, points, check)
    own: Any = connection
    own.set_autocommit, own.commit = watch.set_autocommit, watch.commit
    try:
        with connection.execute_wrapper(watch.statement):
            yield watch
    finally:
        del own.set_autocommit, own.commit
