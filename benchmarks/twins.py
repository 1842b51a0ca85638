"""A crowd of cells: the demo's four with their whole history, copied as often as asked for by the database itself."""

from datetime import date

from django.db import connection

from benchmarks.ways import feed, prepare
from portfolios.models import Event, Portfolio, Position, User
from portfolios.services.portfolios import create_portfolio
from reporting.models import DailySnapshot
from reporting.snapshots import sum_days, write_snapshots
from trading.services.demonstration import create_demo

PORTFOLIOS = 10
TWINS = """
    CREATE TEMPORARY TABLE twin AS
    SELECT cell.id AS cell_id, gen_random_uuid() AS public_id, portfolio.id AS portfolio_id
      FROM generate_series(0, %s - 1) AS number
      JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS place FROM portfolios_position) AS cell
        ON cell.place = number %% (SELECT count(*) FROM portfolios_position)
      JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place
              FROM portfolios_portfolio WHERE owner_id = %s) AS portfolio
        ON portfolio.place = number %% %s
"""
OF_TWIN = "md5({}::text || twin.public_id::text)"
# What a copy of a row says differently; all other columns are as they were. Tables in the order they refer.
COPIES = {
    "portfolios_position": {
        "from": "JOIN twin ON twin.cell_id = row.id",
        "public_id": "twin.public_id",
        "portfolio_id": "twin.portfolio_id",
    },
    "portfolios_event": {
        "from": "JOIN portfolios_position AS cell ON cell.public_id = row.stream_id"
        " JOIN twin ON twin.cell_id = cell.id",
        "stream_id": "twin.public_id",
        "portfolio_id": "twin.portfolio_id",
        "subject": f"{OF_TWIN.format('row.subject')}::uuid",
    },
    "trading_order": {
        "from": "JOIN twin ON twin.cell_id = row.position_id"
        " JOIN portfolios_position AS copy ON copy.public_id = twin.public_id",
        "position_id": "copy.id",
        "public_id": f"{OF_TWIN.format('row.public_id')}::uuid",
        "key": OF_TWIN.format("row.key"),
        "client_order_id": OF_TWIN.format("row.client_order_id"),
    },
    "trading_execution": {
        "from": "JOIN trading_order AS filled ON filled.id = row.order_id"
        " JOIN twin ON twin.cell_id = filled.position_id"
        f" JOIN trading_order AS copy ON copy.public_id = {OF_TWIN.format('filled.public_id')}::uuid",
        "order_id": "copy.id",
        "broker_execution_id": OF_TWIN.format("row.broker_execution_id"),
    },
}
OF_CELL = {
    "from": "JOIN twin ON twin.cell_id = row.position_id"
    " JOIN portfolios_position AS copy ON copy.public_id = twin.public_id",
    "position_id": "copy.id",
}
COPIES |= dict.fromkeys(("dividends_entitlement", "reporting_dailysnapshot"), OF_CELL)


def gather(cells: int, until: date) -> User:
    """The investor who owns them all: ten portfolios, every cell with all that a real one has."""
    if not Position.objects.exists():
        prepare("")
        create_demo()
        feed(until.isoformat())
        write_snapshots()
    investor = User.objects.create_superuser("investor")
    for number in range(PORTFOLIOS):
        create_portfolio(owner=investor, name=f"Portfolio {number}")
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute(TWINS, [cells, investor.pk, PORTFOLIOS])
        for table, says in COPIES.items():
            cursor.execute(copying(cursor, table, says))
        portfolios = list(Portfolio.objects.filter(owner=investor).values_list("pk", flat=True))
        days = set(DailySnapshot.objects.values_list("day", flat=True))
        sum_days({(portfolio, day) for portfolio in portfolios for day in days})
        cursor.execute("VACUUM ANALYZE")
    return investor


def copying(cursor: object, table: str, says: dict[str, str]) -> str:
    columns = [column.name for column in connection.introspection.get_table_description(cursor, table)]
    columns.remove("id")
    values = [says.get(column, f'row."{column}"') for column in columns]
    names = ", ".join(f'"{column}"' for column in columns)
    return (
        f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM {table} AS row {says['from']} ORDER BY row.id"
    )


def described() -> str:
    return f"{Position.objects.count():,} cells, {Event.objects.count():,} events"
