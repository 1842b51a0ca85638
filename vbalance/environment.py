"""What the environment may say. Every variable is read here and nowhere else; `.env.example` lists the same names."""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from vbalance.stores.addresses import postgres_url, valkey_url

ROOT = Path(__file__).resolve().parent.parent

VAR = Path(os.environ.get("VBALANCE_VAR") or ROOT / "var").resolve()
DATABASE_URL = os.environ.get("DATABASE_URL", "")
REDIS_URL = os.environ.get("REDIS_URL", "")
SECRET_KEY = os.environ.get("VBALANCE_SECRET_KEY", "")
PRODUCTION = os.environ.get("VBALANCE_PRODUCTION", "") == "1"
HOSTS = [host for host in os.environ.get("VBALANCE_HOSTS", "127.0.0.1,localhost,[::1]").split(",") if host]
TRUSTED_ORIGINS = [origin for origin in os.environ.get("VBALANCE_TRUSTED_ORIGINS", "").split(",") if origin]
LOG_LEVEL = os.environ.get("VBALANCE_LOG_LEVEL", "INFO").upper()
SERVICE = os.environ.get("VBALANCE_SERVICE", "manage")
KEY_PREFIX = os.environ.get("VBALANCE_KEY_PREFIX", "vb:")
BUILD = os.environ.get("VBALANCE_BUILD", "dev")


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
    path = VAR / "secret-key"
    if not path.exists():
        VAR.mkdir(parents=True, exist_ok=True)
        draft = VAR / f"secret-key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text()
