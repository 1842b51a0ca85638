"""Instruments, the prices seen for them, recorded bars, and each source's market clock."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

from portfolios.domain.amounts import MAX_PRICE, MICROS, MIN_PRICE
from portfolios.fields import MicrosField


class Instrument(models.Model):
    """What a person has set stays (`by_hand`); all else is as a broker last told it (`told`), or the default."""

    symbol = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=120, blank=True)
    exchange = models.CharField(max_length=8, default="XNYS")
    currency = models.CharField(
        max_length=3, default="USD", db_default="USD", validators=[RegexValidator(r"^[A-Z]{3}\Z")]
    )
    tick = MicrosField(default=10_000, db_default=10_000, help_text="The smallest step of its price")
    lot = MicrosField(default=0, db_default=0, help_text="The smallest step of a quantity; 0: nothing is prescribed")
    tradable = models.BooleanField(default=True, db_default=True)
    fractional = models.BooleanField(default=True, db_default=True, help_text="Whether parts of a share are traded")
    by_hand = models.JSONField(
        default=list, db_default=[], blank=True, help_text="Said by a person: what a broker tells does not change it"
    )
    told = models.JSONField(default=dict, db_default={}, help_text="What a broker last told, whether it counts or not")
    told_by = models.CharField(max_length=20, blank=True, default="", db_default="")
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(tick__gt=0, lot__gte=0, lot__lte=MICROS),
                name="instrument_steps",
                violation_error_message="Tick above 0, lot from 0 to a whole share",
            )
        ]

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
    last_at = models.DateTimeField(null=True, help_text="When last was traded, where before the market time")
    origin = models.CharField(
        max_length=20, blank=True, default="", db_default="", help_text="Who told it, where another source stood in"
    )

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


class Pace(models.Model):
    """How the good prices of one symbol go at one source: what the next one is measured against.

    A fold of its quotes: `trading.services.intake.rebuild_pace` makes it anew.
    """

    symbol = models.CharField(max_length=12)
    source = models.CharField(max_length=20)
    price = MicrosField(default=0, help_text="The last good one; 0: none yet")
    at = models.DateTimeField(null=True)
    returns = models.PositiveIntegerField(default=0, help_text="So many are known")
    variance = models.BigIntegerField(default=0, help_text="Of a return over one cadence, in ppm squared")
    doubted = MicrosField(default=0, help_text="An outlier that a second price may confirm; 0: none")
    doubted_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True, help_text="When its source was last asked for it")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["symbol", "source"], name="pace_key")]

    def __str__(self) -> str:
        return f"{self.symbol} at {self.source}"


class PriceRefusal(models.Model):
    """A price that was refused, as it came, and why: it decided nothing and set no anchor."""

    symbol = models.CharField(max_length=12)
    source = models.CharField(max_length=20)
    origin = models.CharField(max_length=20, blank=True, default="")
    at = models.DateTimeField(help_text="Market time, by the source's clock")
    last = models.CharField(max_length=40, blank=True, help_text="As it came")
    bid = models.CharField(max_length=40, blank=True)
    ask = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=20)
    sentence = models.CharField(max_length=240, help_text="Why, with the figures it was measured by")
    received_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["symbol", "source", "at", "reason", "last"], name="refusal_once")
        ]
        indexes = [models.Index(fields=["symbol", "source", "-id"], name="refusal_newest")]

    def __str__(self) -> str:
        return f"{self.symbol} {self.at:%Y-%m-%d %H:%M}: {self.reason}"


class ForgottenRefusals(models.Model):
    """How many refused prices were deleted for their age, so that what is counted of them never falls."""

    source = models.CharField(max_length=20)
    reason = models.CharField(max_length=20)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "forgotten refusals"
        constraints = [models.UniqueConstraint(fields=["source", "reason"], name="forgotten_refusals_key")]

    def __str__(self) -> str:
        return f"{self.source}: {self.count} {self.reason}"


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
