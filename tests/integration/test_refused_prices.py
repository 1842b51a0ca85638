"""Every price of a day of minutes is explained: by an evaluation on the timeline, or in the list of refused prices."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from random import Random

import pytest
from django.test import Client

from portfolios.models import Portfolio, Position
from tests.at_once import at_once
from tests.factories import bearer, make_position, make_quote, make_user
from tests.integration.browsing import page, queries, signed_in
from tests.market import LIVE, lives, tick
from trading.domain.prices import Refusal
from trading.market.base import Price
from trading.market.models import MarketClock, PriceRefusal, Quote
from trading.market.selectors import count_refusals
from trading.selectors import waiting_cells
from trading.services.evaluation import evaluate_position
from trading.services.intake import Taken, forget_old_refusals, take_price
from vbalance.exposition import told_to_the_scraper

pytestmark = pytest.mark.django_db
SOURCE = "alpaca-1min"
OPEN = datetime(2024, 3, 5, 14, 30, tzinfo=UTC)
OLDER = re.compile(r'<a href="([^"]+)">Older</a>')
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture
def cell() -> Position:
    position = make_position(anchor="400", symbol="SPY", shares="25")
    MarketClock.objects.create(source=SOURCE, begins_on=OPEN.date())
    Position.objects.filter(pk=position.pk).update(source=SOURCE)
    Portfolio.objects.filter(pk=position.portfolio_id).update(source=SOURCE)
    return Position.objects.get(pk=position.pk)


def day_of_minutes(bad: dict[int, int]) -> dict[datetime, int]:
    """390 fabricated closes around 400; each comes a second after its minute."""
    chance, price, closes = Random(4), 400_000_000, {}
    for minute in range(390):
        price += int(chance.gauss(0, 120_000))
        closes[OPEN + minute * MINUTE] = bad.get(minute, price)
    for at, close in closes.items():
        MarketClock.objects.filter(source=SOURCE).update(at=at + SECOND)
        told = take_price(Price("SPY", at, close, 0, 0), source=SOURCE, received_at=at + SECOND)
        if isinstance(told, Taken):
            for pk in waiting_cells([told.quote]):
                evaluate_position(position_id=pk)
    return closes


def pages(client: Client, address: str, headers: dict[str, str], key: str) -> list[dict]:
    rows = []
    while address:
        answer = client.get(address, headers=headers)
        assert answer.status_code == 200, answer.content
        rows += answer.json()[key]
        address = answer.json()["next"]
    return rows


def test_each_minute_of_a_day_is_evaluated_or_refused_and_says_why(cell, client) -> None:
    closes = day_of_minutes({90: 4_000_000_000, 200: 340_000_000, 300: 40_000_000, 310: 0})
    headers = bearer(cell.portfolio.owner, ["read"])
    base = f"/v1/positions/{cell.public_id}"
    evaluated = pages(client, f"{base}/timeline?limit=200", headers, "evaluations")
    refused = pages(client, f"{base}/refused-prices?limit=3", headers, "results")
    seen = {datetime.fromisoformat(row["at"]) for row in evaluated}
    turned = {datetime.fromisoformat(row["at"]) for row in refused}
    assert seen | turned == set(closes)
    assert not seen & turned
    assert len(turned) == 5
    assert all(row["outputs"]["reason"] for row in evaluated)
    assert all(row["message"] and row["reason"] for row in refused)
    reasons = sorted(row["reason"] for row in refused)
    assert reasons == ["out_of_range", "outlier", "outlier", "outlier", "unconfirmed"]
    page = client_of(cell).get(f"/positions/{cell.public_id}/timeline").content.decode()
    assert "Refused prices" in page
    assert page.count('id="refused-') == 1 + 5
    assert "+900" in page or "+899" in page or "+90" in page


def client_of(cell: Position) -> Client:
    client = Client()
    client.force_login(cell.portfolio.owner)
    return client


def refuse(count: int, last: str = "1") -> None:
    rows = [
        PriceRefusal(
            symbol="SPY",
            source=SOURCE,
            at=OPEN + number * SECOND,
            last=last,
            reason="outlier",
            sentence="So.",
            received_at=OPEN,
        )
        for number in range(count)
    ]
    PriceRefusal.objects.bulk_create(rows)


def test_the_page_is_paged_escapes_and_asks_as_little_for_many(cell, django_assert_max_num_queries) -> None:
    refuse(45, "<b>1</b>")
    client, address = client_of(cell), f"/positions/{cell.public_id}/timeline"
    first = client.get(address).content.decode()
    assert first.count('id="refused-') == 1 + 20
    assert "<b>1</b>" not in first
    lowest = PriceRefusal.objects.order_by("pk")[4].pk
    assert client.get(f"{address}?refused_before={lowest}").content.decode().count('id="refused-') == 1 + 4
    with django_assert_max_num_queries(14):
        client.get(address)


def test_a_refusal_is_only_for_who_follows_that_symbol_at_that_source(cell, client) -> None:
    refuse(1)
    Position.objects.filter(pk=cell.pk).update(source="alpaca")
    headers = bearer(cell.portfolio.owner, ["read"])
    assert client.get(f"/v1/positions/{cell.public_id}/refused-prices", headers=headers).json()["results"] == []


def test_old_refusals_are_forgotten(cell) -> None:
    refuse(3)
    assert forget_old_refusals() == 3


def test_every_reason_has_a_name_the_api_knows() -> None:
    from trading.api.refused_prices import REASONS

    assert [*(reason.name.lower() for reason in Refusal if reason), "unexplained_gap"] == REASONS
    assert Quote.objects.count() == 0


def test_what_was_refused_is_counted_by_source_and_reason_and_the_count_never_falls(cell) -> None:
    refuse(3)
    line = b'vb_refused_prices_total{reason="outlier",source="alpaca-1min"} 3.0'
    assert line in told_to_the_scraper()
    assert forget_old_refusals() == 3
    assert line in told_to_the_scraper()
    refuse(2)
    assert forget_old_refusals() == 2
    assert forget_old_refusals() == 0
    assert line.replace(b"3.0", b"5.0") in told_to_the_scraper()


def test_forgetting_twice_at_once_counts_each_once(transactional_db) -> None:
    refuse(40)
    at_once(forget_old_refusals, forget_old_refusals)
    assert count_refusals() == {(SOURCE, "outlier"): 40}


def test_the_list_of_all_is_counted_filtered_and_paged_for_ones_own_stocks(cell) -> None:
    refuse(120)
    other = {"source": SOURCE, "at": OPEN, "last": "9", "sentence": "Not of his.", "received_at": OPEN}
    PriceRefusal.objects.create(symbol="SPY", **(other | {"sentence": "It is crossed."}), reason="crossed")
    PriceRefusal.objects.create(symbol="ZIM", **other, reason="crossed")
    client, found = client_of(cell), 0
    address = "/data/refused"
    while address:
        html = client.get(address).content.decode()
        assert "Not of his." not in html
        assert '<td class="number">121</td>' in html
        found += html.count('<tr id="refused-')
        older = OLDER.search(html)
        address = f"/data/refused{unescape(older[1])}" if older else ""
    assert found == 121
    for query, count in (
        ({"reason": "crossed"}, 1),
        ({"reason": "outlier", "symbol": "spy"}, 50),
        ({"symbol": "ZIM"}, 0),
        ({"source": "nobody"}, 0),
        ({"reason": "<b>"}, 0),
        ({"before": "forged", "other": "x"}, 50),
    ):
        html = client.get("/data/refused", query).content.decode()
        assert html.count('<tr id="refused-') == count, query
        assert "<b>" not in html
    assert "None refused" in signed_in(make_user("eve")).get("/data/refused").content.decode()


@pytest.mark.parametrize("name", ["refused-prices", "timeline"])
def test_a_page_of_refused_prices_asks_as_little_for_many_and_while_a_gap_waits(name) -> None:
    """The gap is an event of its own kind, so a timeline of it is asked for in the same questions."""
    cell = lives(make_position(anchor="100"))
    make_quote(price="100", source=LIVE, at=OPEN - timedelta(days=1))
    make_quote(price="80", source=LIVE, at=OPEN)
    tick(cell)
    client, of = client_of(cell), cell if name == "timeline" else None
    assert "unexplained gap" in page(client, name, of).lower()
    alone = queries(client, name, of)
    rows = PriceRefusal.objects.all()
    for number in range(70):
        row = rows.latest("pk")
        row.pk, row.at = None, OPEN + (number + 1) * SECOND
        row.save()
    for minute in range(30):
        evaluate_position(position_id=cell.pk, asked_by=f"user:{minute}")
    assert queries(client, name, of) == alone <= 9
