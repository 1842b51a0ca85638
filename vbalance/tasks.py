"""The one bell of this floor: a worker notes that beat and itself are alive."""

import time

from celery import shared_task
from django.core.cache import cache

from vbalance.health import BEAT_NOTE


@shared_task
def note_beat() -> None:
    cache.set(BEAT_NOTE, time.time(), timeout=None)
