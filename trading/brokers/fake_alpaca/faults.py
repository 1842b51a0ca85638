"""What goes wrong by script: which question or message meets which fault, how often, and from when on."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

ANSWERS = (
    "429", "500", "504 before", "504 after", "timeout before", "timeout after", "garbage", "cut", "drip", "flood",
    "html", "empty",
)  # fmt: skip
MESSAGES = ("duplicate", "reorder", "drop", "disconnect", "mute", "nonsense")
PRICES = ("duplicate", "drop", "disconnect", "mute", "nonsense")
STREAM, DATA = "stream", "data"
KINDS = {STREAM: MESSAGES, DATA: PRICES}


@dataclass
class Rule:
    """on: "POST /v2/orders", what a question begins with; "stream", of orders; "data", of prices.

    skip: so many are spared first.
    """

    on: str
    fault: str
    times: int = 1
    skip: int = 0


class Faults:
    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.met: Counter[str] = Counter()

    def add(self, on: str, fault: str, times: int = 1, skip: int = 0) -> None:
        """Raises ValueError for what is no fault of an answer, or of a message."""
        if fault not in KINDS.get(on, ANSWERS):
            raise ValueError(f"{fault!r} is no fault of {on!r}")
        if min(times, skip + 1) < 1:
            raise ValueError("times and skip count upwards")
        self.rules.append(Rule(on, fault, times, skip))

    def read(self, script: Iterable[Mapping[str, Any]]) -> None:
        """Raises ValueError, TypeError."""
        for line in script:
            self.add(**line)

    def draw(self, subject: str) -> str:
        """What this question or message meets; empty for nothing."""
        for rule in self.rules:
            if not subject.startswith(rule.on) or rule.times < 1:
                continue
            if rule.skip:
                rule.skip -= 1
                continue
            rule.times -= 1
            self.met[f"{rule.on}: {rule.fault}"] += 1
            return rule.fault
        return ""
