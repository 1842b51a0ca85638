"""The fake's two streams: JSON in binary frames of what becomes of orders, and prices in msgpack or JSON."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgpack
from aiohttp import WSMsgType, web

from trading.brokers.fake_alpaca.book import Book
from trading.brokers.fake_alpaca.faults import DATA, STREAM, Faults
from trading.brokers.fake_alpaca.orders import stamp
from trading.brokers.fake_alpaca.rest import BOOK, FAULTS, KEYS

CHANNELS = {"trades": "t", "quotes": "q", "bars": "b"}


class TradeStream:
    """Everyone who listens is told everything, but for what the script loses, repeats or mixes up."""

    def __init__(self, book: Book, faults: Faults) -> None:
        self.faults = faults
        self.listening: set[web.WebSocketResponse] = set()
        self.sent = 0
        self.kept: bytes | None = None
        self.muted: set[web.WebSocketResponse] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        book.listeners.append(self.tell)

    def tell(self, message: dict[str, Any]) -> None:
        raw = json.dumps(message).encode()
        fault = self.faults.draw(STREAM)
        if fault == "mute":  # open, answering pings, and silent for good: only another connection helps
            self.muted |= self.listening
            self.listening.clear()
        if fault in ("mute", "drop"):
            return
        if fault == "reorder" and self.kept is None:
            self.kept = raw
            return
        letters = {"duplicate": [raw, raw], "nonsense": [b'{"stream":"trade_updates","data":{"event":"??"}}', raw]}
        told = letters.get(fault, [raw])
        if self.kept is not None:
            told, self.kept = [*told, self.kept], None
        for letter in told:
            self.begin(self.send(letter))
        if fault == "disconnect":
            self.begin(self.hang_up())

    def begin(self, deed: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(deed)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def send(self, raw: bytes) -> None:
        self.sent += 1
        for socket in list(self.listening):
            try:
                await socket.send_bytes(raw)
            except ConnectionError:
                self.listening.discard(socket)

    async def hang_up(self) -> None:
        for socket in list(self.listening):
            await socket.close(code=1011)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        known = False
        try:
            async for message in socket:
                asked = read(message.data) if message.type in (WSMsgType.TEXT, WSMsgType.BINARY) else {}
                known = await self.hear(socket, request, asked, known=known)
        finally:
            self.listening.discard(socket)
            self.muted.discard(socket)
        return socket

    async def hear(
        self, socket: web.WebSocketResponse, request: web.Request, asked: dict[str, Any], *, known: bool
    ) -> bool:
        """Whether whoever asks has shown his keys."""
        data = asked.get("data") or {}
        if socket in self.muted:
            return known
        if asked.get("action") in ("authenticate", "auth"):
            given = (data.get("key_id", asked.get("key")), data.get("secret_key", asked.get("secret")))
            known = given == request.app[KEYS]
            status = "authorized" if known else "unauthorized"
            body = {"status": status, "action": asked["action"]}
            await socket.send_bytes(json.dumps({"stream": "authorization", "data": body}).encode())
        elif asked.get("action") == "listen":
            wanted = [name for name in data.get("streams", []) if known and name == "trade_updates"]
            if wanted:
                self.listening.add(socket)
            else:
                self.listening.discard(socket)
            await socket.send_bytes(json.dumps({"stream": "listening", "data": {"streams": wanted}}).encode())
        return known


class DataStream:
    """One connection at a time; trades, quotes and bars of whatever it subscribed to."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.socket: web.WebSocketResponse | None = None
        self.packed = self.muted = False
        self.wanted: dict[str, set[str]] = {name: set() for name in CHANNELS}

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        packed = "msgpack" in request.headers.get("Content-Type", "")
        await say(socket, packed, [{"T": "success", "msg": "connected"}])
        mine = False
        try:
            async for message in socket:
                asked = read(message.data) if message.type in (WSMsgType.TEXT, WSMsgType.BINARY) else {}
                if mine and self.muted:
                    continue
                if asked.get("action") == "auth":
                    mine = await self.admit(socket, packed, (asked.get("key"), asked.get("secret")), request)
                elif mine and asked.get("action") in ("subscribe", "unsubscribe"):
                    await self.subscribe(socket, packed, asked)
                else:
                    await say(socket, packed, [{"T": "error", "code": 401, "msg": "not authenticated"}])
        finally:
            if mine:
                self.socket = None
        return socket

    async def admit(
        self, socket: web.WebSocketResponse, packed: bool, given: tuple[Any, Any], request: web.Request
    ) -> bool:
        if given != request.app[KEYS]:
            await say(socket, packed, [{"T": "error", "code": 402, "msg": "auth failed"}])
            return False
        if self.socket is not None and not self.socket.closed:
            await say(socket, packed, [{"T": "error", "code": 406, "msg": "connection limit exceeded"}])
            return False
        self.socket, self.packed, self.muted = socket, packed, False
        self.wanted = {name: set() for name in CHANNELS}
        await say(socket, packed, [{"T": "success", "msg": "authenticated"}])
        return True

    async def subscribe(self, socket: web.WebSocketResponse, packed: bool, asked: dict[str, Any]) -> None:
        for name, symbols in self.wanted.items():
            named = set(asked.get(name) or ())
            self.wanted[name] = symbols | named if asked["action"] == "subscribe" else symbols - named
        told = {name: sorted(symbols) for name, symbols in self.wanted.items()}
        await say(socket, packed, [{"T": "subscription", **told, "updatedBars": [], "dailyBars": []}])

    async def publish(self, symbol: str, price: Decimal, at: float | None = None) -> None:
        """One trade, one quote and one bar at this price, to whoever wants them."""
        is_wanted = any({symbol, "*"} & names for names in self.wanted.values())
        if self.socket is None or self.socket.closed or not is_wanted:
            return
        fault = self.faults.draw(DATA)
        self.muted = self.muted or fault == "mute"  # open, and answering nothing but pings
        if self.muted or fault == "drop":
            return
        if fault == "disconnect":
            await self.socket.close(code=1011)
            return
        seconds = at or time.time()
        plain = stamp(datetime.fromtimestamp(seconds, UTC))
        moment = msgpack.Timestamp.from_unix(seconds) if self.packed else plain
        said: dict[str, Callable[[], dict[str, Any]]] = {
            "trades": lambda: {"p": float(price), "s": 100, "x": "V", "i": 1, "c": ["@"], "z": "C"},
            "quotes": lambda: quote(price),
            "bars": lambda: {**dict.fromkeys("ohlc", float(price)), "v": 100, "n": 1, "vw": float(price)},
        }
        found = [
            {"T": CHANNELS[name], "S": symbol, **words(), "t": moment}
            for name, words in said.items()
            if {symbol, "*"} & self.wanted[name]
        ]
        if fault == "nonsense":
            found = [{"T": "q", "S": symbol, "t": "soon"}, {"T": "?"}, *found]
        for _ in range(2 if fault == "duplicate" else 1):
            await say(self.socket, self.packed, found)


def quote(price: Decimal) -> dict[str, Any]:
    """A cent to either side."""
    cent = Decimal("0.01")
    sides = {"bp": float(price - cent), "ap": float(price + cent), "bs": 1, "as": 1}
    return {**sides, "bx": "V", "ax": "V", "c": ["R"], "z": "C"}


async def say(socket: web.WebSocketResponse, packed: bool, messages: list[dict[str, Any]]) -> None:
    if packed:
        await socket.send_bytes(msgpack.packb(messages))
    else:
        await socket.send_str(json.dumps(messages))


def read(raw: str | bytes) -> dict[str, Any]:
    """A message in JSON, or in msgpack where it is no JSON; nothing where it is neither."""
    try:
        found = json.loads(raw)
    except ValueError:
        try:
            found = msgpack.unpackb(raw) if isinstance(raw, bytes) else {}
        except (ValueError, msgpack.exceptions.UnpackException):
            found = {}
    return found if isinstance(found, dict) else {}


__all__ = ["BOOK", "FAULTS", "DataStream", "TradeStream", "quote"]
