"""The processes of the house, watched: their words are kept, they start again when they die, they stop in order."""

import os
import selectors
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vbalance.children import Child, Copy, end
from vbalance.terminal import Scribe

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 5.0
STEADY_AFTER = 60.0


@dataclass
class Watched:
    """One process to keep alive. `rests`: when it leaves without an error its work is done."""

    name: str
    begin: Callable[[], Child]
    gently: signal.Signals = signal.SIGTERM
    patience: float = 1.0
    rests: bool = False
    process: Child | None = None
    began_at: float = 0.0
    pause: float = FIRST_PAUSE
    again_at: float | None = None


class Supervisor:
    """Everything happens in this one thread: a process that forks must not have others."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.watched: list[Watched] = []
        self.selector = selectors.DefaultSelector()
        self.own = Scribe("up", logs)

    def keep(self, watched: Watched) -> None:
        self.watched.append(watched)
        if watched.process is None:
            self._begin(watched)

    def finish(self, name: str, main: Callable[[], None]) -> int:
        """Run a copy of us to its end; returns its exit code."""
        watched = Watched(name, lambda: Copy(main), rests=True)
        self.keep(watched)
        assert watched.process is not None
        while (code := watched.process.poll()) is None:
            self.listen(0.05)
        self.listen(0)
        self.watched.remove(watched)
        return code

    def look_after(self) -> None:
        """One round: hear what was said, start again what has died."""
        self.listen(0.2)
        now = time.monotonic()
        for watched in self.watched:
            if watched.again_at is not None:
                if now >= watched.again_at:
                    self._begin(watched)
            elif watched.process is not None and (code := watched.process.poll()) is not None:
                self._mourn(watched, code, now)

    def listen(self, patience: float) -> None:
        for key, _ in self.selector.select(patience):
            words = os.read(key.fd, 65_536)
            key.data.hear(words)
            if not words:
                self.selector.unregister(key.fd)
                os.close(key.fd)

    def stop(self) -> None:
        """The last one started is the first one stopped."""
        for watched in reversed(self.watched):
            if watched.process is not None and watched.process.poll() is None:
                end(
                    watched.process,
                    gently=watched.gently,
                    patience=watched.patience,
                    meanwhile=lambda: self.listen(0.02),
                )
        self.watched.clear()

    def _begin(self, watched: Watched) -> None:
        watched.again_at = None
        watched.began_at = time.monotonic()
        watched.process = watched.begin()
        if isinstance(watched.process, Copy):
            self.selector.register(watched.process.output, selectors.EVENT_READ, Scribe(watched.name, self.logs))

    def _mourn(self, watched: Watched, code: int, now: float) -> None:
        watched.process = None
        if watched.rests and code == 0:
            self.own.write(f"{watched.name} has done its work")
            return
        watched.pause = FIRST_PAUSE if now - watched.began_at > STEADY_AFTER else watched.pause
        watched.again_at = now + watched.pause
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        self.own.write(f"{watched.name} ended ({how}); starting it again in {watched.pause:.0f} s")
        watched.pause = min(watched.pause * 2, LONGEST_PAUSE)
