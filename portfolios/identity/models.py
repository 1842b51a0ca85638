"""Sessions that know whose they are, and the identities a provider vouches for."""

import uuid

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone

from portfolios.identity.sessions import SessionStore


class Identity(models.Model):
    """Somebody as a provider knows him. Nothing but (issuer, subject) says who he is: e-mail addresses change hands."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    email = models.EmailField(blank=True, default="", help_text="As the provider verified it, when it last said so")
    made_staff = models.BooleanField(
        default=False, help_text="Staff through the provider's groups, until they say otherwise"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "identities"
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="identity_once")]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"


class Session(AbstractBaseSession):
    """A browser that signed in: whose, since when, from where, and when somebody last did something in it."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="sessions")
    began_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    device = models.CharField(max_length=200, blank=True, default="")
    address = models.GenericIPAddressField(null=True)

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        return SessionStore
