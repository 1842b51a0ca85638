"""What a person sees while the house runs: calm lines on the terminal, the full JSON in rotated files."""

import contextlib
import json
import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

FILE_LIMIT, FILES_KEPT = 5_000_000, 3
KEYS_SHOWN = 6
UNSHOWN = {
    "timestamp",
    "level",
    "event",
    "service",
    "logger",
    "request_id",
    "trace_id",
    "task_id",
    "exception",
    "stack",
}


class Scribe:
    """Writes down what one process says."""

    def __init__(self, name: str, folder: Path, *, quiet: bool = False) -> None:
        self.name = name
        self.quiet = quiet
        folder.mkdir(parents=True, exist_ok=True)
        self.file = RotatingFileHandler(folder / f"{name}.log", maxBytes=FILE_LIMIT, backupCount=FILES_KEPT)
        self.rest = b""

    def hear(self, words: bytes) -> None:
        *lines, self.rest = (self.rest + words).split(b"\n")
        for line in lines:
            self.write(line.decode(errors="replace"))

    def write(self, line: str) -> None:
        if line.strip():
            self.file.emit(logging.makeLogRecord({"msg": line}))
            if not self.quiet:
                show(f"{datetime.now(UTC):%H:%M:%S} {self.name:<8} {printable(short_form(line))}")


def show(text: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone; the work goes on
        print(text, flush=True)  # noqa: T201 - this is the terminal


def printable(text: str) -> str:
    """What a caller sent may be in a line: it must neither begin a line of its own nor steer the terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def short_form(line: str) -> str:
    """A JSON log line as `level event key=value ...`; any other line as it is."""
    entry = _entry(line)
    if entry is None:
        return line
    shown = {key: value for key, value in entry.items() if key not in UNSHOWN and value not in (None, "")}
    words = [f"{key}={_short(value)}" for key, value in list(shown.items())[:KEYS_SHOWN]]
    reason = str(entry.get("exception", "")).strip().splitlines()[-1:]
    return " ".join([f"{entry.get('level', 'info'):<7}", str(entry["event"]), *words, *reason])


def _entry(line: str) -> dict[str, Any] | None:
    with contextlib.suppress(ValueError):
        entry = json.loads(line)
        if isinstance(entry, dict) and "event" in entry:
            return entry
    return None


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
