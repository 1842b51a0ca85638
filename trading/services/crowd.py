"""Evaluates many cells at one quote: locked together, decided one by one by the one rule, written together."""

from collections.abc import Sequence

from django.db import transaction

from portfolios.bulk import Batch
from portfolios.models import Portfolio, Position, SettingsVersion
from trading.services.evaluation import Evaluation, evaluated
from trading.services.surroundings import Together

CHUNK = 250  # cells under one lock: long enough to share what all ask, short enough to wait for


@transaction.atomic
def evaluate_cells(*, position_ids: Sequence[int]) -> list[Evaluation]:
    """As `evaluate_position` for each of them, in the order of their keys; all is written or nothing.

    At most CHUNK of them, of one source. Whatever is wrong with one of them stops all: then evaluate them singly.
    """
    cells = locked_cells(position_ids)
    if not cells:
        return []
    around, batch = Together(cells[0].source, cells), Batch()
    done = [evaluated(cell, around, keep=batch.keep) for cell in cells]
    batch.write()
    return done


def locked_cells(position_ids: Sequence[int]) -> list[Position]:
    """By primary key, as everybody locks them; those of one portfolio share it."""
    cells = list(Position.objects.filter(pk__in=position_ids).select_for_update().order_by("pk"))
    owners = {cell.portfolio_id for cell in cells}
    portfolios = Portfolio.objects.select_related("settings_version", "account").in_bulk(owners)
    own = SettingsVersion.objects.in_bulk({cell.settings_version_id for cell in cells if cell.settings_version_id})
    for cell in cells:
        cell.portfolio = portfolios[cell.portfolio_id]
        cell.settings_version = own.get(cell.settings_version_id)
    return cells
