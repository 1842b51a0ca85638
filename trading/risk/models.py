"""Halts: durable, read in the transaction that lets an order leave."""

import uuid
from typing import Any

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
        return self.reaching(position.portfolio_id, position.portfolio.account_id, position.pk)

    def reaching(self, portfolio: Any, account: Any, position: Any) -> "HaltQuerySet":
        """By the keys of a cell and what it belongs to, or by references to a query around this one."""
        return self.filter(Q(scope="global") | Q(portfolio=portfolio) | Q(account=account) | Q(position=position))

    def visible_to(self, user: Any) -> "HaltQuerySet":
        """Over anything he may see; the house is everybody's."""
        seen = Portfolio.objects.visible_to(user)
        return self.filter(Q(scope="global") | Q(account__in=seen.values("account")) | reached_by(user, seen))

    def steered_by(self, user: Any) -> "HaltQuerySet":
        """Those he may lift."""
        house = Q(scope="global") if user.is_superuser else Q(pk__in=[])
        return self.filter(house | reached_by(user, Portfolio.objects.steered_by(user)))


def reached_by(user: Any, portfolios: models.QuerySet[Portfolio]) -> Q:
    keys = portfolios.values("pk")
    return Q(portfolio__in=keys) | Q(position__portfolio__in=keys) | Q(account__owner=user)


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

    def stops(self, position: Position) -> bool:
        """Position with `portfolio`."""
        account = position.portfolio.account_id
        reached = {"portfolio": position.portfolio_id, "account": account, "position": position.pk}
        return self.scope == "global" or self.target_id == reached[self.scope]

    @property
    def over(self) -> str:
        """What is halted, in words. Needs the row it names."""
        if self.position:
            return f"the cell {self.position.symbol}"
        if self.portfolio:
            return f"the portfolio {self.portfolio.name}"
        return f"the account {self.account.name}" if self.account else "the whole house"

    @property
    def target_id(self) -> int | None:
        """The key of what is halted; the house needs none."""
        return self.portfolio_id or self.account_id or self.position_id
