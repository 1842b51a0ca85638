"""Bells that failed for good: what became of them."""

from django.utils import timezone

from portfolios.models import FailedTask


def note_replay(*, failed_task_id: int) -> None:
    """The task is in its queue again; the latest time counts."""
    FailedTask.objects.filter(pk=failed_task_id).update(replayed_at=timezone.now())
