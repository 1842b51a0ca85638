"""Cells and the settings they live by."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE, MICROS
from portfolios.domain.chain import GENESIS
from portfolios.domain.exact import LARGEST
from portfolios.domain.fold import State
from portfolios.domain.holding import Holding
from portfolios.fields import MicrosField
from portfolios.models.people import ACTING_ROLES, Portfolio


class SettingsVersion(models.Model):
    """What somebody set, for a portfolio or as overrides for one cell. Immutable: a change is a new version."""

    portfolio = models.ForeignKey(Portfolio, on_delete=models.PROTECT, related_name="settings_versions")
    position = models.ForeignKey(
        "Position", null=True, blank=True, on_delete=models.PROTECT, related_name="settings_versions"
    )
    number = models.PositiveIntegerField()
    given = models.JSONField(default=dict)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["portfolio", "position", "number"], name="settings_numbered_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"version {self.number}"


class SettingsPreset(models.Model):
    """Settings a person keeps under a name, to begin other cells and portfolios with."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="presets")
    name = models.CharField(max_length=40)
    given = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="preset_named_once")]

    def __str__(self) -> str:
        return self.name


class PositionQuerySet(models.QuerySet["Position"]):
    def visible_to(self, user: Any) -> "PositionQuerySet":
        return self.filter(portfolio__memberships__user=user)

    def steered_by(self, user: Any) -> "PositionQuerySet":
        return self.filter(portfolio__memberships__user=user, portfolio__memberships__role__in=ACTING_ROLES)

    def locked(self) -> "PositionQuerySet":
        """The row every write takes first; in bulk always ordered by primary key."""
        rules = ("portfolio__settings_version", "portfolio__account", "settings_version")
        return self.select_related(*rules).select_for_update(of=("self",)).order_by("pk")


class Position(models.Model):
    """A cell: shares of one symbol plus its own cash. Amounts in millionths; anchor 0 while absent."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"
        QUARANTINED = "quarantined"
        CLOSED = "closed"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    portfolio = models.ForeignKey(Portfolio, on_delete=models.PROTECT, related_name="positions")
    source = models.CharField(max_length=20, help_text="The portfolio's, kept here for the wake-up index")
    symbol = models.CharField(max_length=12)
    shares = MicrosField(default=0)
    cash = MicrosField(default=0)
    receivable = MicrosField(default=0)
    reserved_cash = MicrosField(default=0)
    reserved_shares = MicrosField(default=0)
    anchor = MicrosField(default=0)
    state = models.CharField(max_length=12, choices=Status.choices, default=Status.ACTIVE)
    lot = MicrosField(
        default=1, db_default=1, help_text="The smallest step of an order that its instrument and its account allow"
    )
    settings_version = models.ForeignKey(
        SettingsVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    wake_below = models.BigIntegerField(default=LARGEST)
    wake_above = models.BigIntegerField(default=0)
    quote_at = models.DateTimeField(null=True, blank=True, help_text="Market time of the last quote evaluated")
    skip_mark = models.CharField(max_length=160, blank=True, default="", help_text="The running span of one skip")
    opened_on = models.DateField(null=True, blank=True, help_text="Market day on which the cell began")
    event_seq = models.BigIntegerField(default=0)
    event_hash = models.CharField(max_length=64, default=GENESIS)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PositionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["symbol", "source", "wake_below"], name="position_wakes_below"),
            models.Index(fields=["symbol", "source", "wake_above"], name="position_wakes_above"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(shares__lte=MAX_AMOUNT, receivable__gte=0, receivable__lte=MAX_AMOUNT)
                & (Q(shares__gte=0) | Q(state="quarantined")),
                name="position_holds_no_less_than_nothing",
            ),
            models.CheckConstraint(
                condition=Q(cash__lte=MAX_AMOUNT) & (Q(cash__gte=0) | Q(state="quarantined")),
                name="position_cash_below_zero_is_quarantined",
            ),
            models.CheckConstraint(
                condition=Q(reserved_cash__gte=0, reserved_shares__gte=0), name="position_reserves_no_less_than_nothing"
            ),
            models.CheckConstraint(condition=Q(anchor__gte=0, anchor__lte=MAX_PRICE), name="position_anchor_in_range"),
            models.CheckConstraint(condition=Q(lot__gte=1, lot__lte=MICROS), name="position_lot_up_to_a_share"),
            models.CheckConstraint(
                condition=Q(state__in=["active", "paused", "quarantined", "closed"]), name="position_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} in {self.portfolio}"

    @property
    def holding(self) -> Holding:
        return Holding(self.shares, self.cash, self.receivable, self.reserved_cash, self.reserved_shares, self.anchor)

    @property
    def folded(self) -> State:
        """The part of the row that the fold of its events must give back."""
        return State(
            self.shares,
            self.cash,
            self.receivable,
            self.reserved_cash,
            self.reserved_shares,
            self.anchor,
            self.state,
        )
