"""Evaluates many cells at one quote: locked together, decided one by one by the one rule, written together."""

from collections.abc import Sequence

from django.db import transaction

from portfolios.bulk import Batch
from portfolios.models import Portfolio, Position, SettingsVersion
from portfolios.prepared import PreparedRead, Slot, array_text
from trading.services.evaluation import Evaluation, evaluated
from trading.services.surroundings import Surroundings

LOCKED_CELLS = PreparedRead(
    lambda: Position.objects.filter(pk__is_any_of=Slot("cells")).select_for_update().order_by("pk")
)
PORTFOLIOS = PreparedRead(
    lambda: Portfolio.objects.select_related("settings_version", "account").filter(pk__is_any_of=Slot("portfolios"))
)
CHUNK = 500  # cells under one lock: long enough to share what all ask, short enough to wait for


@transaction.atomic
def evaluate_cells(*, position_ids: Sequence[int]) -> list[Evaluation]:
    """As `evaluate_position` for each of them, in the order of their keys; all is written or nothing.

    At most CHUNK of them, of one source. Whatever is wrong with one of them stops all: then evaluate them singly.
    """
    cells = locked_cells(position_ids)
    if not cells:
        return []
    around, batch = Surroundings(cells[0].source, cells), Batch()
    done = [evaluated(cell, around, keep=batch.keep) for cell in cells]
    batch.write()
    return done


def locked_cells(position_ids: Sequence[int]) -> list[Position]:
    """By primary key, as everybody locks them; those of one portfolio share it."""
    cells = LOCKED_CELLS.all(cells=array_text(position_ids))
    owners = array_text({cell.portfolio_id for cell in cells})
    portfolios = {portfolio.pk: portfolio for portfolio in PORTFOLIOS.all(portfolios=owners)}
    own = SettingsVersion.objects.in_bulk({cell.settings_version_id for cell in cells if cell.settings_version_id})
    for cell in cells:
        cell.portfolio = portfolios[cell.portfolio_id]
        cell.settings_version = own.get(cell.settings_version_id)
    return cells
