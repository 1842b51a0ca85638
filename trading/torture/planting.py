"""Puts other things in the place of a module's own for the length of a run: clocks, queues, and planted mistakes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

Plant = tuple[Any, str, Any]


@contextmanager
def planted(*plants: Plant) -> Iterator[None]:
    """Each is (where, name, instead); afterwards everything is as it was."""
    with ExitStack() as stack:
        for where, name, instead in plants:
            stack.callback(setattr, where, name, getattr(where, name))
            setattr(where, name, instead)
        yield
