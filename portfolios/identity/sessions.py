"""Django's sessions in a table of ours, whose rows know their user, so that they can be listed and ended."""

from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest
from django.utils import timezone

NOTED_EVERY = timedelta(minutes=1)
KEPT = ("public_id", "began_at", "device", "address")


class SessionStore(DatabaseStore):
    """A new key, as login gives one, is a new row: its own beginning and its own place in the list."""

    row: Any = None
    device = ""
    address: str | None = None

    @classmethod
    def get_model_class(cls) -> Any:
        return apps.get_model("identity", "Session")

    def _get_session_from_db(self) -> Any:
        self.row = super()._get_session_from_db()  # type: ignore[misc]  # its stubs leave it out
        return self.row

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row: Any = super().create_model_instance(data)
        row.user_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        row.device, row.address = self.device, self.address
        if self.row is not None and self.row.session_key == row.session_key:
            for name in KEPT:
                setattr(row, name, getattr(self.row, name))
        self.row = row
        return row

    def meet(self, request: HttpRequest) -> None:
        """Remember who is asking, for the row a sign-in makes."""
        self.device = request.headers.get("User-Agent", "")[:200].replace("\x00", "")
        with suppress(ValueError):
            self.address = str(ip_address(request.META.get("REMOTE_ADDR", "")))

    @property
    def is_over(self) -> bool:
        """Nobody did anything for too long, or it lasted long enough. Reads the row if nothing has."""
        self._get_session()  # type: ignore[attr-defined]
        now = timezone.now()
        idle, absolute = settings.SESSION_IDLE, settings.SESSION_ABSOLUTE
        return self.row is not None and (self.row.seen_at < now - idle or self.row.began_at < now - absolute)

    def note_use(self) -> None:
        """Once a minute is enough."""
        now = timezone.now()
        if self.row is not None and self.row.seen_at < now - NOTED_EVERY:
            type(self.row).objects.filter(pk=self.row.pk).update(seen_at=now)
            self.row.seen_at = now
