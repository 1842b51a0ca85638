"""The pages of dividends and of the audit: what they count, show and check."""

from datetime import date, timedelta
from html import unescape

import pytest
from django.db import connection
from django.urls import reverse

from dividends.services.announcements import announce_dividend
from dividends.services.entitlements import go_ex_dividend, pay_dividend
from portfolios.domain.amounts import micros
from portfolios.models import Event, Position
from portfolios.services.positions import deposit
from portfolios.services.verification import verify_portfolios
from reporting.selectors.dividends import year_of
from tests.factories import FIRST_DAY, make_portfolio, make_position, make_quote, make_user
from tests.integration.browsing import page, queries, signed_in
from tests.market import later, make_fallen_cell, tick

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return make_user("ann")


@pytest.fixture
def client(ann):
    return signed_in(ann)


@pytest.fixture
def cell(ann):
    return make_fallen_cell(portfolio=make_portfolio(ann))


def announce(day: int, dps: str = "1", pays: date | None = None):
    ex_date = FIRST_DAY + timedelta(days=day)
    return announce_dividend(source="replay", symbol="IBM", ex_date=ex_date, dps=micros(dps), pay_date=pays)


def go_ex(cell, dividend):
    return go_ex_dividend(position_id=cell.pk, dividend=dividend, market_at=later(1440))


def test_the_calendar_says_what_is_announced_and_which_days_are_assumed(client, cell):
    announce(1, "0.5", FIRST_DAY + timedelta(days=9))
    announce(2, "0.25")
    html = page(client, "dividends")
    for text in ("4 Jan 2007", "$50.00", "$12.50", "$37.50", "12 Jan 2007", "$18.75"):
        assert text in html, text
    assert html.count(">assumed<") == 1


def test_the_calendar_does_not_tell_a_far_future(client, cell):
    announce(45)
    announce(46)
    html = page(client, "dividends")
    assert "17 Feb 2007" in html
    assert "18 Feb 2007" not in html


def test_what_went_ex_is_receivable_until_it_is_received(client, cell):
    entitlement = go_ex(cell, announce(1, "0.5"))
    html = page(client, "dividends")
    assert '<strong>$37.50</strong> <span class="muted small">to come' in html
    pay_dividend(entitlement_id=entitlement.pk, market_at=later(3000))
    html = page(client, "dividends")
    assert "Nothing is owed" in html
    assert "All of 2007" in html


def test_a_year_is_the_sum_of_its_cells(ann, client, cell):
    other = make_position(cell.portfolio, shares="10")
    for each in (cell, other):
        for day in (1, 2):
            pay_dividend(entitlement_id=go_ex(each, announce(day)).pk, market_at=later(3000))
    html = page(client, "dividends")
    for text in ("$200.00", "$150.00", "$20.00", "$15.00", "$220.00", "$55.00", "$165.00"):
        assert text in html, text


def test_dividends_cost_the_same_however_many_there_are(client, cell):
    go_ex(cell, announce(0))
    make_quote("IBM", "97", at=later(1))
    few = queries(client, "dividends")
    for day in range(1, 40):
        entitlement = go_ex(cell, announce(day))
        if day % 2:
            pay_dividend(entitlement_id=entitlement.pk, market_at=later(3000))
    assert queries(client, "dividends") <= few + 1 <= 13


def test_who_holds_nothing_is_told_what_dividends_need(client):
    go_ex(make_position(make_portfolio(make_user("bob"))), announce(1))
    assert "No cells yet" in page(client, "dividends")


def test_a_year_of_many_cells_shows_fifty_and_sums_up_the_others():
    year = year_of(2007, [(number, 100, 10, 90) for number in range(60)], {number: Position() for number in range(50)})
    assert (len(year.cells), year.others) == (50, 10)
    assert year.of_others == (1_000, 100, 900)
    assert year.total == (6_000, 600, 5_400)


def test_the_audit_shows_every_event_with_its_text_and_hashes(client, cell):
    tick(cell)
    html = page(client, "audit")
    for event in Event.objects.filter(portfolio=cell.portfolio):
        assert event.hash in html
        assert event.prev_hash in html
    assert "&quot;stock_share_after&quot;" in html
    assert "Access granted" in html


