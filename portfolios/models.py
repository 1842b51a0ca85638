"""Who owns what, and the append-only log of facts."""

import json
import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE
from portfolios.domain.chain import GENESIS
from portfolios.domain.exact import LARGEST
from portfolios.domain.fold import State
from portfolios.domain.holding import Holding
from portfolios.events import EventType
from portfolios.fields import MicrosField


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
        rules = ("portfolio__settings_version", "settings_version")
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
                condition=Q(shares__gte=0, shares__lte=MAX_AMOUNT, receivable__gte=0, receivable__lte=MAX_AMOUNT),
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
            models.Index(fields=["portfolio", "id"], name="event_by_portfolio"),
        ]

    def __str__(self) -> str:
        return f"{self.type} #{self.seq}"

    @property
    def content(self) -> dict[str, Any]:
        """The stored text as a mapping: the columns and settings, rule, inputs, outputs, message."""
        content: dict[str, Any] = json.loads(self.text)
        return content


class IdempotencyKey(models.Model):
    """The first answer to a request that moves money, given again to its repeats. Written in the same transaction."""

    portfolio = models.ForeignKey(Portfolio, on_delete=models.CASCADE)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["portfolio", "key"], name="idempotency_key_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_age")]

    def __str__(self) -> str:
        return self.key


class ApiToken(models.Model):
    """A key to the API: shown once, stored as a hash, expiring and revocable."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=8)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class FailedTask(models.Model):
    """A bell that failed for good: what it was to do, why it could not, and when it was rung again."""

    task = models.CharField(max_length=120)
    task_id = models.CharField(max_length=64)
    args = models.JSONField(default=list)
    kwargs = models.JSONField(default=dict)
    error = models.CharField(max_length=500)
    traceback = models.TextField(blank=True)
    times = models.PositiveIntegerField(default=1, help_text="How often in a row it failed like this")
    failed_at = models.DateTimeField(auto_now=True)
    replayed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.task} {self.task_id}"
