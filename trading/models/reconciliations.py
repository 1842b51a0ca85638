"""How a broker's books compared with ours."""

import uuid

from django.db import models

from portfolios.models import Account


class Reconciliation(models.Model):
    """One comparison. `found` lists what was repaired and what differs: kind, subject, ours, theirs."""

    class Outcome(models.TextChoices):
        MATCHED = "matched"
        REPAIRED = "repaired"
        FROZEN = "frozen"
        UNANSWERED = "unanswered"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="reconciliations")
    why = models.CharField(max_length=20, help_text="start, reconnect, beat, person")
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    found = models.JSONField(default=list)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True, help_text="When a person settled what was frozen")
    settled_by = models.CharField(max_length=160, blank=True, default="")
    settled_how = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["account", "-id"], name="reconciliation_by_account")]

    def __str__(self) -> str:
        return f"{self.outcome} {self.started_at:%Y-%m-%d %H:%M}"
