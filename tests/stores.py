"""The stores under the tests: those named in the environment, else embedded ones started once for all workers."""

import atexit
import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

from vbalance.stores.addresses import postgres_url, valkey_url
from vbalance.stores.embedded import Wanted, embedded_stores

_open = ExitStack()


def start_missing_stores() -> None:
    """Start what no URL names, in a folder of its own, and say so in the environment our workers inherit."""
    folder = Path(tempfile.mkdtemp(prefix="vbt-"))
    atexit.register(_open.close)
    _open.callback(shutil.rmtree, folder, ignore_errors=True)
    os.environ["VBALANCE_VAR"] = str(folder / "var")
    sockets = folder / "s"
    wanted = Wanted(postgres=not os.environ.get("DATABASE_URL"), valkey=not os.environ.get("REDIS_URL"))
    _open.enter_context(embedded_stores(folder, sockets, wanted, durable=False))
    os.environ["DATABASE_URL"] = os.environ.get("DATABASE_URL") or postgres_url(sockets)
    os.environ["REDIS_URL"] = os.environ.get("REDIS_URL") or valkey_url(sockets)


def stop_stores() -> None:
    _open.close()
