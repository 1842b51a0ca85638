"""Where orders go: accounts at brokers, and the house itself as the row that global facts are chained to."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from portfolios.domain.chain import GENESIS


class Account(models.Model):
    """An account at a broker. It may trade once its books were found equal to ours, and live only when armed."""

    class Mode(models.TextChoices):
        PAPER = "paper"
        LIVE = "live"

    class Status(models.TextChoices):
        ACTIVE = "active"
        FROZEN = "frozen"
        CLOSED = "closed"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="accounts")
    name = models.CharField(max_length=80)
    code = models.CharField(max_length=48, unique=True, help_text="The account as executions name it")
    adapter = models.CharField(max_length=20, default="paper", help_text="A name in settings.BROKERS")
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.PAPER)
    sealed = models.TextField(blank=True, default="", help_text="Credentials, encrypted; shown never")
    latency_ms = models.PositiveIntegerField(default=0, help_text="Paper: market time before an order can fill")
    most_per_quote = models.BigIntegerField(default=0, help_text="Paper: micro-shares one quote can fill; 0 for all")
    state = models.CharField(max_length=8, choices=Status.choices, default=Status.ACTIVE)
    armed_at = models.DateTimeField(null=True, blank=True)
    doubted_at = models.DateTimeField(null=True, blank=True, help_text="Since when its books must be compared anew")
    reconciled_at = models.DateTimeField(null=True, blank=True, help_text="When its books were last found equal")
    heartbeat_seconds = models.PositiveIntegerField(default=0, help_text="How often its fill channel speaks; 0: asked")
    heard_at = models.DateTimeField(null=True, blank=True, help_text="When its fill channel last spoke")
    fills_seen = models.CharField(max_length=120, blank=True, default="", help_text="The broker's cursor of fills")
    event_seq = models.BigIntegerField(default=0, editable=False)
    event_hash = models.CharField(max_length=64, default=GENESIS, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(mode="live") | Q(armed_at__isnull=True), name="only_live_accounts_are_armed"
            ),
            models.CheckConstraint(condition=Q(most_per_quote__gte=0), name="account_fills_no_less_than_nothing"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.adapter})"


class House(models.Model):
    """One row: the stream of what concerns everybody."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(max_length=8, default="active")
    event_seq = models.BigIntegerField(default=0, editable=False)
    event_hash = models.CharField(max_length=64, default=GENESIS, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="there_is_one_house")]

    def __str__(self) -> str:
        return "the house"
