"""The append-only log of facts."""

import json
from typing import Any

from django.db import models

from portfolios.events import EventType
from portfolios.fields import MicrosField
from portfolios.models.cells import Position
from portfolios.models.people import Portfolio


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, user: Any) -> "EventQuerySet":
        return self.filter(portfolio__memberships__user=user)

    def of(self, subject: "Position | Portfolio") -> "EventQuerySet":
        return self.filter(stream_id=subject.public_id).order_by("seq")


class Event(models.Model):
    """One fact, never changed: what happened, the amounts it moved, and the hash that chains it to the one before."""

    class Stream(models.TextChoices):
        POSITION = "position"
        PORTFOLIO = "portfolio"
        ACCOUNT = "account"
        GLOBAL = "global"

    portfolio = models.ForeignKey(Portfolio, null=True, on_delete=models.PROTECT, related_name="events")
    stream = models.CharField(max_length=10, choices=Stream.choices)
    stream_id = models.UUIDField()
    seq = models.BigIntegerField()
    type = models.CharField(max_length=24, choices=EventType.choices)
    market_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    actor = models.CharField(max_length=160)
    subject = models.UUIDField(null=True)
    d_shares = MicrosField(default=0)
    d_cash = MicrosField(default=0)
    d_receivable = MicrosField(default=0)
    d_reserved_cash = MicrosField(default=0)
    d_reserved_shares = MicrosField(default=0)
    anchor_after = MicrosField(default=0)
    state_after = models.CharField(max_length=12)
    text = models.TextField(
        help_text="Canonical JSON: all of the above with settings, rule version, inputs and outputs"
    )
    prev_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream_id", "seq"], name="event_seq_once_per_stream")]
        indexes = [
            models.Index(fields=["stream_id", "type", "seq"], name="event_by_type"),
            models.Index(fields=["stream_id", "market_at"], name="event_by_day"),
            models.Index(fields=["portfolio", "id"], name="event_by_portfolio"),
            # For the audit: what is rare in a long log is found without reading all of it.
            models.Index(fields=["portfolio", "type", "id"], name="event_by_kind"),
            models.Index(fields=["portfolio", "market_at", "id"], name="event_by_market_day"),
            models.Index(
                fields=["portfolio", "id"],
                condition=models.Q(actor__startswith="user:") | models.Q(actor__startswith="token:"),
                name="event_by_people",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} #{self.seq}"

    @property
    def content(self) -> dict[str, Any]:
        """The stored text as a mapping: the columns and settings, rule, inputs, outputs, message."""
        content: dict[str, Any] = json.loads(self.text)
        return content
