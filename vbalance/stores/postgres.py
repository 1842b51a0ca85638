"""PostgreSQL for one folder, on a unix socket, as whatever user it accepts."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql

from vbalance.stores.addresses import POSTGRES_DATABASE, POSTGRES_PORT, POSTGRES_USER
from vbalance.stores.binaries import find_postgres
from vbalance.stores.errors import StoreError
from vbalance.stores.identity import Identity, choose_identity, foreign_folder, reachable_programs
from vbalance.stores.leftovers import end_leftovers
from vbalance.stores.server import Server, private_folder

CALM = {"log_min_messages": "warning", "log_checkpoints": "off", "jit": "off", "max_connections": "120"}
FAST_AND_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """`durable=False` gives up safety on power loss for speed: for tests only."""

    def __init__(self, folder: Path, sockets: Path, *, durable: bool = True, identity: Identity | None = None) -> None:
        self.folder = folder
        self.sockets = sockets
        self.durable = durable
        self.programs = find_postgres()
        folder.mkdir(parents=True, exist_ok=True)
        refuse_foreign(folder / "postgres")
        self.identity = identity or choose_identity(program=self.programs / "postgres", folder=folder)
        self.home = folder
        if self.identity.user is not None:
            self.home = foreign_folder(folder, self.identity.user)
            self.programs = reachable_programs(self.programs, self.identity.user)
        self.data = self.home / "postgres"

    def start(self) -> Server:
        end_leftovers(self.data)
        private_folder(self.sockets, self.identity.user)
        if not (self.data / "PG_VERSION").exists():
            self._create()
        self._refuse_other_version()
        for stale in (self.data / "postmaster.pid", self.sockets / f".s.PGSQL.{POSTGRES_PORT}.lock"):
            stale.unlink(
                missing_ok=True
            )  # nobody lives here, we have just looked; its pid may be another program's now
        server = Server(self._command(), log=self._log(), gently=signal.SIGINT, user=self.identity.user)
        server.wait_until(self._answers)
        self._create_database()
        return server

    def _command(self) -> list[str]:
        words = [
            str(self.programs / "postgres"),
            "-D",
            str(self.data),
            "-k",
            str(self.sockets),
            "-h",
            "",
            "-p",
            str(POSTGRES_PORT),
        ]
        for name, value in (CALM if self.durable else CALM | FAST_AND_FORGETFUL).items():
            words += ["-c", f"{name}={value}"]
        return [*self.identity.prefix, *words]

    def _log(self) -> Path:
        return self.folder / "log" / "postgres.log"

    def _create(self) -> None:
        """Made beside its place and moved in when complete, so a crash half-way leaves nothing that looks finished."""
        draft = self.home / "postgres.new"
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(self.data, ignore_errors=True)
        shape = [
            "-U",
            POSTGRES_USER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            *([] if self.durable else ["--no-sync"]),
        ]
        words = [str(self.programs / "initdb"), "-D", str(draft), *shape]
        made = subprocess.run(
            [*self.identity.prefix, *words], user=self.identity.user, cwd=self.home, capture_output=True, text=True
        )
        if made.returncode != 0:
            raise StoreError(f"initdb failed: {' '.join(made.stderr.split())[-300:]}")
        draft.rename(self.data)

    def _refuse_other_version(self) -> None:
        ours = (self.data / "PG_VERSION").read_text().strip()
        said = subprocess.run([self.programs / "postgres", "--version"], capture_output=True, text=True).stdout
        found = re.search(r"\d+", said)
        if found and found.group() != ours.split(".")[0]:
            raise StoreError(
                f"{self.data} was made by PostgreSQL {ours}, but version {found.group()} is installed:"
                " install the old one, or move the folder away to start afresh"
            )

    def _answers(self) -> bool:
        try:
            self._connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self.sockets),
            port=POSTGRES_PORT,
            user=POSTGRES_USER,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def _create_database(self) -> None:
        with contextlib.closing(self._connect("postgres")) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [POSTGRES_DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(POSTGRES_DATABASE)))


def refuse_foreign(data: Path) -> None:
    """Root must not start beside an ordinary user's data with a fresh, empty database."""
    if data.exists() and data.stat().st_uid != os.getuid():
        raise StoreError(f"{data} belongs to {data.owner()}: start as that user, or set VBALANCE_VAR to another folder")
