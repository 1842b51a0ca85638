"""Orders and their executions."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE, MIN_PRICE
from portfolios.fields import MicrosField
from portfolios.models import ACTING_ROLES, Position
from trading.domain.choices import Side
from trading.domain.costs import Filled
from trading.domain.order_life import MOVES, OPEN_STATES


class OrderQuerySet(models.QuerySet["Order"]):
    def visible_to(self, user: Any) -> "OrderQuerySet":
        return self.filter(position__portfolio__memberships__user=user)

    def steered_by(self, user: Any) -> "OrderQuerySet":
        memberships = "position__portfolio__memberships__"
        return self.filter(**{f"{memberships}user": user, f"{memberships}role__in": ACTING_ROLES})

    def open(self) -> "OrderQuerySet":
        return self.filter(status__in=OPEN_STATES)


class Order(models.Model):
    """One order of one cell. `key` makes the robot's unique per quote and side, `client_order_id` at the broker."""

    class Origin(models.TextChoices):
        ROBOT = "robot"
        PERSON = "person"

    class Lasts(models.TextChoices):
        DAY = "day"
        UNTIL_CANCELLED = "gtc"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="orders")
    origin = models.CharField(max_length=6, choices=Origin.choices)
    key = models.CharField(max_length=120, unique=True)
    client_order_id = models.CharField(max_length=48, unique=True)
    side = models.CharField(max_length=4, choices=[("BUY", "BUY"), ("SELL", "SELL")])
    quantity = MicrosField()
    limit_price = MicrosField(null=True, blank=True)
    lasts = models.CharField(max_length=3, choices=Lasts.choices, default=Lasts.DAY)
    reason = models.CharField(max_length=24)
    status = models.CharField(max_length=16, choices=[(state, state) for state in MOVES], default="new")
    decision_price = MicrosField(null=True, blank=True)
    quote_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(help_text="Market time")
    market_day = models.DateField(null=True, blank=True, help_text="Exchange date for the daily limit")
    commission_rate = models.PositiveIntegerField(help_text="ppm, as decided")
    commission_min = MicrosField(default=0)
    filled_quantity = MicrosField(default=0)
    gross = MicrosField(default=0)
    rest = models.PositiveIntegerField(default=0)
    notional = MicrosField(default=0)
    fee = MicrosField(default=0)
    reserved_cash = MicrosField(default=0)
    reserved_shares = MicrosField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="Wall time of the last attempt")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Market time: of a proposal, or of the day")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["position"], condition=Q(status__in=OPEN_STATES), name="one_open_order_per_position"
            ),
            models.CheckConstraint(condition=Q(status__in=list(MOVES)), name="order_status_known"),
            models.CheckConstraint(condition=Q(side__in=["BUY", "SELL"]), name="order_side_known"),
            models.CheckConstraint(condition=Q(quantity__gt=0, quantity__lte=MAX_AMOUNT), name="order_quantity_range"),
            models.CheckConstraint(condition=Q(filled_quantity__gte=0), name="order_filled_no_less_than_nothing"),
            models.CheckConstraint(
                condition=Q(limit_price__isnull=True) | Q(limit_price__gte=MIN_PRICE, limit_price__lte=MAX_PRICE),
                name="order_limit_in_range",
            ),
        ]
        indexes = [
            models.Index(fields=["position", "-id"], name="order_by_position"),
            models.Index(fields=["position", "market_day"], name="order_by_day"),
            models.Index(fields=["status"], condition=Q(status__in=OPEN_STATES), name="order_still_open"),
            models.Index(fields=["expires_at"], condition=Q(status="proposed"), name="order_proposed"),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.public_id}"

    @property
    def side_asked(self) -> Side:
        return Side[self.side]

    @property
    def filled(self) -> Filled:
        return Filled(self.filled_quantity, self.gross, self.rest, self.notional, self.fee)


class ExecutionQuerySet(models.QuerySet["Execution"]):
    def visible_to(self, user: Any) -> "ExecutionQuerySet":
        return self.filter(order__position__portfolio__memberships__user=user)


class Execution(models.Model):
    """One fill as the broker reported it, booked once. Never changed: what was wrong is reversed by a second row."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="executions")
    account = models.CharField(max_length=48)
    broker_execution_id = models.CharField(max_length=80)
    quantity = MicrosField()
    price = MicrosField()
    notional = MicrosField(help_text="What this fill adds to the order's notional")
    commission = MicrosField(help_text="What this fill adds to the order's fee")
    commission_rate = models.PositiveIntegerField(help_text="ppm")
    reported_fee = MicrosField(null=True, help_text="As the broker named it; empty: ours")
    reverses = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="reversal")
    slippage_ppm = models.BigIntegerField(null=True, help_text="Against us, from the decision price")
    at = models.DateTimeField(help_text="Market time")
    recorded_at = models.DateTimeField()

    objects = ExecutionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "broker_execution_id"], name="execution_booked_once"),
            models.CheckConstraint(
                condition=Q(price__gt=0)
                & (Q(reverses__isnull=True, quantity__gt=0) | Q(reverses__isnull=False, quantity__lt=0)),
                name="execution_of_something",
            ),
            models.CheckConstraint(
                condition=Q(notional__gte=0, commission__gte=0) | Q(reverses__isnull=False),
                name="execution_costs_something",
            ),
        ]

    def __str__(self) -> str:
        return self.broker_execution_id
