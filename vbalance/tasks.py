"""Bells of this floor: a worker notes that it is alive; the snapshots of reporting, which rings none, are kept."""

import time

from celery import shared_task
from celery.signals import worker_ready
from django.core.cache import cache

from portfolios.tasks import Bell
from reporting.snapshots import write_snapshots
from vbalance.health import BEAT_NOTE
from vbalance.preparation import tell_of_guards

worker_ready.connect(tell_of_guards)


@shared_task
def note_beat() -> None:
    cache.set(BEAT_NOTE, time.time(), timeout=None)


@shared_task(base=Bell)
def keep_snapshots() -> None:
    """After a session's close its day is written for good; until then it is as of the last bell."""
    write_snapshots()
