"""Alpaca's stream of trades and quotes: of each symbol what is newest, joined as the answers over REST are."""

import json
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings

from trading.market.base import Price, PriceUnavailable, Unreadable
from trading.market.sources.alpaca import AlpacaSource, Keys, joined
from trading.market.sources.reading import instant_in
from trading.sockets import ANSWER, ASK_EVERY, Socket

log = structlog.get_logger(__name__)
CHANNELS = {"t": "trades", "q": "quotes"}
# Sale conditions under which the plans of both tapes (CTA, UTP) leave the last price as it is: cash, bunched, late, odd
# lots, averages, next day, derivatively priced and so on. Trades outside the regular session (T) are counted here.
NO_LAST = frozenset("CGHIMNPQRUVWZ47")


def address_of(url: str, feed: str) -> str:
    """Beside the address over REST: `stream.` before the vendor's host, the same host for one of our own."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return f"wss://stream.{parts.netloc}/v2/{feed}"
    return f"ws://{parts.netloc}/v2/{feed}"


class AlpacaPrices(Socket):
    """One connection of the house's account for data; the vendor allows one. Raises PriceUnavailable when it fails."""

    def __init__(self, keys: Keys, *, ask_every: float = ASK_EVERY, answer: float = ANSWER) -> None:
        address = address_of(keys.url, settings.ALPACA_DATA_FEED)
        super().__init__(address, broken=PriceUnavailable, ask_every=ask_every, answer=answer)
        self.keys = keys
        self.followed: frozenset[str] = frozenset()
        self.newest: dict[str, dict[str, Mapping[str, Any]]] = {name: {} for name in CHANNELS.values()}
        self.told: dict[str, Price | Unreadable] = {}
        self.heard: set[str] = set()

    def introduce(self) -> None:
        self.expect("connected")
        self.say({"action": "auth", "key": self.keys.key, "secret": self.keys.secret})
        self.expect("authenticated")

    def expect(self, word: str) -> None:
        raw = self.received(self.answer)
        if not any(row.get("T") == "success" and row.get("msg") == word for row in rows_in(raw)):
            raise PriceUnavailable(f"the stream is not {word}")

    def follow(self, symbols: Collection[str]) -> None:
        """These and no others from now on; said again it also finds out whether anybody is there.

        What is newest of those that are new is asked for over REST: nobody says again what was said before we listened.
        """
        wanted = frozenset(symbols)
        if gone := sorted(self.followed - wanted):
            self.say({"action": "unsubscribe", **dict.fromkeys(CHANNELS.values(), gone)})
        if wanted != self.followed:
            self.ask({"action": "subscribe", **dict.fromkeys(CHANNELS.values(), sorted(wanted))})
        if new := sorted(wanted - self.followed):
            self.catch_up(new)
        self.followed = wanted

    def catch_up(self, symbols: list[str]) -> None:
        """Where nobody answers, what is told from now on has to do."""
        asked = AlpacaSource(self.keys)
        try:
            for name in CHANNELS.values():
                for symbol, row in asked.told(name, symbols).items():
                    self.keep(name, symbol, row)
        except PriceUnavailable as error:
            log.warning("the stream begins without the newest prices", why=str(error))

    def hear(self, raw: bytes) -> None:
        for row in rows_in(raw):
            name, symbol = CHANNELS.get(str(row.get("T")), ""), row.get("S")
            if name and isinstance(symbol, str) and (name == "quotes" or makes_last(row)):
                self.keep(name, symbol, row)

    def keep(self, name: str, symbol: str, row: Any) -> None:
        """What is older than what is known is not."""
        known, at = self.newest[name].get(symbol), instant_in(row.get("t") if isinstance(row, Mapping) else None)
        known_at = instant_in(known["t"]) if known else None
        if at and not (known_at and at < known_at):
            self.newest[name][symbol] = row
            self.heard.add(symbol)

    def taken(self) -> list[Price | Unreadable]:
        """Of each symbol that was heard of since, its newest price, if that is of a later instant."""
        found = []
        for symbol in sorted(self.heard & self.followed):
            price = joined(symbol, *(rows.get(symbol) for rows in self.newest.values()))
            known = self.told.get(symbol)
            if price and not (known and price.at <= known.at):
                self.told[symbol] = price
                found.append(price)
        self.heard.clear()
        return found


def makes_last(row: Mapping[str, Any]) -> bool:
    conditions = row.get("c")
    return not (isinstance(conditions, list) and NO_LAST.intersection(map(str, conditions)))


def rows_in(raw: bytes | None) -> Iterator[Mapping[str, Any]]:
    """The messages of one frame. Raises PriceUnavailable where one of them is an error; nonsense is none."""
    try:
        found = json.loads(raw or b"", parse_float=Decimal, parse_constant=str)
    except (ValueError, RecursionError):
        return
    for row in found if isinstance(found, list) else []:
        if not isinstance(row, dict):
            continue
        if row.get("T") == "error":
            raise PriceUnavailable(f"the stream says {str(row.get('code'))[:10]} {str(row.get('msg'))[:80]}")
        yield row
