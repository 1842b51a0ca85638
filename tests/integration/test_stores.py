"""The embedded stores outlive nobody and lose nothing: real servers in folders of their own."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from vbalance.stores.addresses import postgres_url, valkey_url
from vbalance.stores.embedded import Wanted, embedded_stores
from vbalance.stores.errors import StoreError, StoresInUse
from vbalance.stores.identity import FOREIGN_HOME, Identity, nobody
from vbalance.stores.leftovers import living_in
from vbalance.stores.postgres import Postgres
from vbalance.stores.server import private_folder

ONLY_POSTGRES, ONLY_VALKEY = Wanted(valkey=False), Wanted(postgres=False)
SUPERVISOR = """
import sys, time
from pathlib import Path
from vbalance.stores.embedded import embedded_stores
with embedded_stores(Path(sys.argv[1]), Path(sys.argv[2])):
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a folder with spaces"


@pytest.fixture
def sockets() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="vbt-", dir="/tmp") as short:
        yield Path(short)


def write_a_row(sockets: Path) -> None:
    with psycopg.connect(postgres_url(sockets)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS fact (id serial)")
        connection.execute("INSERT INTO fact DEFAULT VALUES")


def rows(sockets: Path) -> int:
    with psycopg.connect(postgres_url(sockets)) as connection:
        return connection.execute("SELECT count(*) FROM fact").fetchone()[0]


@contextlib.contextmanager
def supervisor(folder: Path, sockets: Path) -> Iterator[subprocess.Popen]:
    words = [sys.executable, "-c", SUPERVISOR, str(folder), str(sockets)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    try:
        assert process.stdout.readline() == b"up\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def wait_until_empty(*folders: Path) -> None:
    deadline = time.monotonic() + 10
    while any(living_in(folder) for folder in folders):
        assert time.monotonic() < deadline, "orphans"
        time.sleep(0.05)


def test_what_was_written_is_there_after_a_stop_and_a_start(folder, sockets):
    with embedded_stores(folder, sockets, durable=False):
        write_a_row(sockets)
        assert redis.Redis.from_url(valkey_url(sockets)).ping()
    assert living_in(folder / "postgres") == living_in(folder / "valkey") == []
    assert not sockets.exists()
    with embedded_stores(folder, sockets, durable=False):
        assert rows(sockets) == 1


def test_a_killed_supervisor_leaves_no_orphans_and_its_data_starts_again(folder, sockets):
    with supervisor(folder, sockets) as process:
        write_a_row(sockets)
        process.kill()
        process.wait()
        wait_until_empty(folder / "postgres", folder / "valkey")
    with embedded_stores(folder, sockets, durable=False):
        assert rows(sockets) == 1


def test_a_killed_server_leaves_stale_files_that_do_not_stop_the_next_start(folder, sockets):
    with supervisor(folder, sockets) as process:
        write_a_row(sockets)
        for pid in living_in(folder / "postgres") + living_in(folder / "valkey"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.kill()
    note = folder / "postgres" / "postmaster.pid"
    words = note.read_text().splitlines()
    note.write_text("\n".join([str(os.getpid()), *words[1:]]))  # its number is now some other program's
    with embedded_stores(folder, sockets, durable=False):
        assert rows(sockets) == 1


def test_a_server_that_survived_is_ended_before_another_starts_on_its_data(folder, sockets):
    data = folder / "postgres"
    with embedded_stores(folder, sockets, ONLY_POSTGRES, durable=False):
        write_a_row(sockets)
        first = set(living_in(data))
        second = Postgres(folder, sockets).start()
        try:
            assert not first & set(living_in(data))
            assert rows(sockets) == 1
        finally:
            second.stop()


def test_a_second_supervisor_is_told_who_holds_the_folder(folder, sockets):
    with embedded_stores(folder, sockets, ONLY_VALKEY, doing="the house at http://127.0.0.1:8000"):
        with pytest.raises(StoresInUse, match=rf"the house at http://127.0.0.1:8000 \(process {os.getpid()}\)"):
            embedded_stores(folder, sockets, ONLY_VALKEY).__enter__()
        assert redis.Redis.from_url(valkey_url(sockets)).ping()


def test_only_what_was_not_given_is_started(folder, sockets):
    with embedded_stores(folder, sockets, ONLY_VALKEY):
        assert not (folder / "postgres").exists()
        assert redis.Redis.from_url(valkey_url(sockets)).ping()


def test_nobody_else_can_reach_the_sockets(folder, sockets):
    with embedded_stores(folder, sockets, durable=False):
        assert sockets.stat().st_mode & 0o077 == 0


def test_a_socket_folder_that_is_a_link_is_refused(sockets):
    link = sockets / "link"
    link.symlink_to(sockets)
    with pytest.raises(StoreError, match="belongs to someone else"):
        private_folder(link)


def test_data_of_another_version_is_refused_in_one_line_and_left_alone(folder, sockets):
    with embedded_stores(folder, sockets, ONLY_POSTGRES, durable=False):
        pass
    version = folder / "postgres" / "PG_VERSION"
    version.write_text("9\n")
    with pytest.raises(StoreError, match="was made by PostgreSQL 9"):
        Postgres(folder, sockets).start()
    assert version.read_text() == "9\n"


def test_an_interrupted_first_start_begins_anew(folder, sockets):
    half = folder / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with embedded_stores(folder, sockets, ONLY_POSTGRES, durable=False):
        write_a_row(sockets)


@pytest.mark.skipif(os.getuid() != 0, reason="only root needs another user")
def test_where_user_namespaces_are_refused_root_lends_the_server_to_nobody(folder, sockets):
    postgres = Postgres(folder, sockets, durable=False, identity=Identity(user=nobody()))
    server = postgres.start()
    try:
        write_a_row(sockets)
        assert postgres.data.is_relative_to(FOREIGN_HOME)
        assert postgres.data.stat().st_uid == nobody()
    finally:
        server.stop()
        subprocess.run(["rm", "-rf", postgres.home], check=True)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_root_does_not_start_an_empty_database_beside_someone_elses(folder, sockets):
    theirs = folder / "postgres"
    theirs.mkdir(parents=True)
    os.chown(theirs, nobody(), -1)
    with pytest.raises(StoreError, match="belongs to nobody: start as that user"):
        Postgres(folder, sockets)
