"""What is kept of bars beside the bars: which file holds what, and who imported it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from trading.bars.resolutions import INTRADAY, RESOLUTIONS


class StoredPart(models.Model):
    """One Parquet file: the bars of a symbol and resolution that begin within one period (UTC)."""

    symbol = models.CharField(max_length=12)
    resolution = models.CharField(max_length=5, choices=[(name, name) for name in INTRADAY])
    period = models.CharField(max_length=7, help_text="2014-06, or 2014 where a file reaches over a year")
    file = models.CharField(max_length=80, help_text="Below the symbol's and the resolution's folder")
    rows = models.PositiveIntegerField()
    first = models.BigIntegerField(help_text="Seconds of the epoch at which its first bar begins")
    last = models.BigIntegerField(help_text="Seconds of the epoch at which its last bar begins")
    sha256 = models.CharField(max_length=64)
    source = models.CharField(max_length=120, help_text="The file its newest bars came from")
    imported_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["symbol", "resolution", "period"], name="stored_part_once"),
            models.CheckConstraint(condition=Q(rows__gt=0, first__lte=F("last")), name="stored_part_has_bars"),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.resolution} {self.period}"


class BarImport(models.Model):
    """A file that was looked over, and perhaps taken in. `found` is what was said of it."""

    class Status(models.TextChoices):
        PREVIEWED = "previewed"
        COMMITTED = "committed"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PREVIEWED)
    symbol = models.CharField(max_length=12)
    resolution = models.CharField(max_length=5, choices=[(name, name) for name in RESOLUTIONS])
    name = models.CharField(max_length=120, help_text="Of the file")
    sha256 = models.CharField(max_length=64, help_text="Of the file")
    found = models.JSONField()
    replaced = models.BooleanField(default=False, help_text="Other values than those recorded were to replace them")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", help_text="Null: a command"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    committed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="bar_import_by_time")]

    def __str__(self) -> str:
        return f"{self.name} for {self.symbol}"
