"""What was asked of the past, how far it is, and what came of it. Nothing here touches a cell."""

import uuid
from typing import Any

from django.db import models
from django.db.models import F, Q

from portfolios.fields import MicrosField
from portfolios.models import User
from trading.bars.resolutions import DAILY, RESOLUTIONS


class Work(models.Model):
    """Something long that a worker does in the background and a person may stop. done/total: how far it is."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="%(class)ss")
    name = models.CharField(max_length=120, blank=True, default="")
    symbol = models.CharField(max_length=12)
    resolution = models.CharField(
        max_length=5, choices=[(name, name) for name in RESOLUTIONS], default=DAILY, help_text="How long a bar lasts"
    )
    first_day = models.DateField()
    last_day = models.DateField()
    cash = MicrosField()
    in_stock = models.PositiveIntegerField(help_text="Part of the cash that is stock at the first close, ppm")
    slippage = models.PositiveIntegerField(help_text="Of the price, ppm")
    settings = models.JSONField(default=dict, help_text="As people write them; what is not given is the default")
    settings_sha256 = models.CharField(max_length=64)
    rule_version = models.CharField(max_length=64)
    data_sha256 = models.CharField(max_length=64, blank=True, default="", help_text="Of the bars and corporate actions")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.QUEUED)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=1)
    failure = models.CharField(max_length=200, blank=True, default="")
    result = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name or f"{self.symbol} {self.first_day} to {self.last_day}"

    @property
    def is_over(self) -> bool:
        return self.status in (self.Status.DONE, self.Status.FAILED, self.Status.CANCELLED)


UNFINISHED = (Work.Status.QUEUED, Work.Status.RUNNING)
HAS_DAYS = Q(first_day__lt=F("last_day")) | (Q(first_day=F("last_day")) & ~Q(resolution=DAILY))
STAGES = ("loading", "running", "baselines", "storing")


class OwnedQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> "OwnedQuerySet":
        """What was asked of the past is its asker's alone."""
        return self.filter(owner=user)


class SimulationRun(Work):
    """One run. result: `report_of` without its fills; series: compressed arrays, see `trading.simulation.archive`."""

    path = models.CharField(max_length=10, default="close")
    tries = models.PositiveSmallIntegerField(default=0, help_text="How often a worker took it up")
    series = models.BinaryField(null=True, blank=True)
    asked_key = models.CharField(
        max_length=330, null=True, blank=True, editable=False, help_text="By which a repeated request is known"
    )
    asked_sha256 = models.CharField(max_length=64, blank=True, default="", editable=False, help_text="Of that request")

    objects = OwnedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["owner", "-id"], name="run_by_owner")]
        constraints = [
            models.CheckConstraint(condition=HAS_DAYS, name="run_has_days"),
            models.CheckConstraint(condition=Q(in_stock__lte=10**6), name="run_in_stock_in_range"),
            models.UniqueConstraint(fields=["owner", "asked_key"], name="run_once_per_key"),
        ]

    @property
    def stage(self) -> str:
        """What a worker is doing about it now; empty while nobody is."""
        running = self.status == self.Status.RUNNING
        return STAGES[min(self.done, len(STAGES) - 1)] if running else ""


class Sweep(Work):
    """A grid over settings. axes: see `trading.simulation.grid`; done, total: combinations; result: its honesty."""

    axes = models.JSONField(default=list)
    left_out = models.PositiveIntegerField(default=0, help_text="Combinations that no cell could have")

    objects = OwnedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["owner", "-id"], name="sweep_by_owner")]
        constraints = [models.CheckConstraint(condition=HAS_DAYS, name="sweep_has_days")]


class SweepChunk(models.Model):
    """A part of a grid, worked on by whoever comes first; figures: compressed arrays, a row per setting."""

    sweep = models.ForeignKey(Sweep, on_delete=models.CASCADE, related_name="chunks")
    begin = models.PositiveIntegerField(help_text="Number of its first setting in the grid")
    end = models.PositiveIntegerField(help_text="Number after its last")
    taken_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0, help_text="How often a worker took it up")
    figures = models.BinaryField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sweep", "begin"], name="chunk_once"),
            models.CheckConstraint(condition=Q(begin__lt=F("end")), name="chunk_has_settings"),
        ]

    def __str__(self) -> str:
        return f"{self.begin} to {self.end}"
