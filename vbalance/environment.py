"""What the environment may say. Every variable is read here and nowhere else; `.env.example` lists the same names."""

import base64
import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from vbalance.stores.addresses import postgres_url, valkey_url

ROOT = Path(__file__).resolve().parent.parent


def said(name: str, default: str = "") -> str:
    """An empty variable says nothing, so a copied `.env.example` changes nothing."""
    return os.environ.get(name) or default


def listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


VAR = Path(said("VBALANCE_VAR", str(ROOT / "var"))).resolve()
QUOTES = Path(said("VBALANCE_QUOTES", str(VAR / "quotes"))).resolve()
BARS = Path(said("VBALANCE_BARS", str(VAR / "bars"))).resolve()
DATABASE_URL = said("DATABASE_URL")
DATABASE_APP_URL = said("DATABASE_APP_URL")
REDIS_URL = said("REDIS_URL")
SECRET_KEY = said("VBALANCE_SECRET_KEY")
CREDENTIAL_KEYS = listed(said("VBALANCE_CREDENTIAL_KEYS"))
PRODUCTION = said("VBALANCE_PRODUCTION") == "1"
HOSTS = listed(said("VBALANCE_HOSTS", "127.0.0.1,localhost,[::1]"))
TRUSTED_ORIGINS = listed(said("VBALANCE_TRUSTED_ORIGINS"))
TRUSTED_PROXIES = listed(said("VBALANCE_TRUSTED_PROXIES"))
LOG_LEVEL = said("VBALANCE_LOG_LEVEL", "INFO").upper()
SERVICE = said("VBALANCE_SERVICE", "manage")
KEY_PREFIX = said("VBALANCE_KEY_PREFIX", "vb:")
BUILD = said("VBALANCE_BUILD", "dev")
SCRAPE_TOKEN = said("VBALANCE_SCRAPE_TOKEN")
HEADS_KEY = said("VBALANCE_HEADS_KEY")
OIDC_ISSUER = said("OIDC_ISSUER")
OIDC_CLIENT_ID = said("OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = said("OIDC_CLIENT_SECRET")
OIDC_NAME = said("OIDC_NAME", "your company's account")
OIDC_SCOPES = said("OIDC_SCOPES", "openid email profile")
OIDC_CREATE_USERS = said("OIDC_CREATE_USERS", "1") == "1"
OIDC_GROUPS_CLAIM = said("OIDC_GROUPS_CLAIM")
OIDC_ROLES = said("OIDC_ROLES")
OIDC_AUDIENCE = said("OIDC_AUDIENCE")
OIDC_BEARER_SCOPES = listed(said("OIDC_BEARER_SCOPES", "read"))
OIDC_LOGOUT_URL = said("OIDC_LOGOUT_URL")
ALPACA_DATA_KEY = said("VBALANCE_ALPACA_DATA_KEY")
ALPACA_DATA_SECRET = said("VBALANCE_ALPACA_DATA_SECRET")
ALPACA_DATA_URL = said("VBALANCE_ALPACA_DATA_URL", "https://data.alpaca.markets").rstrip("/")
ALPACA_DATA_FEED = said("VBALANCE_ALPACA_DATA_FEED", "iex")
EMAIL_URL = said("EMAIL_URL")
EMAIL_FROM = said("EMAIL_FROM", "Volatility Balancing <robot@localhost>")


def socket_folder() -> Path:
    """Where the embedded stores listen: short (socket paths end at 107 bytes) and one per data folder and user."""
    digest = hashlib.sha256(str(VAR).encode()).hexdigest()[:10]
    return Path("/tmp") / f"vb-{os.getuid()}-{digest}"  # noqa: S108 - mode 0700, checked when it is made


def database_url() -> str:
    return DATABASE_URL or postgres_url(socket_folder())


def redis_url() -> str:
    return REDIS_URL or valkey_url(socket_folder())


def secret_key() -> str:
    """The given key; else one made once for this data folder. Production must be given one."""
    if SECRET_KEY or PRODUCTION:
        return SECRET_KEY
    return made_once("secret-key", secrets.token_urlsafe(50))


def credential_keys() -> list[str]:
    """What brokers' credentials are encrypted under, newest first. Production must be given one."""
    if CREDENTIAL_KEYS or PRODUCTION:
        return CREDENTIAL_KEYS
    return [made_once("credential-key", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())]


def made_once(name: str, text: str) -> str:
    """What the data folder keeps under this name, readable by its owner alone; this text where nothing is there yet."""
    path = VAR / name
    if not path.exists():
        VAR.mkdir(parents=True, exist_ok=True)
        draft = VAR / f"{name}.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(text)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text()
