"""Run one command with the stores around it: those of a house that is up, else started for it and stopped after."""

import os
import subprocess
import sys

import psycopg

from vbalance import environment
from vbalance.stores.embedded import Wanted, embedded_stores
from vbalance.stores.errors import StoreError, StoreMissing, StoresInUse


def main(command: list[str]) -> int:
    missing = Wanted(postgres=not environment.DATABASE_URL, valkey=not environment.REDIS_URL)
    try:
        with embedded_stores(environment.VAR, environment.socket_folder(), missing):
            return subprocess.run(command).returncode
    except StoresInUse:
        return _join(command)
    except StoreError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 3 if isinstance(error, StoreMissing) else 1


def _join(command: list[str]) -> int:
    try:
        psycopg.connect(environment.database_url(), connect_timeout=10).close()
    except psycopg.OperationalError:
        print("The stores are just being started or stopped: try again in a moment", file=sys.stderr)  # noqa: T201
        return 1
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
