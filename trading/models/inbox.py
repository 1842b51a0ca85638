"""What brokers tell us, by whatever channel: stored as it came, then worked on."""

import uuid

from django.db import models
from django.db.models import Q

from portfolios.models import Account
from trading.models.orders import Order


class InboxMessage(models.Model):
    """One delivery of a webhook, a stream or a poll. Its body is stored before it is understood."""

    class Channel(models.TextChoices):
        WEBHOOK = "webhook"
        STREAM = "stream"
        POLL = "poll"

    class Status(models.TextChoices):
        RECEIVED = "received"
        PROCESSED = "processed"
        PARKED = "parked"
        REFUSED = "refused"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="messages")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    delivery_id = models.CharField(max_length=160)
    body = models.TextField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RECEIVED)
    note = models.CharField(max_length=300, blank=True, default="")
    order = models.ForeignKey(Order, null=True, blank=True, on_delete=models.PROTECT, related_name="messages")
    attempts = models.PositiveIntegerField(default=0)
    received_at = models.DateTimeField(auto_now_add=True)
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "channel", "delivery_id"], name="message_delivered_once"),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(status__in=["received", "parked"]), name="message_to_be_worked_on"),
            models.Index(fields=["account", "-id"], name="message_by_account"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.delivery_id}"
