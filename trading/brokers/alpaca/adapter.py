"""The adapter: our questions as Alpaca wants them, its answers as they are."""

import time
from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote

from portfolios.domain.amounts import MICROS, as_text
from portfolios.models import Account
from trading.brokers.alpaca.addresses import access_of
from trading.brokers.alpaca.assets import listed
from trading.brokers.alpaca.entries import entry
from trading.brokers.alpaca.fills import Activity, activity, without_gaps
from trading.brokers.alpaca.line import CONNECT, Answer, Line
from trading.brokers.alpaca.news import told
from trading.brokers.alpaca.words import ENDED, Placed, placed, quantity, text
from trading.brokers.base import (
    Abilities,
    BrokerSilent,
    Entry,
    Holdings,
    OrderRequest,
    Report,
    Standing,
    Traded,
    refuse_late,
)
from trading.domain.choices import Side

PAGE, ORDERS_PAGE = 100, 500
MOST_PAGES = 200
NO_SUCH_ORDER = 40_410_000
LEAST_CONNECT = 0.05
names: dict[str, str] = {}  # of orders by the broker's id; an order never changes its name
MOST_NAMES = 50_000


class AlpacaBroker:
    grace = 10.0
    told = staticmethod(told)

    def __init__(self, account: str) -> None:
        """`account` is our code of it. What it needs is looked up with the first question."""
        self.account = account

    @cached_property
    def line(self) -> Line:
        """Raises BrokerSilent where nobody could be asked."""
        return Line(access_of(Account.objects.get(code=self.account)))

    def submit(self, request: OrderRequest) -> Report:
        """A refusal is believed only after a look: it may be of our own order, whose answer was lost before."""
        body = worded(request)
        line = self.line
        refuse_late(request)
        left = request.leave_by - time.monotonic() if request.leave_by else CONNECT
        answer = line.ask("POST", "/v2/orders", body=body, connect=max(left, LEAST_CONNECT))
        if answer.status in (200, 201):
            return self.report(placed(answer.body))
        if answer.status not in (400, 403, 404, 422) or not answer.words:
            raise unusable(answer)
        standing = self.look_up(request.client_order_id)
        if standing is not None:
            return self.report(standing)
        if "client_order_id" in answer.words:
            raise BrokerSilent("the broker has an order of this name and does not show it")
        return Report("rejected", note=answer.words)

    def find(self, request: OrderRequest) -> Report | None:
        standing = self.look_up(request.client_order_id)
        return self.report(standing) if standing else None

    def cancel(self, request: OrderRequest) -> Report | None:
        """Asks once at a time; what became of it is what the order says afterwards."""
        standing = self.look_up(request.client_order_id)
        if standing is None:
            return None
        if standing.is_working and standing.state != "pending_cancel":
            answer = self.line.ask("DELETE", f"/v2/orders/{standing.id}")
            if answer.status not in (200, 204, 404, 422):
                raise unusable(answer)
            standing = self.look_up(request.client_order_id) or standing
        return self.report(standing)

    def open_orders(self) -> list[Standing]:
        return [
            Standing(row.client_order_id, row.symbol, row.side, row.quantity, row.filled, ours(row))
            for row in self.orders("open")
        ]

    def fills_since(self, cursor: str) -> tuple[list[Traded], str]:
        """A page. The cursor is the id of the last line read."""
        page = self.page_of_fills(page_token=cursor) if cursor else self.page_of_fills()
        traded = [Traded(self.name_of(one.order_id), one.symbol, one.side, one.fill) for one in page]
        return [one for one in traded if one.fill.quantity], page[-1].id if page else cursor

    def holdings(self) -> Holdings | None:
        account = expected(self.line.get("/v2/account"), dict)
        positions = expected(self.line.get("/v2/positions"), list)
        shares = {text(row, "symbol"): quantity(row, "qty") for row in positions}
        return Holdings(shares, quantity(account, "cash"), since_opening=False)

    def entries_since(self, first: date) -> list[Entry] | None:
        """Asked for from the day before: which days its `after` leaves out is documented nowhere."""
        found: list[Entry] = []
        since = {"category": "non_trade_activity", "after": f"{first - timedelta(days=1)}T00:00:00Z"}
        asked = {"direction": "asc", "page_size": str(PAGE), **since}
        more: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            page = expected(self.line.get("/v2/account/activities", **asked, **more), list)
            found += [entry(line) for line in page]
            if len(page) < PAGE:
                return [one for one in found if one.day >= first]
            more = {"page_token": found[-1].id}
        raise BrokerSilent("the list of activities has no end")

    def abilities(self, symbols: Collection[str]) -> Abilities:
        account = expected(self.line.get("/v2/account"), dict)
        settings = expected(self.line.get("/v2/account/configurations"), dict)
        assets = {symbol: self.line.get(f"/v2/assets/{quote(symbol, safe='')}") for symbol in sorted(symbols)}
        known = [listed(symbol, expected(answer, dict)) for symbol, answer in assets.items() if answer.status != 404]
        return Abilities(
            blocked=why_blocked(account, settings),
            fractional=settings.get("fractional_trading") is not False,
            extended_hours=True,  # of limit orders for the day
            whole_only=tuple(asset.symbol for asset in known if not asset.fractional),
            untradable=tuple(sorted(set(assets) - {asset.symbol for asset in known if asset.tradable})),
            listed=tuple(known),
        )

    def look_up(self, client_order_id: str) -> Placed | None:
        """None only for the broker's plain word that there is none."""
        answer = self.line.get("/v2/orders:by_client_order_id", client_order_id=client_order_id)
        if answer.status == 404 and answer.code == NO_SUCH_ORDER:
            return None
        standing = placed(expected(answer, dict))
        if standing.client_order_id != client_order_id:
            raise BrokerSilent("the broker shows another order than was asked for")
        return standing

    def report(self, standing: Placed) -> Report:
        """With every fill. An order has ended for us once all that was filled of it is listed."""
        remember(standing)
        fills = tuple(one.fill for one in self.fills_of(standing) if one.fill.quantity)
        if not standing.status:
            return Report("unknown", fills, note=f"the broker has it as {standing.state}, which nobody here knows")
        if sum(fill.quantity for fill in fills) < standing.filled or standing.is_working:
            return Report("partially_filled" if fills else "accepted", fills)
        if standing.status == "filled" and standing.filled < standing.quantity:
            return Report("cancelled", fills, "The broker took back part of what it had filled.")
        note = f"Replaced at the broker by order {standing.replaced_by}." if standing.replaced_by else ""
        return Report(standing.status, fills, note)

    def fills_of(self, standing: Placed) -> list[Activity]:
        if not standing.filled:
            return []
        found: list[Activity] = []
        after = (standing.submitted_at - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        for page in self.pages_of_fills(after=after):
            found += [one for one in page if one.order_id == standing.id]
            chain = without_gaps(found)
            if chain and chain[-1].total >= standing.filled:
                return chain
        return without_gaps(found)

    def pages_of_fills(self, **since: str) -> Iterator[list[Activity]]:
        more = dict(since)
        for _ in range(MOST_PAGES):
            page = self.page_of_fills(**more)
            yield page
            if len(page) < PAGE:
                return
            more = since | {"page_token": page[-1].id}
        raise BrokerSilent("the list of fills has no end")

    def page_of_fills(self, **since: str) -> list[Activity]:
        answer = self.line.get("/v2/account/activities/FILL", direction="asc", page_size=str(PAGE), **since)
        return [activity(line) for line in expected(answer, list)]

    def orders(self, status: str) -> list[Placed]:
        """All pages: the next begins just before the last one's last order."""
        found: dict[str, Placed] = {}
        params = {"status": status, "limit": str(ORDERS_PAGE), "direction": "asc"}
        for _ in range(MOST_PAGES):
            page = [placed(row) for row in expected(self.line.get("/v2/orders", **params), list)]
            new = [row for row in page if row.id not in found]
            found.update((row.id, row) for row in new)
            for row in new:
                remember(row)
            if len(page) < ORDERS_PAGE or not new:
                return list(found.values())
            before = page[-1].submitted_at - timedelta(microseconds=1)
            params["after"] = before.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        raise BrokerSilent("the list of orders has no end")

    def name_of(self, order_id: str) -> str:
        """Our name of an order that the list of fills has by the broker's id; the id where there is no such order."""
        if order_id not in names:
            answer = self.line.get(f"/v2/orders/{quote(order_id, safe='')}")
            if answer.status == 404 and answer.code == NO_SUCH_ORDER:
                return order_id
            remember(placed(expected(answer, dict)))
        return names[order_id]


def why_blocked(account: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """In words; empty where orders are taken."""
    reasons = [
        name.replace("_", " ")
        for told, name in (
            (account, "trading_blocked"),
            (account, "account_blocked"),
            (account, "trade_suspended_by_user"),
            (settings, "suspend_trade"),
        )
        if told.get(name) is True
    ]
    state = account.get("status")
    if state != "ACTIVE":
        reasons.append(f"its status is {str(state)[:40]}")
    return ", ".join(reasons)


def remember(standing: Placed) -> None:
    if len(names) >= MOST_NAMES:
        names.clear()
    names[standing.id] = standing.client_order_id


def ours(standing: Placed) -> str:
    """The status of an order on the broker's list of open ones."""
    return "partially_filled" if standing.filled and standing.status not in ENDED else standing.status or "unknown"


def worded(request: OrderRequest) -> dict[str, str | bool]:
    """The order as it is sent. Parts of shares, and whatever may fill outside the session, are good for a day only."""
    whole = request.quantity % MICROS == 0
    order: dict[str, str | bool] = {
        "symbol": request.symbol,
        "qty": as_text(request.quantity),
        "side": request.side.name.lower(),
        "type": "limit" if request.limit_price else "market",
        "time_in_force": "day" if request.expires_at or not whole or request.extended else "gtc",
        "client_order_id": request.client_order_id,
    }
    if request.limit_price:
        order["limit_price"] = as_text(in_ticks(request.side, request.limit_price))
    if request.extended:
        order["extended_hours"] = True
    return order


def in_ticks(side: Side, limit: int) -> int:
    """Cents from a dollar on, below it hundredths of cents; never a worse limit than was asked for."""
    tick = MICROS // 100 if limit >= MICROS else MICROS // 10_000
    return limit // tick * tick if side == Side.BUY else -(-limit // tick) * tick


def expected(answer: Answer, kind: type) -> Any:
    if answer.status != 200 or not isinstance(answer.body, kind):
        raise unusable(answer)
    return answer.body


def unusable(answer: Answer) -> BrokerSilent:
    return BrokerSilent(f"the broker answered {answer.status} {answer.words}".strip())
