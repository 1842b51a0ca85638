"""One connection to an account's stream: raw bodies of what became of orders, as they come."""

import json
from typing import Any

from trading.brokers.alpaca.addresses import Access
from trading.brokers.base import BrokerSilent
from trading.sockets import ANSWER, ASK_EVERY, Socket

LISTEN: dict[str, Any] = {"action": "listen", "data": {"streams": ["trade_updates"]}}


class Stream(Socket):
    """Raises BrokerSilent whenever it is not, or no longer, what it should be."""

    def __init__(self, access: Access, *, ask_every: float = ASK_EVERY, answer: float = ANSWER) -> None:
        super().__init__(access.address.stream, broken=BrokerSilent, ask_every=ask_every, answer=answer)
        self.access = access

    def introduce(self) -> None:
        keys = {"key_id": self.access.key, "secret_key": self.access.secret}
        self.say({"action": "authenticate", "data": keys})
        if self.answered("authorization").get("status") != "authorized":
            raise BrokerSilent("the stream does not accept the account's credentials")
        self.ask(LISTEN)
        if "trade_updates" not in (self.answered("listening").get("streams") or ()):
            raise BrokerSilent("the stream does not tell of orders")

    def answered(self, wanted: str) -> dict[str, Any]:
        """The data of the first message of a kind. Others may not come before it."""
        raw = self.received(self.answer)
        data = read(raw).get("data") if raw and kind_of(raw) == wanted else None
        if not isinstance(data, dict):
            raise BrokerSilent(f"the stream does not answer with {wanted}")
        return data

    def next(self, patience: float) -> bytes | None:
        """The next message of what became of orders; None where none came within so many seconds."""
        raw = super().next(patience)
        return None if raw is None or kind_of(raw) in ("listening", "authorization") else raw


def read(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def kind_of(raw: bytes) -> str:
    return str(read(raw).get("stream", ""))
