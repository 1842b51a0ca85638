"""One websocket to a vendor: words out, raw messages in, each within a time.

A socket can stay open and mute for hours. Pings find a dead line; that the other end still answers us is found by
asking something in between that it must acknowledge.
"""

import json
import logging
import random
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

OPENING, PING, ANSWER = 5.0, 10.0, 10.0  # seconds
ASK_EVERY = 30.0
LARGEST = 1 << 20  # bytes of a message
KEPT = 4_096  # messages that wait for us; more, and the other end has to
SHORTEST, LONGEST = 1.0, 60.0


def pause(failures: int) -> float:
    """Seconds before the next attempt: doubled each time, and spread so that not all come back at once."""
    return min(SHORTEST * 2 ** min(failures, 10), LONGEST) * random.uniform(0.5, 1.0)  # noqa: S311


class Socket:
    """Raises `broken`, in words without any secret, whenever it is not, or no longer, what it should be.

    question: what is said every `ask_every` seconds once it is set; silence for `answer` seconds after it is the end.
    """

    def __init__(
        self, address: str, *, broken: type[Exception], ask_every: float = ASK_EVERY, answer: float = ANSWER
    ) -> None:
        self.address, self.broken = address, broken
        self.ask_every, self.answer = ask_every, answer
        self.question: dict[str, Any] = {}
        self.asked_at = self.heard_at = 0.0
        self.opened = ExitStack()

    def __enter__(self) -> Self:
        from websockets.exceptions import WebSocketException  # noqa: PLC0415 - 0.2 s
        from websockets.sync.client import connect  # noqa: PLC0415 - 0.2 s

        logging.getLogger("websockets").setLevel(logging.INFO)  # below that it writes down what we say, keys and all
        self.errors: tuple[type[Exception], ...] = (WebSocketException, OSError, EOFError)
        try:
            socket = connect(
                self.address,
                open_timeout=OPENING,
                close_timeout=1,
                ping_interval=PING,
                ping_timeout=PING,
                max_size=LARGEST,
                max_queue=KEPT,
                proxy=None,
                user_agent_header=None,
            )
            self.socket = self.opened.enter_context(socket)
        except (*self.errors, ValueError) as error:
            raise self.broken(f"no stream: {type(error).__name__}") from None
        try:
            self.introduce()
        except BaseException:
            self.opened.close()
            raise
        self.heard_at = self.asked_at = time.monotonic()
        return self

    def introduce(self) -> None:
        """Whatever has to be said and answered before the first message."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.opened.close()

    def say(self, message: dict[str, Any]) -> None:
        try:
            self.socket.send(json.dumps(message))
        except self.errors as error:
            raise self.broken(f"the stream broke off: {type(error).__name__}") from None

    def ask(self, question: dict[str, Any]) -> None:
        """Now, and again whenever it may have gone mute."""
        self.question = question
        self.asked_at = time.monotonic()
        self.say(question)

    def next(self, patience: float) -> bytes | None:
        """The next message; None where none came within so many seconds."""
        now = time.monotonic()
        if self.heard_at < self.asked_at and now - self.asked_at > self.answer:
            raise self.broken("the stream is mute")
        if self.question and self.heard_at >= self.asked_at and now - self.asked_at >= self.ask_every:
            self.ask(self.question)
        raw = self.received(patience)
        if raw is not None:
            self.heard_at = time.monotonic()
        return raw

    def received(self, patience: float) -> bytes | None:
        try:
            raw = self.socket.recv(timeout=patience)
        except TimeoutError:
            return None
        except self.errors as error:
            raise self.broken(f"the stream broke off: {type(error).__name__}") from None
        return raw.encode() if isinstance(raw, str) else bytes(raw)
