"""The paper broker's own book. None of these rows is ours: they are what a broker elsewhere would have."""

from django.db import models

from portfolios.fields import MicrosField


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
