"""How the embedded stores are reached: sockets in one folder."""

from pathlib import Path
from urllib.parse import quote

POSTGRES_USER = POSTGRES_DATABASE = "vbalance"
POSTGRES_PORT = 5432
VALKEY_SOCKET = "valkey.sock"


def postgres_url(sockets: Path) -> str:
    return f"postgresql://{POSTGRES_USER}@{quote(str(sockets), safe='')}:{POSTGRES_PORT}/{POSTGRES_DATABASE}"


def valkey_url(sockets: Path) -> str:
    return f"unix://{sockets / VALKEY_SOCKET}?db=0"