def test_the_audit_is_filtered_by_kind_actor_place_and_day(client, cell):
    tick(cell)
    other = make_position(make_portfolio(cell.portfolio.owner, name="Second"), symbol="AAPL")
    deposit(position_id=other.pk, amount=1, market_at=later(1440), actor="user:ann")
    trades = page(client, "audit", kind="trades")
    assert "Order filled" in trades
    assert "Cell created" not in trades
    assert "Order written" in page(client, "audit", actor="robot")
    assert "Cash deposited" not in page(client, "audit", actor="robot")
    assert "Cash deposited" in page(client, "audit", actor="person")
    assert "Order written" not in page(client, "audit", actor="person")
    assert "Cash deposited" in page(client, "audit", actor="person", kind="settings")
    assert "Cash deposited" in page(client, "audit", since="2007-01-04", until="2007-01-04")
    assert "Order filled" not in page(client, "audit", since="2007-01-04")
    assert "IBM" not in page(client, "audit", portfolio=other.portfolio.public_id).split("<main")[1]
    assert "AAPL" not in page(client, "audit", cell=cell.public_id).split("<main")[1]
    assert "No such events" in page(client, "audit", kind="skips")
    assert "Order filled" in page(client, "audit", kind="nonsense", since="0001-01-01", until="x", before="forged")


@pytest.mark.parametrize("days", [{}, {"since": "2007-01-01", "until": "2007-01-31"}])
def test_older_events_follow_each_once_over_several_portfolios(ann, client, cell, days):
    other = make_position(make_portfolio(ann, name="Second"), symbol="AAPL")
    for number in range(60):
        deposit(position_id=(cell, other)[number % 2].pk, amount=1, market_at=later(number // 40), actor="user:ann")
    first = page(client, "audit", **days)
    older = first.split('">Older</a>')[0].rsplit('href="?', 1)[1]
    second = client.get(f"{reverse('audit')}?{unescape(older)}").content.decode()
    assert first.count('<details class="event"') == 50
    told = Event.objects.filter(market_at__year=2007) if days else Event.objects.all()
    assert first.count('<details class="event"') + second.count('<details class="event"') == told.count()
    assert all(event.hash in first + second for event in told)
    assert queries(client, "audit") <= 9


def test_the_audit_of_others_is_not_there(client):
    theirs = make_fallen_cell(portfolio=make_portfolio(make_user("bob")))
    assert "Nothing has happened yet" in page(client, "audit")
    for name, value in (("cell", theirs.public_id), ("portfolio", theirs.portfolio.public_id), ("cell", "x")):
        assert client.get(reverse("audit"), {name: value}).status_code == 404


def test_the_chain_is_verified_where_he_may_look(client, cell):
    tick(cell)
    make_fallen_cell(portfolio=make_portfolio(make_user("bob")))
    html = client.post(reverse("audit-verify")).content.decode()
    assert "The log holds" in html
    seen = Event.objects.filter(portfolio=cell.portfolio) | Event.objects.of(cell.portfolio.account)
    assert f"<dd>{seen.count()}</dd>" in html


def test_a_changed_event_is_found_and_named(client, cell):
    tick(cell)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE portfolios_event DISABLE TRIGGER USER")
        cursor.execute("UPDATE portfolios_event SET d_cash = d_cash + 1 WHERE type = 'order_filled'")
        cursor.execute("ALTER TABLE portfolios_event ENABLE TRIGGER USER")
    html = client.post(reverse("audit-verify")).content.decode()
    assert "The log has 1 finding" in html
    assert "its columns differ from its text" in html


def test_a_long_log_is_checked_from_its_end_back(ann, cell):
    for number in range(20):
        deposit(position_id=cell.pk, amount=1, market_at=later(number), actor="user:ann")
    portfolio = cell.portfolio_id
    total = Event.objects.filter(portfolio=portfolio).count()
    for most in range(total + 2):
        checked = verify_portfolios(portfolio_ids=[portfolio], most=most)
        assert checked.verified.events == min(most, total)
        assert checked.left_out == max(total - most, 0)
        assert checked.verified.findings == []


def test_what_is_missing_at_the_end_is_found_whatever_the_bound(cell):
    tick(cell)
    cell.__class__.objects.filter(pk=cell.pk).update(event_hash="0" * 64)
    for most in (1, 100):
        findings = verify_portfolios(portfolio_ids=[cell.portfolio_id], most=most).verified.findings
        assert ("the row's head is not the last event" in {finding.problem for finding in findings}) is (most == 100)
