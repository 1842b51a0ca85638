"""Daily snapshots: a cache of what events, executions and prices say, to be dropped and rebuilt at will."""

from django.db import models

from portfolios.fields import MicrosField
from portfolios.models import Portfolio, Position


class DailySnapshot(models.Model):
    """One cell's totals since it began, at the end of a market day; the running day's is as of the last bell.

    A period is the difference of two rows. Times are milliseconds, value_ms is value times time.
    """

    position = models.ForeignKey(Position, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    value = MicrosField()
    alone = MicrosField(help_text="Worth left alone")
    held = MicrosField(help_text="Worth as buy-and-hold")
    flow = MicrosField(help_text="The owner's money, net")
    fees = MicrosField()
    notional = MicrosField()
    measured = MicrosField(help_text="Notional of fills that had a decision price")
    slippage = models.DecimalField(max_digits=50, decimal_places=0)
    guard_ms = models.BigIntegerField()
    priced_ms = models.BigIntegerField()
    value_ms = models.DecimalField(max_digits=50, decimal_places=0)
    skips = models.IntegerField()
    skip_quotes = models.BigIntegerField()
    fired = models.IntegerField()
    trips = models.IntegerField()
    wins = models.IntegerField()
    realised = MicrosField()
    received = MicrosField(help_text="Dividends paid out")
    growth = models.FloatField()
    rest = models.JSONField(null=True, help_text="What the next row goes on from; on the newest only")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["position", "day"], name="snapshot_once_a_day")]
        indexes = [
            models.Index(fields=["position"], condition=models.Q(rest__isnull=False), name="snapshot_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.position_id} {self.day}"


class PortfolioSnapshot(models.Model):
    """The sums of a portfolio's cells at the end of a market day, so that a chart reads one row a day."""

    portfolio = models.ForeignKey(Portfolio, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    value = models.DecimalField(max_digits=30, decimal_places=0)
    alone = models.DecimalField(max_digits=30, decimal_places=0)
    held = models.DecimalField(max_digits=30, decimal_places=0)
    flow = models.DecimalField(max_digits=30, decimal_places=0)
    trips = models.BigIntegerField()
    wins = models.BigIntegerField()
    realised = models.DecimalField(max_digits=30, decimal_places=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["portfolio", "day"], name="portfolio_snapshot_once_a_day")]

    def __str__(self) -> str:
        return f"{self.portfolio_id} {self.day}"
