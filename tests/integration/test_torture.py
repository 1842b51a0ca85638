"""Whatever goes wrong, in whatever order, nothing is lost: seeded runs in a process and on a database of their own."""

import os
import re
import subprocess
import sys
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest

from trading.torture.crashes import CRASHES, FAULTS
from vbalance.management.commands.torture import ENOUGH, Command

HERE = Path(__file__).parents[2]


def torture(*words: str, seconds: int = 300) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "torture", *words]
    surroundings = os.environ | {"VBALANCE_LOG_LEVEL": "CRITICAL"}
    return subprocess.run(command, cwd=HERE, env=surroundings, capture_output=True, text=True, timeout=seconds)


def test_a_hundred_lives_end_with_both_books_equal() -> None:
    done = torture("--seeds", "100", "--jobs", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "100 seeds, 0 broken" in done.stdout
    assert re.search(r"decision made again from the log [1-9]", done.stdout), done.stdout
    hits = dict(re.findall(r"^(\w[a-z ]+?) +(\d[\d,]*)", done.stdout, re.MULTILINE))
    assert [name for name in CRASHES if hits[name] == "0"] == []


def test_what_is_met_too_seldom_is_named() -> None:
    command = Command(stdout=StringIO())
    often = {name: Counter(dict.fromkeys(names, ENOUGH)) for name, names in (("crashed", CRASHES), ("met", FAULTS))}
    counts = often | {"passed": Counter()}
    assert command.summarize(counts) == []
    counts["crashed"]["after lock"] = counts["met"]["bell lost"] = ENOUGH - 1
    assert command.summarize(counts) == ["after lock", "bell lost"]


def test_one_seed_is_one_life() -> None:
    digests = {re.search(r"seed 102 \((\w+)\)", torture("--seed", "102", "--jobs", "1").stdout) for _ in range(2)}
    assert len({found and found.group(1) for found in digests}) == 1
    assert None not in digests


@pytest.mark.long
def test_ten_thousand_lives_end_with_both_books_equal() -> None:
    done = torture("--seeds", "10000", "--seed", "1000", seconds=7_200)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
def test_every_planted_mistake_is_noticed() -> None:
    done = torture("--mutants", seconds=3_600)
    assert done.returncode == 0, done.stdout + done.stderr
