"""The scene of benchmarks/orders.py: as many cells as there will be orders, and tokens to place them with."""

from django.core.management import call_command
from django.db import connection

from portfolios.models import Position
from portfolios.services.tokens import create_token
from tests.factories import FIRST_DAY, make_portfolio, make_quote
from trading.models import Order


def prepare(cells: int, tokens: int) -> dict[str, list[str]]:
    call_command("migrate", verbosity=0)
    portfolio = make_portfolio()
    make_quote()
    cell = {"portfolio": portfolio, "source": portfolio.source, "symbol": "IBM", "opened_on": FIRST_DAY}
    amounts = {"shares": 100_000_000, "cash": 10_000_000_000, "anchor": 100_000_000}
    made = Position.objects.bulk_create(Position(**cell, **amounts) for _ in range(cells))
    secrets = [create_token(user=portfolio.owner, name="orders", scopes=["trade"], days=1)[1] for _ in range(tokens)]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {"cells": [str(position.public_id) for position in made], "tokens": secrets}


def count() -> dict[str, int]:
    """Orders that were kept, by way."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM rival_order), (SELECT count(*) FROM rival_event)")
        ((both, checked),) = cursor.fetchall()
    return {"ours": Order.objects.count(), "fastapi": both - checked, "checked": checked}
