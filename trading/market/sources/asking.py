"""Asks a feed's sources in their order: one that fails is tried again, then the next one; it is left alone for a while.

What comes back is only what a source said, at the time it said. Where all fail, nothing comes back.
"""

import random
import time
from collections.abc import Callable, Collection, Sequence

import structlog

from trading.market.base import Price, PriceSource, PriceUnavailable, Unreadable

TRIES = 2
AGAIN = 0.2  # seconds
SHORTEST, LONGEST = 1.0, 60.0
log = structlog.get_logger(__name__)


class Asking:
    """failures and the moments until which a source is left alone are this process's."""

    def __init__(
        self, sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.sleep, self.clock = sleep, clock
        self.failures: dict[str, int] = {}
        self.until: dict[str, float] = {}

    def newest(self, sources: Sequence[PriceSource], symbols: Collection[str]) -> list[Price | Unreadable]:
        """Of each symbol what the first source that knows it says. Raises PriceUnavailable where all failed."""
        left, silent = set(symbols), 0
        found: list[Price | Unreadable] = []
        for source in sources:
            if not left:
                break
            told = self.told(source, sorted(left))
            silent += told is None
            found += told or []
            left -= {price.symbol for price in told or [] if isinstance(price, Price)}
        if silent == len(sources):
            raise PriceUnavailable(f"no source answers: {', '.join(source.name for source in sources)}")
        return found

    def told(self, source: PriceSource, symbols: Collection[str]) -> Sequence[Price | Unreadable] | None:
        """None where it does not answer, or did not lately."""
        if self.clock() < self.until.get(source.name, 0.0):
            return None
        for attempt in range(TRIES):
            try:
                told = source.newest(symbols)
            except PriceUnavailable as error:
                log.warning("no prices", source=source.name, error=str(error))
                if attempt + 1 < TRIES:
                    self.sleep(AGAIN * random.uniform(0.5, 1.5))  # noqa: S311
            else:
                self.failures.pop(source.name, None)
                return told
        count = self.failures[source.name] = self.failures.get(source.name, 0) + 1
        pause = min(SHORTEST * 2 ** min(count - 1, 10), LONGEST) * random.uniform(0.5, 1.0)  # noqa: S311
        self.until[source.name] = self.clock() + pause
        return None
