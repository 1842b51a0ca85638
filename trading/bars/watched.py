"""Who watches an import: told the stage, how much of it is done and how much there is."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]


def quiet(_stage: str, _done: int, _total: int) -> None:
    """No one watches."""
