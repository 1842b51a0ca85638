"""Bells of the night: what is looked over, moved and forgotten once a day."""

import structlog
from celery import shared_task
from django.utils import timezone

from portfolios.tasks import Bell
from trading.audit import unsound
from trading.bars.keeping import sweep_all
from trading.bars.uploads import forget_old
from trading.quotes.months import make_months
from trading.quotes.moving import move_old_months
from trading.services import inbox, intake, reconciliation
from trading.simulation.services import forget_undone

log = structlog.get_logger(__name__)


@shared_task(base=Bell)
def forget_old_heartbeats() -> None:
    inbox.forget_old_heartbeats()


@shared_task(base=Bell)
def forget_old_refusals() -> None:
    intake.forget_old_refusals()


@shared_task(base=Bell)
def prune_reconciliations() -> None:
    reconciliation.prune_reconciliations()


@shared_task(base=Bell)
def forget_undone_runs() -> None:
    forget_undone()


@shared_task(base=Bell)
def sweep_bars() -> None:
    """Files of bars that no catalogue names, and sent ones that nobody said yes to."""
    sweep_all()
    forget_old()


@shared_task(base=Bell)
def make_quote_months() -> None:
    """Partitions for the quotes of this month and the next; what comes without one lies in the default partition."""
    make_months(timezone.now().date())


@shared_task(base=Bell)
def move_old_quotes() -> None:
    """Months long past into files."""
    move_old_months()


@shared_task(base=Bell)
def audit() -> None:
    """Nightly, after the log itself was verified: everything else that must hold."""
    lines = list(unsound())
    for line in lines:
        log.error("audit", finding=line)
    if lines:
        raise RuntimeError(f"{len(lines)} findings: see manage.py audit")
