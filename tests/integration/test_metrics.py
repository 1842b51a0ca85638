"""The numbers of two months of shipped history, against a calculation in pandas that shares nothing with ours."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from django.core.management import call_command

from dividends.models import Dividend, Split
from dividends.services.announcements import announce_dividend, announce_split
from portfolios.domain.amounts import micros
from portfolios.models import Event, Portfolio, Position
from portfolios.services.positions import create_position, deposit, withdraw
from portfolios.services.settings import change_settings
from reporting.metrics.definitions import MONEY
from reporting.metrics.periods import Period
from reporting.metrics.reports import Report, cells_seen_by, report_of
from reporting.models import DailySnapshot, PortfolioSnapshot
from reporting.snapshots import rebuild_snapshots, write_snapshots
from tests.factories import make_portfolio
from trading.market import history
from trading.market.models import Bar, Quote
from trading.market.selectors import market_now
from trading.market.services import begin_clock, load_bars
from trading.models import Execution

pytestmark = pytest.mark.django_db(transaction=True)
NEW_YORK = ZoneInfo("America/New_York")
BEGINS, MIDWAY, ENDS = date(2005, 2, 1), date(2005, 3, 4), date(2005, 3, 31)
PERIODS = [
    Period(None, ENDS),
    Period(date(2005, 2, 15), date(2005, 3, 11)),
    Period(date(2005, 3, 5), date(2005, 3, 6)),
    Period(date(2005, 3, 4), ENDS),
]
CELLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("AAPL", {"tau": "0.02"}),
    ("AAPL", {"tau": "0.01", "fractional": False, "sizing": "proportional", "min_notional": "1"}),
    ("GOOG", {"tau": "0.01", "guardrail_high": "0.52"}),
    ("IBM", {"tau": "0.01", "min_notional": "700"}),
    ("MSFT", {"tau": "0.01", "commission_bps": "30", "guardrail_low": "0.48"}),
)
YEAR = timedelta(days=365)


@pytest.fixture
def world() -> list[Position]:
    """Five cells through a split and dividends; money comes and goes, guardrails move, snapshots are taken midway."""
    load_window()
    portfolio = make_portfolio()
    Portfolio.objects.update(paper_slippage=500)
    for symbol, given in CELLS:
        create_position(
            portfolio_id=portfolio.pk,
            symbol=symbol,
            shares=micros("50"),
            cash=micros("3000"),
            market_at=datetime(2005, 2, 1, 14, 30, tzinfo=UTC),
            opened_on=BEGINS,
            actor="user:test",
            given_settings=given,
        )
    fast_forward(MIDWAY)
    write_snapshots()
    first, second, *_ = Position.objects.order_by("pk")
    now = market_now("replay")
    deposit(position_id=first.pk, amount=micros("1000"), market_at=now, actor="user:test")
    withdraw(position_id=second.pk, amount=micros("250.5"), market_at=now, actor="user:test")
    change_settings(
        portfolio_id=portfolio.pk, given={"guardrail_high": "0.6"}, author=portfolio.owner, note="", market_at=now
    )
    fast_forward(ENDS)
    return list(cells_seen_by(portfolio.owner))


def fast_forward(until: date) -> None:
    call_command("feed", "--fast-forward-to", str(until), stdout=StringIO())


def load_window() -> None:
    for shipped in history.SYMBOLS:
        bars = [
            Bar(symbol=shipped.symbol, day=bar.session, **{name: getattr(bar, name) for name in PRICES})
            for bar in history.read_bars(shipped.symbol)
            if BEGINS <= bar.session <= ENDS
        ]
        load_bars(symbol=shipped.symbol, name=shipped.name, exchange=shipped.exchange, bars=bars)
    for dividend in history.read_dividends():
        if BEGINS <= dividend.ex_date <= ENDS:
            announce_dividend(source="replay", **dividend._asdict(), pay_date=dividend.ex_date + timedelta(days=14))
    for split in history.read_splits():
        if BEGINS <= split.ex_date <= ENDS:
            announce_split(source="replay", **split._asdict())
    begin_clock(source="replay", begins_on=BEGINS)


PRICES = ("open", "high", "low", "close", "volume")


def test_two_months_of_history_gives_what_pandas_says_with_snapshots_and_without(world):
    now = market_now("replay")
    half = [report_of(world, period) for period in PERIODS]
    assert DailySnapshot.objects.exists()
    write_snapshots()
    stored = [report_of(world, period) for period in PERIODS]
    rebuild_snapshots()
    rebuilt = [report_of(world, period) for period in PERIODS]
    DailySnapshot.objects.all().delete()
    PortfolioSnapshot.objects.all().delete()
    without = [report_of(world, period) for period in PERIODS]
    assert without == half == stored == rebuilt
    assert any(line.figures.totals.trips for line in without[0].lines)
    paths = {cell.pk: path_of(cell, now) for cell in world}
    for report in without:
        for line in report.lines:
            cell = line.position
            assert_near(told(line.figures), by_pandas(cell, paths[cell.pk], report.period, now))
        assert_adds_up(report)


def told(figures: Any) -> dict[str, float | None]:
    names = ("slippage_bps", "hit_rate", "guardrail_time_pct", "min_notional_skips", "turnover", "fee_drag")
    found = {name: getattr(figures, name) for name in (*names, "min_notional_skip_share", "time_weighted")}
    found |= {name: getattr(figures, name) / 1e6 for name in MONEY}
    return found | {"skip_quotes": figures.totals.skip_quotes}


def assert_near(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Ratios to nine digits; money to the micros that our floors and their floats leave open."""
    assert ours.keys() == theirs.keys()
    for name, figure in theirs.items():
        slack = 2e-5 if name in MONEY else 1e-9
        assert ours[name] == (None if figure is None else pytest.approx(figure, rel=1e-7, abs=slack)), name


