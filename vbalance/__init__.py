"""The top floor: wires settings, URLs, Celery, the schedule and the set-up commands. Nothing imports it."""

from vbalance.celery import app as celery_app

__all__ = ["celery_app"]
