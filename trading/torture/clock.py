"""Wall time, the process's own clock and its chance, as the seed has them."""

import uuid
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace

from django.utils import timezone

from trading.brokers import base
from trading.services import repairs, submission
from trading.torture.planting import Plant

BEGINS = datetime(2026, 3, 2, 12, tzinfo=UTC)
TICK = timedelta(milliseconds=1)


class Clock:
    """Stands in for `time` where a service uses it. Every look takes a moment; no two seeds meet at the same hours."""

    def __init__(self, seed: int) -> None:
        self.begins = self.at = BEGINS + timedelta(hours=2 * (seed % 1_000_000))

    def now(self) -> datetime:
        self.at += TICK
        return self.at

    def monotonic(self) -> float:
        return (self.now() - self.begins).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def seeded(clock: Clock, seed: int) -> list[Plant]:
    """No run depends on when it runs, nor its identifiers on anything but its seed."""
    chance = SimpleNamespace(urandom=Random(f"ids {seed}").randbytes)  # noqa: S311
    clocks: list[Plant] = [(module, "time", clock) for module in (base, submission, repairs)]
    return [*clocks, (timezone, "now", clock.now), (uuid, "os", chance)]
