"""The Celery application. Tasks are bells: the rows they ring for are the queue."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vbalance.settings")

SOON = 10  # seconds after which nobody need look any more: beat has rung since

app = Celery("vbalance", amqp="vbalance.queue:Queue")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Being connected is enough: Celery then leaves the logging, and its level, as Django's settings made it."""


@beat_init.connect
def compare_books(**_: Any) -> None:
    """The house starts with its beat: before anything trades at a broker elsewhere, its books are compared."""
    app.send_task("trading.tasks.reconcile_accounts", kwargs={"why": "start"})


@beat_init.connect
@worker_ready.connect
def look_around(**_: Any) -> None:
    """Bells may have been lost with whoever was there before: what waits is looked for now, not at the next turn."""
    for sweeper in ("ring_waiting", "ring_inbox"):
        app.send_task(f"trading.tasks.{sweeper}", expires=SOON)
