"""Halts: durable, read in the transaction that lets an order leave."""

import uuid

from django.db import models
from django.db.models import Q

from portfolios.models import Account, Portfolio, Position


class HaltQuerySet(models.QuerySet["Halt"]):
    def in_force(self) -> "HaltQuerySet":
        return self.filter(rearmed_at=None)

    def over(self, position: Position) -> "HaltQuerySet":
        return self.ever_over(position).in_force()

    def ever_over(self, position: Position) -> "HaltQuerySet":
        """Whatever stopped this cell: the house, its portfolio, its account, itself."""
        portfolio = position.portfolio
        scopes = Q(scope="global") | Q(portfolio=portfolio) | Q(account=portfolio.account_id) | Q(position=position)
        return self.filter(scopes)


class Halt(models.Model):
    class Scope(models.TextChoices):
        GLOBAL = "global"
        PORTFOLIO = "portfolio"
        ACCOUNT = "account"
        POSITION = "position"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    scope = models.CharField(max_length=10, choices=Scope.choices)
    portfolio = models.ForeignKey(Portfolio, null=True, blank=True, on_delete=models.PROTECT, related_name="halts")
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.PROTECT, related_name="halts")
    position = models.ForeignKey(Position, null=True, blank=True, on_delete=models.PROTECT, related_name="halts")
    reason = models.CharField(max_length=200)
    cancels = models.BooleanField(default=False, help_text="Whether orders at the broker are taken back too")
    halted_by = models.CharField(max_length=160)
    halted_at = models.DateTimeField()
    rearmed_by = models.CharField(max_length=160, blank=True, default="")
    rearmed_at = models.DateTimeField(null=True, blank=True)
    rearm_reason = models.CharField(max_length=200, blank=True, default="")

    objects = HaltQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "portfolio", "account", "position"],
                condition=Q(rearmed_at=None),
                nulls_distinct=False,
                name="one_halt_in_force_per_scope",
            ),
            models.CheckConstraint(
                condition=Q(scope="global", portfolio=None, account=None, position=None)
                | Q(scope="portfolio", portfolio__isnull=False, account=None, position=None)
                | Q(scope="account", portfolio=None, account__isnull=False, position=None)
                | Q(scope="position", portfolio=None, account=None, position__isnull=False),
                name="halt_names_its_scope",
            ),
        ]
        indexes = [models.Index(fields=["scope"], condition=Q(rearmed_at=None), name="halt_in_force")]

    def __str__(self) -> str:
        return f"{self.scope}: {self.reason}"
