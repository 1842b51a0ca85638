"""One connection to an account's stream: raw bodies as they come, and a question in between whether it still hears us.

A socket can stay open and mute for hours. Pings find a dead line; that the other end still answers us is found by
saying again what we listen to, which it must acknowledge.
"""

import json
import logging
import random
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from trading.brokers.alpaca.addresses import Access
from trading.brokers.base import BrokerSilent

OPENING, PING, ANSWER = 5.0, 10.0, 10.0  # seconds
ASK_EVERY = 30.0
LARGEST = 1 << 20
LISTEN: dict[str, Any] = {"action": "listen", "data": {"streams": ["trade_updates"]}}
SHORTEST, LONGEST = 1.0, 60.0


def pause(failures: int) -> float:
    """Seconds before the next attempt: doubled each time, and spread so that not all come back at once."""
    return min(SHORTEST * 2 ** min(failures, 10), LONGEST) * random.uniform(0.5, 1.0)  # noqa: S311


class Stream:
    """Raises BrokerSilent whenever it is not, or no longer, what it should be."""

    def __init__(self, access: Access, *, ask_every: float = ASK_EVERY, answer: float = ANSWER) -> None:
        self.access = access
        self.ask_every, self.answer = ask_every, answer
        self.asked_at = self.heard_at = 0.0
        self.opened = ExitStack()

    def __enter__(self) -> Self:
        from websockets.exceptions import WebSocketException  # noqa: PLC0415 - 0.2 s
        from websockets.sync.client import connect  # noqa: PLC0415 - 0.2 s

        logging.getLogger("websockets").setLevel(logging.INFO)  # below that it writes down what we say, keys and all
        self.errors: tuple[type[Exception], ...] = (WebSocketException, OSError, EOFError)
        try:
            socket = connect(
                self.access.address.stream,
                open_timeout=OPENING,
                close_timeout=1,
                ping_interval=PING,
                ping_timeout=PING,
                max_size=LARGEST,
                proxy=None,
                user_agent_header=None,
            )
            self.socket = self.opened.enter_context(socket)
        except (*self.errors, ValueError) as error:
            raise BrokerSilent(f"no stream: {type(error).__name__}") from None
        try:
            self.introduce()
        except BaseException:
            self.opened.close()
            raise
        return self

    def introduce(self) -> None:
        keys = {"key_id": self.access.key, "secret_key": self.access.secret}
        self.say({"action": "authenticate", "data": keys})
        if self.answered("authorization").get("status") != "authorized":
            raise BrokerSilent("the stream does not accept the account's credentials")
        self.say(LISTEN)
        if "trade_updates" not in (self.answered("listening").get("streams") or ()):
            raise BrokerSilent("the stream does not tell of orders")
        self.heard_at = self.asked_at = time.monotonic()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.opened.close()

    def next(self, patience: float) -> bytes | None:
        """The next message of what became of orders; None where none came within so many seconds."""
        now = time.monotonic()
        if now - self.asked_at >= self.ask_every and self.heard_at >= self.asked_at:
            self.asked_at = now
            self.say(LISTEN)
        elif self.heard_at < self.asked_at and now - self.asked_at > self.answer:
            raise BrokerSilent("the stream is mute")
        raw = self.received(patience)
        if raw is None:
            return None
        self.heard_at = time.monotonic()
        return None if kind_of(raw) in ("listening", "authorization") else raw

    def answered(self, wanted: str) -> dict[str, Any]:
        """The data of the first message of a kind. Others may not come before it."""
        raw = self.received(self.answer)
        data = read(raw).get("data") if raw and kind_of(raw) == wanted else None
        if not isinstance(data, dict):
            raise BrokerSilent(f"the stream does not answer with {wanted}")
        return data

    def say(self, message: dict[str, Any]) -> None:
        try:
            self.socket.send(json.dumps(message))
        except self.errors as error:
            raise BrokerSilent(f"the stream broke off: {type(error).__name__}") from None

    def received(self, patience: float) -> bytes | None:
        try:
            raw = self.socket.recv(timeout=patience)
        except TimeoutError:
            return None
        except self.errors as error:
            raise BrokerSilent(f"the stream broke off: {type(error).__name__}") from None
        return raw.encode() if isinstance(raw, str) else bytes(raw)


def read(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def kind_of(raw: bytes) -> str:
    return str(read(raw).get("stream", ""))