def assert_adds_up(report: Report) -> None:
    assert report.total.value == sum(line.figures.value for line in report.lines)
    assert report.total.value == report.points[-1].worths.value if report.points else report.total.growth is None
    assert report.total.totals.trips == sum(line.figures.totals.trips for line in report.lines)


def by_pandas(position: Position, path: pd.DataFrame, period: Period, now: datetime) -> dict[str, float | None]:
    """Everything anew from raw rows, in floats, the slow and plain way."""
    first = pd.Timestamp(period.first or date(2000, 1, 1), tz=NEW_YORK)
    last = min(pd.Timestamp(period.last, tz=NEW_YORK) + pd.DateOffset(days=1), pd.Timestamp(now))
    days = path.groupby("day").last()
    inside = path[(path["at"] >= first) & (path["at"] < last) | (path["at"] == last)]
    ends = path["at"].shift(-1, fill_value=pd.Timestamp(now)).where(path.begun)
    seconds = (ends.clip(first, cap(path, last)) - path["at"].clip(first, cap(path, last))).dt.total_seconds().fillna(0)
    area = (seconds * path.value).sum()
    outside = (path.stock >= path.value * path.high) | (path.stock <= path.value * path.low)
    within = days[(days.index >= first.date()) & (days.index <= period.last)]
    before = days[days.index < first.date()]
    start = before.iloc[-1] if len(before) else None
    end = within.iloc[-1] if len(within) else start
    return {
        **trades_by_pandas(position, first, last, area),
        **skips_by_pandas(position, first, last),
        "guardrail_time_pct": 100 * seconds[outside].sum() / seconds.sum() if seconds.sum() else None,
        "time_weighted": chained(within, start) if seconds.sum() else None,
        "value": end.value,
        "profit": gained(start, end, "value"),
        "against_alone": gained(start, end, "value") - gained(start, end, "alone"),
        "against_held": gained(start, end, "value") - gained(start, end, "held"),
        "dividends": inside.received.sum(),
    }


def cap(path: pd.DataFrame, last: pd.Timestamp) -> pd.Timestamp:
    """A weekend belongs to the Monday after it: time ends with the last day that had a price."""
    seen = path[path["at"] < last].day
    return min(last, pd.Timestamp(seen.iloc[-1], tz=NEW_YORK) + pd.DateOffset(days=1)) if len(seen) else last


def gained(start: Any, end: Any, name: str) -> float:
    """Without the owner's money."""
    return end[name] - end.flow - (start[name] - start.flow if start is not None else 0)


def chained(days: pd.DataFrame, start: Any) -> float:
    values = pd.concat([pd.Series([start.value if start is not None else 0.0]), days.value], ignore_index=True)
    flows = pd.concat([pd.Series([start.flow if start is not None else 0.0]), days.flow], ignore_index=True)
    return (values / (values.shift() + flows.diff())).iloc[1:].prod() - 1


