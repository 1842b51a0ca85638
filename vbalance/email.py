"""Where letters go: to the server EMAIL_URL names, or into files under var/mail for who has none."""

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

SMTP = "django.core.mail.backends.smtp.EmailBackend"
FILES = "django.core.mail.backends.filebased.EmailBackend"
PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}


class Mail(NamedTuple):
    """What Django's EMAIL_ settings want to know."""

    backend: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    over_tls: bool = False
    starts_tls: bool = False


def mail_from(url: str) -> Mail:
    """Out of `smtp://user:password@host:587` (STARTTLS), `smtps://...` or `smtp+plain://...`. Raises ValueError."""
    if not url:
        return Mail(FILES)
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError("EMAIL_URL must begin with smtp://, smtps:// or smtp+plain:// and name a host")
    return Mail(
        SMTP,
        parts.hostname,
        parts.port or PORTS[parts.scheme],
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        over_tls=parts.scheme == "smtps",
        starts_tls=parts.scheme == "smtp",
    )
