"""Instruments, the prices seen for them, recorded bars, and each source's market clock."""

from django.db import models
from django.db.models import F, Q

from portfolios.domain.amounts import MAX_PRICE, MIN_PRICE
from portfolios.fields import MicrosField


class Instrument(models.Model):
    symbol = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=120, blank=True)
    exchange = models.CharField(max_length=8, default="XNYS")

    def __str__(self) -> str:
        return self.symbol


class Quote(models.Model):
    """One price as a source gave it. Its key is (symbol, source, at); nothing refers to it by foreign key."""

    symbol = models.CharField(max_length=12)
    source = models.CharField(max_length=20)
    at = models.DateTimeField(help_text="Market time, by the source's clock")
    last = MicrosField()
    bid = MicrosField(null=True)
    ask = MicrosField(null=True)
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["symbol", "source", "at"], name="quote_key"),
            models.CheckConstraint(condition=Q(last__gte=MIN_PRICE, last__lte=MAX_PRICE), name="quote_last_in_range"),
            models.CheckConstraint(condition=Q(bid__isnull=True) | Q(bid__lte=F("ask")), name="quote_not_crossed"),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.at:%Y-%m-%d %H:%M}"


class StoredQuotes(models.Model):
    """One Parquet file: all quotes of a source within a month (UTC) that is long past."""

    source = models.CharField(max_length=20)
    month = models.DateField(help_text="Its first day (UTC)")
    file = models.CharField(max_length=80, help_text="Below the source's folder")
    rows = models.PositiveBigIntegerField()
    first = models.DateTimeField(help_text="Market time of its first quote")
    last = models.DateTimeField(help_text="Market time of its last quote")
    sha256 = models.CharField(max_length=64, help_text="Of the file")
    stored_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "stored quotes"
        constraints = [
            models.UniqueConstraint(fields=["source", "month"], name="stored_quotes_once"),
            models.CheckConstraint(condition=Q(rows__gt=0, first__lte=F("last")), name="stored_quotes_has_quotes"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.month:%Y-%m}"


class Bar(models.Model):
    """A recorded session, raw as traded."""

    symbol = models.CharField(max_length=12)
    day = models.DateField()
    open = MicrosField()
    high = MicrosField()
    low = MicrosField()
    close = MicrosField()
    volume = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["symbol", "day"], name="bar_once"),
            models.CheckConstraint(
                condition=Q(low__gte=MIN_PRICE, low__lte=F("open"), high__gte=F("open"), high__lte=MAX_PRICE)
                & Q(low__lte=F("close"), high__gte=F("close")),
                name="bar_consistent",
            ),
        ]
        indexes = [models.Index(fields=["day"], name="bar_by_day")]

    def __str__(self) -> str:
        return f"{self.symbol} {self.day}"


class MarketClock(models.Model):
    """Where a replayed market stands: the instant of its last step, and whether and how fast it walks on."""

    class Phase(models.TextChoices):
        OPEN = "open"
        CLOSE = "close"

    source = models.CharField(max_length=20, unique=True)
    at = models.DateTimeField(null=True, blank=True)
    day = models.DateField(null=True, blank=True)
    phase = models.CharField(max_length=5, choices=Phase.choices, blank=True)
    begins_on = models.DateField()
    running = models.BooleanField(default=True)
    ended = models.BooleanField(default=False)
    speed = models.FloatField(default=1.0, help_text="Sessions per second")

    def __str__(self) -> str:
        return f"{self.source} at {self.at}"
