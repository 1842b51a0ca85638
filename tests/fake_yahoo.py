"""Yahoo's chart over HTTP on this machine, and the library that asks it wired to here."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from curl_cffi.requests import Session
from yfinance import data

NEW_YORK = {"exchangeTimezoneName": "America/New_York", "timezone": "EST", "gmtoffset": -18_000}


class FakeYahoo:
    """bars: by symbol (instant, close), the latest last. status: what every question is answered with."""

    def __init__(self) -> None:
        self.bars: dict[str, list[tuple[datetime, float | None]]] = {}
        self.dividends: dict[str, list[tuple[datetime, float]]] = {}
        self.splits: dict[str, list[tuple[datetime, int, int]]] = {}
        self.status = 200
        self.asked: list[str] = []
        self.url = ""

    def chart(self, symbol: str, asked: dict[str, list[str]]) -> dict[str, Any]:
        if symbol not in self.bars:
            error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            return {"chart": {"result": None, "error": error}}
        bars = self.bars[symbol]
        if "period1" in asked:
            first, last = (int(asked[name][0]) for name in ("period1", "period2"))
            bars = [bar for bar in bars if first <= bar[0].timestamp() < last]
        stamps, closes = [int(at.timestamp()) for at, _ in bars], [close for _, close in bars]
        columns = dict.fromkeys(("open", "high", "low", "close"), closes) | {"volume": [100] * len(bars)}
        ends = {"timezone": "EST", "gmtoffset": -18_000}
        if stamps:
            ends |= {"start": stamps[0] - stamps[0] % 86_400, "end": stamps[0] - stamps[0] % 86_400 + 86_399}
        meta = {
            "symbol": symbol,
            "currency": "USD",
            "instrumentType": "EQUITY",
            "exchangeName": "NYQ",
            "regularMarketPrice": closes[-1] if closes else None,
            "regularMarketTime": stamps[-1] if stamps else 0,
            "priceHint": 2,
            "currentTradingPeriod": dict.fromkeys(("pre", "regular", "post"), ends),
            "tradingPeriods": [[ends]],
            "dataGranularity": asked["interval"][0],
            "range": "1d",
            "validRanges": ["1d", "5d", "1mo", "max"],
            **NEW_YORK,
        }
        paid = {
            str(int(day.timestamp())): {"amount": amount, "date": int(day.timestamp())}
            for day, amount in self.dividends.get(symbol, [])
        }
        parted = {
            str(int(day.timestamp())): {
                "date": int(day.timestamp()),
                "numerator": new,
                "denominator": old,
                "splitRatio": f"{new}:{old}",
            }
            for day, new, old in self.splits.get(symbol, [])
        }
        events = {name: rows for name, rows in (("dividends", paid), ("splits", parted)) if rows}
        if not bars:
            return {"chart": {"result": [{"meta": meta, "indicators": {"quote": [{}]}}], "error": None}}
        indicators = {"quote": [columns], "adjclose": [{"adjclose": closes}]}
        result = {"meta": meta, "timestamp": stamps, "indicators": indicators}
        return {"chart": {"result": [result | ({"events": events} if events else {})], "error": None}}


class Handler(BaseHTTPRequestHandler):
    yahoo: FakeYahoo

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.yahoo.asked.append(parts.path)
        status, body = self.yahoo.status, b"crumb"
        if parts.path.startswith("/v8/finance/chart/"):
            found = self.yahoo.chart(parts.path.rpartition("/")[2], parse_qs(parts.query))
            status = 404 if status == 200 and found["chart"]["error"] else status
            body = json.dumps(found).encode() if status in (200, 404) else b"Will be right back"
        elif "quote" in parts.path and status == 200:
            status, body = 404, b'{"quoteSummary": {"result": null, "error": {"code": "Not Found"}}}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: Any) -> None:
        """Quiet."""


class Here(Session):
    """A session of the library's own kind whose every question comes to this machine."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.here = url

    def request(self, method: str, url: str, **traits: Any) -> Any:  # type: ignore[override]
        parts = urlsplit(url)
        return super().request(method, f"{self.here}{parts.path}?{parts.query}", **traits)  # type: ignore[arg-type]


@contextmanager
def fake_yahoo() -> Iterator[FakeYahoo]:
    yahoo = FakeYahoo()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Door", (Handler,), {"yahoo": yahoo}))
    yahoo.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    shared = data.YfData()
    before, shared._session = shared._session, Here(yahoo.url)
    shared.cache_get.cache_clear()
    try:
        yield yahoo
    finally:
        shared._session = before
        server.shutdown()
        server.server_close()
