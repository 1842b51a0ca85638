"""Long calculations that somebody may no longer want: they go on in a thread while this one asks."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

LOOK_UP = 0.3  # seconds
T = TypeVar("T")


def attended(work: Callable[[], T], wanted: Callable[[], None]) -> T:
    """What `work` returns or raises. `wanted` is called while it lasts; what that raises ends the wait, and whatever
    `work` is at by then (machine code being compiled, say) ends unseen. `work` must not touch the database.
    """
    future: Future[T] = Future()
    Thread(target=settle, args=(future, work), daemon=True).start()
    while True:
        try:
            return future.result(LOOK_UP)
        except TimeoutError:
            if future.done():
                raise
            wanted()


def settle(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # handed on to whoever waits
        future.set_exception(error)
