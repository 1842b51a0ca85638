"""What brokers say that accounts can do there; and the paper broker's own book, none of whose rows is ours."""

from django.db import models

from portfolios.fields import MicrosField


class Ability(models.Model):
    """Of one account, as its broker last told."""

    account = models.CharField(max_length=48, unique=True)
    blocked = models.CharField(max_length=200, blank=True, default="", help_text="Why nothing is traded, in words")
    fractional = models.BooleanField(default=True)
    extended_hours = models.BooleanField(default=False)
    whole_only = models.JSONField(default=list, help_text="Symbols of ours that are traded in whole shares only")
    untradable = models.JSONField(default=list, help_text="Symbols of ours that are not traded there")
    asked = models.JSONField(default=dict, db_default={}, help_text="When it was last asked about each symbol of ours")
    probed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "abilities"

    def __str__(self) -> str:
        return self.account


class PaperOrder(models.Model):
    account = models.CharField(max_length=48)
    client_order_id = models.CharField(max_length=48, unique=True)
    symbol = models.CharField(max_length=12)
    side = models.CharField(max_length=4)
    quantity = MicrosField()
    limit_price = MicrosField(default=0)
    status = models.CharField(max_length=16, default="accepted")
    filled_quantity = MicrosField(default=0)
    accepted_at = models.DateTimeField(help_text="Market time")
    expires_at = models.DateTimeField(null=True, help_text="Market time")
    matched_at = models.DateTimeField(null=True, help_text="The quote it was last held against")

    class Meta:
        indexes = [models.Index(fields=["account", "status"], name="paper_order_by_account")]

    def __str__(self) -> str:
        return self.client_order_id


class PaperExecution(models.Model):
    order = models.ForeignKey(PaperOrder, on_delete=models.CASCADE, related_name="executions")
    execution_id = models.CharField(max_length=80, unique=True)
    quantity = MicrosField()
    price = MicrosField()
    commission = models.BigIntegerField(default=-1)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.execution_id


class PaperEntry(models.Model):
    """What a corporate action did to one book of an account: the venue's own reckoning, once each."""

    class Kind(models.TextChoices):
        SPLIT = "split"
        EX = "ex"
        PAID = "paid"

    account = models.CharField(max_length=48)
    book = models.CharField(max_length=40, help_text="The holding it happened to, by the name its owner gave it")
    symbol = models.CharField(max_length=12)
    kind = models.CharField(max_length=5, choices=Kind.choices)
    ex_date = models.DateField()
    shares = models.BigIntegerField(default=0, help_text="Added, in micros")
    cash = models.BigIntegerField(default=0, help_text="Net, in micros: owed from the ex-date on, then paid")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "book", "symbol", "kind", "ex_date"], name="paper_entry_once")
        ]
        verbose_name_plural = "paper entries"

    def __str__(self) -> str:
        return f"{self.kind} {self.symbol} {self.ex_date}"