def path_of(position: Position, now: datetime) -> pd.DataFrame:
    """One row per price or event: holding, worth, and the two comparisons, in dollars."""
    columns = ("market_at", "seq", "type", "d_shares", "d_cash", "d_receivable")
    events = [(at, 1, seq, kind, *rest) for at, seq, kind, *rest in Event.objects.of(position).values_list(*columns)]
    quotes = Quote.objects.filter(symbol=position.symbol, at__lte=now).values_list("at", "last")
    steps = sorted([*events, *((at, 0, 0, "price", last) for at, last in quotes)], key=lambda step: step[:3])
    changed_at = Event.objects.filter(stream="portfolio", type="settings_changed").get().market_at
    own = position.settings_version.given
    shares = cash = price = flow = 0.0
    alone, held, rows, day_seen = [0.0, 0.0], [0.0, 0.0], [], None
    for at, _, _, kind, *rest in steps:
        received, day = 0.0, at.astimezone(NEW_YORK).date()
        if kind == "price":
            price = rest[0] / 1e6
            if day != day_seen and cash + shares:
                for pair in (alone, held):
                    corporate(pair, position.symbol, day_seen or day, day)
            day_seen = day
        else:
            d_shares, d_cash, d_owed = (amount / 1e6 for amount in rest)
            shares, cash = shares + d_shares, cash + d_cash + d_owed
            received = d_cash if kind == "dividend_paid" else 0.0
            if kind == "position_created":
                flow, alone, held = cash + shares * price, [shares, cash], [(cash + shares * price) / price, 0.0]
            elif kind in ("deposited", "withdrawn"):
                flow, alone[1] = flow + d_cash, alone[1] + d_cash
                held[0] += d_cash / price
        high = own.get("guardrail_high") or ("0.6" if at >= changed_at else "0.75")
        rows.append(
            {
                "at": at, "day": day, "begun": bool(shares + cash), "stock": shares * price,
                "value": shares * price + cash, "flow": flow, "alone": alone[0] * price + alone[1],
                "held": held[0] * price + held[1], "low": float(own.get("guardrail_low", "0.25")),
                "high": float(high), "received": received,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def corporate(pair: list[float], symbol: str, since: date, day: date) -> None:
    for dividend in Dividend.objects.filter(symbol=symbol, ex_date__gt=since, ex_date__lte=day):
        pair[1] += pair[0] * dividend.dps / 1e6 * 0.75
    for split in Split.objects.filter(symbol=symbol, ex_date__gt=since, ex_date__lte=day):
        pair[0] *= split.numerator / split.denominator


def trades_by_pandas(position: Position, first: Any, last: Any, area: float) -> dict[str, float | None]:
    columns = ["at", "order__side", "quantity", "price", "notional", "commission", "order__decision_price"]
    rows = Execution.objects.filter(order__position=position).order_by("pk").values_list(*columns)
    fills = pd.DataFrame(rows, columns=columns)
    chosen = fills[(fills["at"] >= first) & (fills["at"] <= last)]
    side = chosen["order__side"].map({"BUY": 1, "SELL": -1})
    decided = chosen["order__decision_price"].astype(float)
    bps = side * (chosen["price"] - decided) / decided * 1e4
    trips = trips_of(position, fills)
    closed = [profit for at, profit in trips if first <= at <= last]
    year = YEAR.total_seconds() / area / 1e6 if area else 0
    return {
        "slippage_bps": (bps * chosen["notional"]).sum() / chosen["notional"].sum() if len(chosen) else None,
        "hit_rate": sum(profit > 0 for profit in closed) / len(closed) if closed else None,
        "turnover": chosen["notional"].sum() * year if area else None,
        "fee_drag": chosen["commission"].sum() * year if area else None,
        "fees": chosen["commission"].sum() / 1e6,
        "realised": sum(closed),
    }


def trips_of(position: Position, fills: pd.DataFrame) -> list[tuple[Any, float]]:
    """First in, first out, in shares as they are after all splits."""
    opening = Quote.objects.filter(symbol=position.symbol).order_by("at").first()
    splits = list(Split.objects.filter(symbol=position.symbol))

    def scaled(at: datetime, quantity: float) -> float:
        for split in splits:
            if at.astimezone(NEW_YORK).date() < split.ex_date:
                quantity *= split.numerator / split.denominator
        return quantity

    lots = [[scaled(opening.at, 50.0), 50.0 * opening.last / 1e6]]
    trips = []
    for fill in fills.itertuples(index=False):
        at, side, quantity, _, notional, fee, _ = fill
        shares, paid = scaled(at, quantity / 1e6), notional / 1e6
        if side == "BUY":
            lots.append([shares, paid + fee / 1e6])
            continue
        each, left = (paid - fee / 1e6) / shares, shares
        while left > 1e-9:
            piece = min(left, lots[0][0])
            cost = lots[0][1] * piece / lots[0][0]
            trips.append((at, each * piece - cost))
            lots[0] = [lots[0][0] - piece, lots[0][1] - cost]
            left -= piece
            if lots[0][0] < 1e-9:
                lots.pop(0)
    return trips


def skips_by_pandas(position: Position, first: Any, last: Any) -> dict[str, float | None]:
    skips = fired = quotes = 0
    events = list(Event.objects.of(position))
    for event, after in zip(events, [*events[1:], None], strict=True):
        inputs, outputs = event.content["inputs"], event.content["outputs"]
        ordered = event.type == "order_intent" and inputs["reason"].startswith("trigger")
        within = first <= event.market_at <= last
        fired += within and (ordered or event.type == "skipped")
        if event.type == "skipped" and outputs["reason"] == "below_min_notional":
            skips += within
            seen = Quote.objects.filter(symbol=position.symbol, at__gte=max(event.market_at, first), at__lte=last)
            if after:
                seen = seen.filter(**{"at__lt" if fires(after) else "at__lte": after.market_at})
            up, down = 1 + float(outputs["trigger_up"]), 1 - float(outputs["trigger_down"])
            prices = pd.Series([last / 1e6 for last in seen.values_list("last", flat=True)], dtype=float)
            anchor = float(inputs["anchor"])
            hit = prices >= anchor * up if outputs["side"] == "SELL" else prices <= anchor * down
            quotes += int(hit.sum())
    share = skips / fired if fired else None
    return {"min_notional_skips": skips, "min_notional_skip_share": share, "skip_quotes": quotes}


def fires(event: Event) -> bool:
    """Whether the price of the next event's instant is that event's, not the skip's."""
    return event.type in ("evaluated", "skipped")
