"""What the doors remember: keys of requests that move money, tokens, and bells that failed."""

from django.conf import settings
from django.db import models

from portfolios.models.people import Portfolio


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
