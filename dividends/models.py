"""Dividends and splits as announced, and what each cell got from them."""

from typing import Any

from django.db import models
from django.db.models import F, Q

from portfolios.fields import MicrosField
from portfolios.models import Position


class Dividend(models.Model):
    """Cash per share for holders at the close before the ex-date. An unknown pay date is assumed and marked."""

    symbol = models.CharField(max_length=12)
    ex_date = models.DateField()
    pay_date = models.DateField()
    pay_date_assumed = models.BooleanField(default=False)
    dps = MicrosField(help_text="Per share")
    source = models.CharField(max_length=20)
    cancelled_at = models.DateTimeField(null=True, blank=True, help_text="Taken back: nobody gets it")
    told_by = models.CharField(
        max_length=160, blank=True, default="", help_text="Who said these terms; empty: a record"
    )
    told_at = models.DateTimeField(null=True, blank=True, help_text="When these terms were said; empty: when created")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "symbol", "ex_date"], name="dividend_once"),
            models.CheckConstraint(condition=Q(dps__gt=0, dps__lte=10**12), name="dividend_in_range"),
            models.CheckConstraint(condition=Q(pay_date__gte=F("ex_date")), name="dividend_paid_after_ex_date"),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.ex_date}"


class EntitlementQuerySet(models.QuerySet["Entitlement"]):
    def visible_to(self, user: Any) -> "EntitlementQuerySet":
        return self.filter(position__portfolio__memberships__user=user)


class Entitlement(models.Model):
    """What one cell is owed for one dividend; the row is also the mark that its ex-date has been handled."""

    class Status(models.TextChoices):
        RECEIVABLE = "receivable"
        PAID = "paid"
        CANCELLED = "cancelled"

    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="entitlements")
    dividend = models.ForeignKey(Dividend, on_delete=models.PROTECT, related_name="entitlements")
    shares = MicrosField()
    gross = MicrosField()
    tax = MicrosField()
    net = MicrosField()
    withholding = models.PositiveIntegerField(null=True, help_text="In ppm, as on the ex-date")
    account = models.CharField(max_length=48, blank=True, default="", help_text="Where the shares were held")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RECEIVABLE)

    objects = EntitlementQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["position", "dividend"], name="entitled_once")]
        indexes = [models.Index(fields=["dividend"], condition=Q(status="receivable"), name="entitlement_unpaid")]

    def __str__(self) -> str:
        return f"{self.dividend} for {self.position_id}"


class Split(models.Model):
    """numerator new shares for denominator old ones, from the first price of the ex-date on."""

    symbol = models.CharField(max_length=12)
    ex_date = models.DateField()
    numerator = models.PositiveIntegerField()
    denominator = models.PositiveIntegerField()
    source = models.CharField(max_length=20)
    cancelled_at = models.DateTimeField(null=True, blank=True, help_text="Taken back before any cell was split")
    told_by = models.CharField(
        max_length=160, blank=True, default="", help_text="Who said these terms; empty: a record"
    )
    told_at = models.DateTimeField(null=True, blank=True, help_text="When these terms were said; empty: when created")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "symbol", "ex_date"], name="split_once"),
            models.CheckConstraint(condition=Q(numerator__gt=0, denominator__gt=0), name="split_ratio_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.numerator}:{self.denominator} {self.ex_date}"


class SplitApplication(models.Model):
    """The mark that a cell has been split, so that it is not split again."""

    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="splits")
    split = models.ForeignKey(Split, on_delete=models.PROTECT, related_name="applications")
    shares_before = MicrosField()
    shares_after = MicrosField()
    cash_in_lieu = MicrosField(default=0)
    account = models.CharField(max_length=48, blank=True, default="", help_text="Where the shares were held")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["position", "split"], name="split_applied_once")]

    def __str__(self) -> str:
        return f"{self.split} for {self.position_id}"


class ActionsAnswer(models.Model):
    """A feed of corporate actions, or a person, has said all there is for a symbol on a day: what is not there is not.

    Until it has, a gap in the price overnight may be a split that nobody has told us of.
    """

    source = models.CharField(max_length=20, help_text="Of prices")
    symbol = models.CharField(max_length=12)
    day = models.DateField()
    by = models.CharField(max_length=160, help_text="Which feed, or who")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "symbol", "day"], name="actions_answered_once")]

    def __str__(self) -> str:
        return f"{self.symbol} {self.day}"
