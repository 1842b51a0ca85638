"""Reads of runs: what is recorded for them, which are somebody's, which wait for a worker."""

from datetime import timedelta
from time import monotonic, sleep
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from trading.simulation.locks import key_of, worked_on
from trading.simulation.models import UNFINISHED, SimulationRun

PATIENCE = timedelta(seconds=5)
SOON, LOOK_AGAIN = 0.7, 0.015  # seconds
AT_A_TIME = 20
HEAVY = ("series", "result")


def over_soon(run_id: int) -> bool:
    """Waits for a run's end for as long as it takes to draw a page that says it waits; most are over sooner."""
    until = monotonic() + SOON
    while SimulationRun.objects.filter(pk=run_id, status__in=UNFINISHED).exists():
        if monotonic() > until:
            return False
        sleep(LOOK_AGAIN)
    return True


def runs_of(user: Any) -> QuerySet[SimulationRun]:
    """His own, without what is long: for lists."""
    return SimulationRun.objects.visible_to(user).defer(*HEAVY)


def runs_waiting() -> list[int]:
    """Whose bell was not heard, or whose worker died: nobody is at them. Oldest first, a few at a time."""
    unfinished = SimulationRun.objects.filter(status__in=UNFINISHED)
    asked = unfinished.filter(created_at__lt=timezone.now() - PATIENCE).order_by("pk")
    rows = list(asked.values_list("pk", flat=True)[: 2 * AT_A_TIME])
    held = worked_on() if rows else set()
    return [pk for pk in rows if key_of(pk) not in held][:AT_A_TIME]
