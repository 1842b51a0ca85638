"""How a broker's books compared with ours, and what it holds that is nobody's cell."""

import uuid

from django.db import models

from portfolios.fields import MicrosField
from portfolios.models import Account


class Reconciliation(models.Model):
    """One comparison, or several in a row that found the same. `found`: lines as `trading.domain.books` has them."""

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
    times = models.PositiveIntegerField(default=1, help_text="How often in a row this was found")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(help_text="Of the last of them")
    settled_at = models.DateTimeField(null=True, blank=True, help_text="When a person settled what was frozen")
    settled_by = models.CharField(max_length=160, blank=True, default="")
    settled_how = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["account", "-id"], name="reconciliation_by_account")]

    def __str__(self) -> str:
        return f"{self.outcome} {self.started_at:%Y-%m-%d %H:%M}"


class AccountEntry(models.Model):
    """What moved money at the broker and is no fill, as its list has it, and what became of it here."""

    class Kind(models.TextChoices):
        FEE = "fee", "Fee"
        DIVIDEND = "dividend", "Dividend"
        TAX = "tax", "Tax on a dividend"
        TRANSFER = "transfer", "Transfer"
        OTHER = "other", "Other"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        BOOKED = "booked", "Booked"
        MATCHED = "matched", "Equal"
        NOTED = "noted", "Noted"
        SETTLED = "settled", "Settled"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="entries")
    entry_id = models.CharField(max_length=128)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=20, help_text="In the broker's own letters")
    day = models.DateField()
    symbol = models.CharField(max_length=12, blank=True, default="")
    amount = models.BigIntegerField(default=0, help_text="Signed, in micros")
    shares = models.BigIntegerField(default=0, help_text="Signed, in micros")
    words = models.CharField(max_length=200, blank=True, default="", help_text="In the broker's own words")
    state = models.CharField(max_length=7, choices=State.choices, default=State.OPEN)
    note = models.CharField(max_length=200, blank=True, default="")
    of = models.CharField(max_length=60, blank=True, default="", help_text="What of ours it was laid beside")
    short = models.BigIntegerField(default=0, help_text="By how much less it is than ours, in micros")
    seen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "entry_id"], name="account_entry_once")]
        indexes = [models.Index(fields=["account", "day"], name="account_entry_by_day")]
        verbose_name_plural = "account entries"

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        return " ".join(part for part in (self.name, self.symbol, str(self.day)) if part)


class AccountHolding(models.Model):
    """Shares at the broker beyond those of our cells, as a person confirmed them; below zero: that many fewer."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="holdings")
    symbol = models.CharField(max_length=12)
    outside = MicrosField()
    confirmed_by = models.CharField(max_length=160)
    confirmed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "symbol"], name="held_outside_once")]

    def __str__(self) -> str:
        return f"{self.symbol} outside the cells"
