"""One command is the whole house: it says where it is, survives deaths, stops in order and leaves nobody behind."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vbalance.stores.leftovers import living_in

ROOT = Path(__file__).resolve().parents[2]
FOR_OTHER_TESTS = 5  # seconds: they run at the same time
GIVEN = {"DATABASE_URL", "REDIS_URL", "VBALANCE_KEY_PREFIX", "VBALANCE_VAR"}


class House:
    """`manage.py up` with a data folder and stores of its own."""

    def __init__(self, var: Path, port: int) -> None:
        self.var, self.port = var, port
        self.environment = {name: value for name, value in os.environ.items() if name not in GIVEN}
        self.environment["VBALANCE_VAR"] = str(var)
        self.process: subprocess.Popen[str] | None = None

    def start(self, *options: str) -> None:
        words = [sys.executable, "manage.py", "up", "--port", str(self.port), *options]
        out = (self.var.parent / "out.txt").open("w")
        self.process = subprocess.Popen(words, cwd=ROOT, env=self.environment, stdout=out, stderr=out, text=True)
        wait_for(lambda: "Ready in" in self.said(), 120, self.said)

    def said(self) -> str:
        return (self.var.parent / "out.txt").read_text()

    def command(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        everything = self.environment | environment
        return subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=everything, capture_output=True, text=True
        )

    def ready(self, *parts: str) -> bool:
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            answer = http.client.HTTPConnection("127.0.0.1", self.port, timeout=3)
            answer.request("GET", "/readyz")
            said = json.load(answer.getresponse())["parts"]
            return all(said[part]["ok"] for part in parts)
        return False

    def people(self) -> set[int]:
        """Every living process of this house."""
        mine = f"VBALANCE_VAR={self.var}\0".encode()
        found = set(living_in(self.var / "postgres") + living_in(self.var / "valkey"))
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and mine in (entry / "environ").read_bytes():
                    found.add(int(entry.name))
        return found


def wait_for(true: Callable[[], object], seconds: float, story: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, story()
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("a house") / "v ar", free_port())
    house.start("--no-demo")
    assert house.process is not None
    yield house
    assert house.command("down").stdout == "stopped\n"
    assert house.process.wait(1) == 0


def test_it_says_where_it_is_and_answers_there(house):
    assert f"http://127.0.0.1:{house.port}/" in house.said()
    assert house.ready("database", "broker", "beat")


def test_without_prices_it_is_not_called_ready_and_status_says_so(house):
    answer = house.command("status")
    assert answer.returncode == 1
    assert answer.stdout.startswith("NOT READY")
    assert "no quote yet" in answer.stdout
    assert len(answer.stdout.splitlines()) <= 20


def test_a_second_one_is_refused_and_told_where_the_first_is(house):
    answer = house.command("up", "--port", str(house.port))
    assert answer.returncode == 2
    assert f"already running: the house at http://127.0.0.1:{house.port}" in answer.stdout
    assert f"(process {house.process.pid})" in answer.stdout


def test_a_taken_port_is_named_with_one_that_is_free_and_nothing_is_started(house, tmp_path):
    answer = house.command("up", "--port", str(house.port), VBALANCE_VAR=str(tmp_path / "other"))
    assert answer.returncode == 2
    offered = re.search(rf"port {house.port} is taken. Type: ./run --port (\d+)", answer.stdout)
    assert offered
    assert int(offered.group(1)) > house.port
    assert not (tmp_path / "other" / "postgres").exists()


def test_a_command_beside_it_uses_its_stores_and_leaves_them_running(house):
    words = [sys.executable, "-m", "vbalance.stores", sys.executable, "manage.py", "showmigrations", "portfolios"]
    answer = subprocess.run(words, cwd=ROOT, env=house.environment, capture_output=True, text=True)
    assert "[X] 0001_initial" in answer.stdout, answer.stderr
    assert house.ready("database", "broker")


def test_a_backup_taken_beside_it_is_restored_into_an_empty_house(house, tmp_path):
    def within(var, *words):
        said = house.environment | {"VBALANCE_VAR": str(var)}
        answer = subprocess.run([*stores, *words], cwd=ROOT, env=said, capture_output=True, text=True)
        assert (answer.returncode, answer.stderr) == (0, ""), words
        return answer.stdout

    stores, dump, empty = [sys.executable, "-m", "vbalance.stores"], str(tmp_path / "vb.dump"), tmp_path / "empty"
    within(house.var, "pg_dump", "--format=custom", f"--file={dump}")
    within(empty, "pg_restore", "--dbname=vbalance", dump)
    assert "[X] 0001_initial" in within(empty, sys.executable, "manage.py", "showmigrations", "portfolios")
    assert "every row is the fold" in within(empty, sys.executable, "manage.py", "rebuild", "--check")


def test_whoever_dies_comes_back(house):
    before = house.people() - {house.process.pid}
    for pid in before:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: house.ready("database", "broker", "beat"), 60, house.said)
    assert "web ended (SIGKILL); starting it again in 1 s" in house.said()
    assert "postgres ended (SIGKILL); starting it again in 1 s" in house.said()


def test_log_lines_are_short_on_the_terminal_and_whole_in_the_files(house):
    assert re.search(r"^\d\d:\d\d:\d\d up +\S", house.said(), re.MULTILINE)
    assert (house.var / "log" / "up.log").read_text()
    assert (house.var / "log" / "postgres.log").exists()


def test_killed_it_leaves_nobody_then_starts_again_and_stops_within_five_seconds(tmp_path):
    house = House(tmp_path / "var", free_port())
    house.start("--no-demo")
    house.process.kill()
    house.process.wait()
    wait_for(lambda: not house.people(), 30, lambda: str(house.people()))
    house.start("--no-demo")
    asked = time.monotonic()
    house.process.send_signal(signal.SIGINT)
    assert house.process.wait(15) == 0
    assert time.monotonic() - asked < 5 + FOR_OTHER_TESTS
    assert house.people() == set()
    assert "database does not answer" in house.command("status").stdout


@pytest.mark.long
def test_a_first_start_has_a_past_goes_on_walking_and_talks_to_a_newcomer(tmp_path):
    house = House(tmp_path / "var", free_port())
    house.start()
    try:
        assert (house.var / "demo.json").stat().st_mode & 0o077 == 0
        assert "2008-01-0" in house.command("status").stdout
        words = [str(ROOT / "scripts/smoke.sh"), f"http://127.0.0.1:{house.port}"]
        smoke = subprocess.run(words, env=house.environment, capture_output=True, text=True)
        assert smoke.returncode == 0, smoke.stdout
        wait_for(lambda: house.ready("quotes"), 30, house.said)
        status = house.command("status")
        assert status.returncode == 0, status.stdout
        assert all(symbol in status.stdout for symbol in ("AAPL", "GOOG", "IBM", "MSFT"))
    finally:
        house.command("down")
    assert house.people() == set()


@pytest.mark.long
def test_with_a_fake_broker_a_portfolio_trades_there(tmp_path):
    house = House(tmp_path / "var", free_port())
    house.start("--broker", "fake-alpaca", "--speed", "4")
    try:
        assert f"a fake Alpaca at http://127.0.0.1:{house.port + 100}" in house.said()
        wait_for(lambda: (tmp_path / "var/fake-alpaca.json").read_text().count('"activity_type": "FILL"') > 3, 120)
        token = json.loads((house.var / "demo.json").read_text())["token"]
        assert (house.var / "log" / "prices.log").exists()
        asked = http.client.HTTPConnection("127.0.0.1", house.port, timeout=10)
        asked.request("GET", "/v1/accounts", headers={"Authorization": f"Bearer {token}"})
        (there,) = (one for one in json.load(asked.getresponse())["results"] if one["adapter"] == "alpaca")
        assert (there["state"], there["untrusted"]) == ("active", "")
        audit = [sys.executable, "-m", "vbalance.stores", sys.executable, "manage.py", "audit"]
        assert subprocess.run(audit, cwd=ROOT, env=house.environment, capture_output=True).returncode == 0
    finally:
        assert house.command("down").stdout == "stopped\n"
