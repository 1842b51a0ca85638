"""The beat scheduler: creates missing rows at start-up and never overwrites what an admin set."""

from typing import Any

from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler


class KeepingScheduler(DatabaseScheduler):
    """The library's scheduler rewrites each row from the settings at start; here a row that exists is kept as it is."""

    def update_from_dict(self, mapping: dict[str, Any]) -> None:
        known = set(PeriodicTask.objects.filter(name__in=mapping).values_list("name", flat=True))
        super().update_from_dict({name: entry for name, entry in mapping.items() if name not in known})
