"""People, their portfolios, and who may enter them."""

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q

from portfolios.domain.chain import GENESIS


class User(AbstractUser):
    """Our own class from the first migration, because it cannot be swapped later."""


class Role(models.TextChoices):
    OWNER = "owner"
    TRADER = "trader"
    VIEWER = "viewer"


ACTING_ROLES = (Role.OWNER, Role.TRADER)


class PortfolioQuerySet(models.QuerySet["Portfolio"]):
    def visible_to(self, user: Any) -> "PortfolioQuerySet":
        return self.filter(memberships__user=user)

    def steered_by(self, user: Any) -> "PortfolioQuerySet":
        return self.filter(memberships__user=user, memberships__role__in=ACTING_ROLES)

    def owned_by(self, user: Any) -> "PortfolioQuerySet":
        return self.filter(memberships__user=user, memberships__role=Role.OWNER)


class Portfolio(models.Model):
    class Mode(models.TextChoices):
        PAPER = "paper"
        LIVE = "live"

    class Status(models.TextChoices):
        ACTIVE = "active"
        CLOSED = "closed"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="owned_portfolios")
    name = models.CharField(max_length=80)
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.PAPER)
    source = models.CharField(
        max_length=20, default="replay", help_text="Where its prices and its market time come from"
    )
    account = models.ForeignKey("Account", on_delete=models.PROTECT, related_name="portfolios")
    approve_first = models.BooleanField(default=False, help_text="The robot proposes, a person sends")
    paper_slippage = models.PositiveIntegerField(default=0, help_text="What the paper broker adds against us, in ppm")
    state = models.CharField(max_length=12, choices=Status.choices, default=Status.ACTIVE)
    settings_version = models.ForeignKey(
        "SettingsVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    event_seq = models.BigIntegerField(default=0, editable=False)
    event_hash = models.CharField(max_length=64, default=GENESIS, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PortfolioQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(paper_slippage__lte=100_000), name="portfolio_slippage_at_most_1000_bps"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    portfolio = models.ForeignKey(Portfolio, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role.choices)
    by_group = models.BooleanField(default=False, help_text="Given, and taken away, by the identity provider's groups")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["portfolio", "user"], name="one_membership_each"),
            # At most one here; that there is one, a deferred trigger checks at commit.
            models.UniqueConstraint(fields=["portfolio"], condition=Q(role="owner"), name="one_owner_each"),
            models.CheckConstraint(condition=~Q(role="owner", by_group=True), name="no_group_owns"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.portfolio}"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open_at(self, now: datetime) -> "InvitationQuerySet":
        return self.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=now)


class Invitation(models.Model):
    """A way into a portfolio for whoever holds its secret: stored as a hash, good once, for a week."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    portfolio = models.ForeignKey(Portfolio, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(blank=True, default="", help_text="Whom it is for; empty: whoever has the link")
    role = models.CharField(max_length=8, choices=Role.choices)
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.CharField(max_length=160)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(role="owner"), name="ownership_is_transferred_not_offered")]

    def __str__(self) -> str:
        return f"{self.role} of {self.portfolio}"
