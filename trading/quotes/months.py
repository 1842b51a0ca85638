"""Months of quotes as partitions of the table: each is made before its first price comes."""

from datetime import UTC, date, datetime

from django.db import connection, transaction

AHEAD = 2
PATIENCE = "3s"  # for a lock that stands before all who ask for prices


def make_months(today: date) -> list[date]:
    """This day's month and those ahead; the ones that were made now."""
    first = today.replace(day=1)
    return [month for month in (later(first, number) for number in range(AHEAD + 1)) if make_month(month)]


@transaction.atomic
def make_month(month: date) -> bool:
    """Whether it was made now. What came for it before lay in the default partition and moves into it."""
    return bool(asked_function("market_quote_make_month", month))


def asked_function(name: str, month: date) -> object:
    """Of the table's owner, for the programs' role may neither make nor drop. Inside a transaction, and not for long.

    Raises OperationalError where a lock is not to be had in time.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
        cursor.execute(f"SELECT {name}(%s)", [month])
        return cursor.fetchone()[0]


def later(month: date, months: int) -> date:
    number = month.year * 12 + month.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def bounds(month: date) -> tuple[datetime, datetime]:
    """The first instant that is within, the first that is not (UTC)."""
    return midnight(month), midnight(later(month, 1))


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
