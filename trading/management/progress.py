"""How far a command is, in one line on a terminal that is written over; nothing where nobody watches."""

from typing import IO

WIDTH = 30


class ProgressBar:
    """Called with the stage's name, how much of it is done and how much there is; 0 of 1 where nobody can tell."""

    def __init__(self, out: IO[str]) -> None:
        self.out = out
        self.watched = bool(getattr(out, "isatty", lambda: False)())
        self.shown = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        filled = WIDTH * done // max(total, 1)
        line = f"{stage:10} [{'#' * filled}{'.' * (WIDTH - filled)}] {done}/{total}"
        if self.watched and line != self.shown:
            self.out.write(f"\r{line:<{len(self.shown)}}")
            self.out.flush()
            self.shown = line

    def clear(self) -> None:
        if self.shown:
            self.out.write(f"\r{'':{len(self.shown)}}\r")
            self.out.flush()
            self.shown = ""
