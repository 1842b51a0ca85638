"""The Celery application. Tasks are bells: the rows they ring for are the queue."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vbalance.settings")

app = Celery("vbalance")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
