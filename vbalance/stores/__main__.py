"""Run one command with the stores around it: those of a house that is up, else started for it and stopped after.

PostgreSQL's own programs, pg_dump and the others, find the database without being told where it is.
"""

import os
import subprocess
import sys

import psycopg
from psycopg.pq import Conninfo

from vbalance import environment
from vbalance.stores.binaries import find_postgres
from vbalance.stores.embedded import Wanted, embedded_stores
from vbalance.stores.errors import StoreError, StoreMissing, StoresInUse


def main(command: list[str]) -> int:
    missing = Wanted(postgres=not environment.DATABASE_URL, valkey=not environment.REDIS_URL)
    try:
        with embedded_stores(environment.VAR, environment.socket_folder(), missing):
            return subprocess.run(command, env=surroundings()).returncode
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
    os.execvpe(command[0], command, surroundings())  # noqa: S606


def surroundings() -> dict[str, str]:
    """Where the database is, as libpq reads it; and first on the path what fits the server that is ours."""
    told = Conninfo.parse(environment.database_url().encode())
    named = {option.envvar.decode(): option.val.decode() for option in told if option.envvar and option.val}
    if not environment.DATABASE_URL:
        named["PATH"] = f"{find_postgres()}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return os.environ | named


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
