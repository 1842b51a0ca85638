"""Pages: what they say, to whom, and at what cost."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dividends.services.announcements import announce_dividend
from dividends.services.entitlements import go_ex_dividend
from portfolios.domain.amounts import micros
from portfolios.events import EventType
from portfolios.models import Event, Position
from portfolios.services.positions import deposit, pause, withdraw
from reporting.selectors.audit import ACCOUNTS
from reporting.selectors.cells import cells_of, visible_positions
from reporting.selectors.chart import POINTS, thinned
from reporting.selectors.overview import PAGE
from reporting.selectors.timeline import FILTERS
from tests.factories import FIRST_DAY, NOON, make_portfolio, make_position, make_quote, make_user
from tests.market import later, make_fallen_cell, tick
from trading.bars.rows import PRICES
from trading.market.models import Bar, MarketClock
from trading.services.closing import close_position

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def ann():
    return make_user("ann")


@pytest.fixture
def client(ann) -> Client:
    return signed_in(ann)


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def page(client: Client, name: str, position: Position | None = None, **query: object) -> str:
    address = reverse(name, args=[position.public_id] if position else [])
    answer = client.get(address, query)
    assert answer.status_code == 200
    return answer.content.decode()


def queries(client: Client, name: str, position: Position | None = None) -> int:
    page(client, name, position)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        page(client, name, position)
    return len(captured)


def test_the_overview_costs_the_same_for_one_cell_and_for_sixty(ann, client):
    portfolio = make_portfolio(ann)
    tick(make_fallen_cell(portfolio=portfolio))
    alone = queries(client, "overview")
    for number in range(60):
        make_position(portfolio, symbol=f"S{number}", anchor="100")
    make_quote("S1", "99", at=later(1))
    assert queries(client, "overview") == alone <= 15


@pytest.mark.parametrize(("name", "most"), [("cockpit", 15), ("cockpit-live", 15), ("timeline", 8), ("chart", 13)])
def test_a_page_of_one_cell_costs_the_same_however_long_its_history(ann, client, name, most):
    position = make_fallen_cell(portfolio=make_portfolio(ann))
    tick(position)
    assert queries(client, name, position) <= most
    for minutes, price in enumerate(("94", "91", "94", "97", "100"), start=1):
        make_quote("IBM", price, at=later(minutes))
        tick(position)
    assert queries(client, name, position) <= most


def test_one_page_shows_fifty_cells_and_the_totals_of_all(ann, client):
    portfolio = make_portfolio(ann)
    make_quote("IBM", "100")
    for _ in range(PAGE + 1):
        make_position(portfolio, shares="0", cash="10")
    html = page(client, "overview")
    assert "Value of 51 cells" in html
    assert "$510.00" in html
    assert html.count('id="cell-') == PAGE
    assert page(client, "overview", page=2).count('id="cell-') == 1


def test_a_live_cell_does_not_take_a_replayed_one_s_past_away(ann, client):
    cell = make_fallen_cell(portfolio=make_portfolio(ann))
    days = [NOON.date() - timedelta(days=back) for back in (1, 2, 3)]
    Bar.objects.bulk_create(Bar(symbol="IBM", day=day, **dict.fromkeys(PRICES, micros("99")), volume=1) for day in days)
    assert 'aria-label="Last 4 closes' in page(client, "overview")
    Position.objects.filter(pk=make_position(cell.portfolio, symbol="KO").pk).update(source="alpaca")
    assert 'aria-label="Last 4 closes' in page(client, "overview")


def test_the_cell_nearest_to_a_trigger_comes_first_and_the_paused_one_last(ann, client):
    portfolio = make_portfolio(ann)
    for symbol, price in (("FAR", "100"), ("NEAR", "102.5"), ("HELD", "102.9")):
        cell = make_position(portfolio, symbol=symbol, anchor="100")
        make_quote(symbol, price)
    pause(position_id=cell.pk, market_at=NOON, actor="user:ann", reason="holiday")
    html = page(client, "overview")
    assert html.index(">NEAR<") < html.index(">FAR<") < html.index(">HELD<")


def test_a_stranger_sees_nothing_and_is_told_nothing(ann, client):
    theirs = make_fallen_cell(portfolio=make_portfolio(make_user("bob")))
    assert "No cells yet" in page(client, "overview")
    for name in ("cockpit", "cockpit-live", "chart", "timeline"):
        assert client.get(reverse(name, args=[theirs.public_id])).status_code == 404


def test_what_happened_last_names_a_closed_cell_too(ann, client):
    portfolio = make_portfolio(ann)
    for symbol in ("GONE", "HERE"):
        cell = make_position(portfolio, symbol=symbol, shares="0")
        make_quote(symbol, "100")
    gone = portfolio.positions.get(symbol="GONE")
    withdraw(position_id=gone.pk, amount=gone.cash, market_at=NOON, actor="user:ann", note="")
    close_position(position_id=gone.pk, actor="user:ann", reason="done")
    last = page(client, "overview").split("What happened last")[1]
    assert "<strong>GONE</strong>" in last
    assert cell.symbol == "HERE"


def test_someone_without_cells_is_told_what_to_do_next(client):
    html = page(client, "overview")
    assert reverse("position-new") in html
    assert "Open the first cell" in html


def test_a_cell_beyond_its_guardrail_is_nearest_of_all_for_it_trades_at_the_next_price(ann, client):
    portfolio = make_portfolio(ann)
    for symbol, cash in (("CLOSE", "10000"), ("HEAVY", "1500")):
        make_position(portfolio, symbol=symbol, shares="100", cash=cash, anchor="100")
        make_quote(symbol, "102.5" if symbol == "CLOSE" else "100")
    html = page(client, "overview")
    assert html.index(">HEAVY<") < html.index(">CLOSE<")
    assert "at the trigger" in html


def test_a_report_of_a_period_says_that_its_lines_are_older(ann, client):
    cell = make_fallen_cell(portfolio=make_portfolio(ann))
    tick(cell)
    assert "what this period alone added" in page(client, "reports", preset="90")
    assert "what this period alone added" not in page(client, "reports", preset="all")


def test_a_portfolio_without_cells_is_on_the_overview_and_the_way_to_another_too(ann, client):
    make_position(make_portfolio(ann, name="Blue chips"))
    make_portfolio(ann, name="Savings")
    make_portfolio(make_user("zed"), name="Somebody else's")
    html = page(client, "overview")
    assert "Savings" in html
    assert "1 cell<" in html
    assert "0 cells<" in html
    assert "Somebody else" not in html
    assert reverse("portfolio-new") in html


def test_a_cell_without_a_price_waits_visibly(ann, client):
    position = make_position(make_portfolio(ann), symbol="ZIM", shares="0")
    assert "Waits for the first price of ZIM" in page(client, "overview")
    assert "No price yet" in page(client, "cockpit", position)
    assert json.loads(page(client, "chart", position))["days"] == []


def test_every_page_says_that_this_is_replayed_history_and_where_it_ends(ann, client):
    position = make_fallen_cell(portfolio=make_portfolio(ann))
    for name, of in (("overview", None), ("cockpit", position), ("timeline", position), ("overview-live", None)):
        html = page(client, name, of)
        assert "Replayed history" in html
        assert "2007-01-03" in html
    MarketClock.objects.update(ended=True)
    assert "The recorded history ended on" in page(client, "timeline", position)


def test_the_cockpit_says_the_next_trade_in_plain_words(ann, client):
    position = make_position(make_portfolio(ann), anchor="100")
    make_quote("IBM", "100")
    html = page(client, "cockpit", position)
    assert "Buys 10.4687 shares at $97.00 or below." in html
    assert "Sells 9.567348 shares at $103.00 or above." in html


def test_a_next_trade_that_would_be_skipped_says_why(ann, client):
    position = make_position(make_portfolio(ann), shares="400", cash="10000", anchor="100", auto_rebalance=False)
    make_quote("IBM", "100")
    html = page(client, "cockpit", position)
    assert "nothing would be bought: its guardrail leaves no room for a trade" in html


def test_a_trade_is_told_with_its_reason_and_opens_to_the_whole_calculation(ann, client):
    position = make_fallen_cell(portfolio=make_portfolio(ann))
    tick(position)
    assert "fell to the trigger" in page(client, "cockpit", position)
    html = page(client, "timeline", position, show="trades")
    assert html.count('<details class="event"') == 1
    assert "Bought 10.4687 at $97.00" in html
    for part in ("What was known", "What was decided", "What it moved", "Day&#x27;s limit", "+10.4687"):
        assert part in html


def test_a_closed_gate_is_named_where_the_decision_is_told(ann, client):
    position = make_fallen_cell(portfolio=make_portfolio(ann))
    pause(position_id=position.pk, market_at=NOON, actor="user:ann", reason="holiday")
    tick(position)
    html = page(client, "cockpit", position)
    assert 'class="gate shut"' in html
    assert "Paused" in html


def test_the_timeline_is_paged_by_sequence_number(ann, client):
    position = make_position(make_portfolio(ann))
    for _ in range(60):
        deposit(position_id=position.pk, amount=micros("1"), market_at=NOON, actor="user:ann")
    html = page(client, "timeline", position)
    assert html.count('<details class="event"') == 50
    assert "before=12" in html
    assert page(client, "timeline", position, before=12).count('<details class="event"') == 11


def test_a_filter_nobody_knows_shows_everything(ann, client):
    position = make_position(make_portfolio(ann))
    assert page(client, "timeline", position, show="'><script>", before="x").count('<details class="event"') == 1


def test_every_kind_of_event_of_a_cell_is_in_the_timeline_under_some_name():
    filtered = {kind for kinds in FILTERS.values() for kind in kinds}
    steps = {
        EventType.EVALUATED,
        EventType.GUARDRAIL_REBALANCE,
        EventType.ORDER_PROPOSED,
        EventType.ORDER_INTENT,
        EventType.ORDER_SUBMITTED,
        EventType.ORDER_ACCEPTED,
        EventType.REEVALUATED,
        EventType.ANCHOR_UPDATED,
    }
    of_portfolios = {
        EventType.ACCESS_GRANTED,
        EventType.ACCESS_REVOKED,
        EventType.ACCOUNT_CREATED,
        EventType.ACCOUNT_CHANGED,
        EventType.ARMED,
        EventType.DISARMED,
        EventType.APPROVAL_CHANGED,
        EventType.PORTFOLIO_RENAMED,
        EventType.PORTFOLIO_CLOSED,
        EventType.STAFF_VIEWED,
    }
    assert filtered | steps | of_portfolios | set(ACCOUNTS) == set(EventType)


def test_a_live_part_is_not_sent_again_while_nothing_has_moved(ann, client):
    position = make_fallen_cell(portfolio=make_portfolio(ann))
    for name, arguments in (("overview-live", []), ("cockpit-live", [position.public_id])):
        address = reverse(name, args=arguments)
        first = client.get(address)
        again = client.get(address, headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
    tick(position)
    assert client.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_the_day_counts_prices_and_trades_but_not_deposits(ann):
    position = make_position(make_portfolio(ann), anchor="100")
    make_quote("IBM", "100")
    tick(position)
    deposit(position_id=position.pk, amount=micros("500"), market_at=later(1440), actor="user:ann")
    make_quote("IBM", "101", at=later(1441))
    (cell,) = cells_of(list(visible_positions(ann)))
    assert cell.standing.today == micros("100")
    assert cell.standing.alone == micros("20600")
    assert cell.standing.change == 0


def test_a_robot_that_bought_the_dip_is_ahead_of_left_alone(ann):
    position = make_fallen_cell(portfolio=make_portfolio(ann))
    tick(position)
    make_quote("IBM", "100", at=later(1))
    (cell,) = cells_of(list(visible_positions(ann)))
    # 10.4687 shares bought at 97 are worth 3 more each, less the fee of 0.101547
    assert cell.standing.change == micros("31.304553")


def test_the_chart_shows_price_anchor_trades_and_worth(ann, client):
    position = make_fallen_cell(portfolio=make_portfolio(ann))
    tick(position)
    drawn = json.loads(page(client, "chart", position))
    assert drawn["days"] == ["2007-01-03"]
    assert (drawn["prices"], drawn["anchors"]) == ([97.0], [97.0])
    assert drawn["trades"] == [{"at": 0, "side": "BUY", "price": 97.0, "quantity": "10.4687"}]
    assert (drawn["values"], drawn["alone"]) == ([19699.9], [19700.0])


def test_a_chart_of_any_history_has_a_bounded_number_of_points():
    days = [(FIRST_DAY + timedelta(days=number), number) for number in range(9_999)]
    drawn = thinned(days)
    assert len(drawn) <= POINTS
    assert drawn[-1] == days[-1]


def test_a_chart_of_the_last_days_keeps_what_came_before_out_of_sight_but_in_mind(ann, client):
    position = make_fallen_cell(portfolio=make_portfolio(ann))
    tick(position)
    make_quote("IBM", "98", at=NOON + timedelta(days=30))
    drawn = json.loads(page(client, "chart", position, days=10))
    assert (drawn["days"], drawn["anchors"], drawn["trades"]) == (["2007-02-02"], [97.0], [])
    assert drawn["values"] == [19810.37]


def test_no_price_of_the_future_is_shown(ann, client):
    position = make_fallen_cell(portfolio=make_portfolio(ann))
    for number in range(-2, 5):
        traits = dict.fromkeys(("open", "high", "low", "close"), micros(str(500 + number)))
        Bar.objects.create(symbol="IBM", day=FIRST_DAY + timedelta(days=number), **traits)
    html = page(client, "overview")
    assert "from $498.00 to $97.00" in html
    assert "$50" not in html
    assert json.loads(page(client, "chart", position))["prices"] == [97.0]


def test_a_stranded_cell_is_named_with_its_cures(ann, client):
    position = make_fallen_cell(portfolio=make_portfolio(ann), min_notional="5000")
    tick(position)
    assert "Stranded" not in page(client, "cockpit", position)
    for number in range(1, 21):
        price = dict.fromkeys(("open", "high", "low", "close"), micros("97"))
        Bar.objects.create(symbol="IBM", day=FIRST_DAY + timedelta(days=number), **price)
    make_quote("IBM", "97", at=NOON + timedelta(days=20))
    assert "Stranded for 20 sessions" in page(client, "cockpit", position)


def test_who_steers_a_portfolio_may_hold_its_market(ann, client):
    make_fallen_cell(portfolio=make_portfolio(ann))
    assert "Pause the replay" in page(client, "overview")
    assert client.post(reverse("pause-feed", args=["replay"])).status_code == 302
    assert not MarketClock.objects.get().running
    html = page(client, "overview")
    assert "Replay paused" in html
    assert "The replay is paused." in html
    client.post(reverse("resume-feed", args=["replay"]))
    assert MarketClock.objects.get().running


def test_who_may_only_look_finds_no_button_and_no_way_around_it(ann):
    make_fallen_cell(portfolio=make_portfolio(make_user("bob"), ann="viewer"))
    client = signed_in(ann)
    assert "Pause the replay" not in page(client, "overview")
    assert client.post(reverse("pause-feed", args=["replay"])).status_code == 403
    assert MarketClock.objects.get().running


def test_a_form_without_its_token_changes_nothing(ann):
    make_fallen_cell(portfolio=make_portfolio(ann))
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann, backend=BACKEND)
    answer = client.post(reverse("pause-feed", args=["replay"]))
    assert answer.status_code == 403
    assert b"That form was too old" in answer.content
    assert MarketClock.objects.get().running


def test_a_page_that_is_not_there_says_so_in_the_house_style(client):
    answer = client.get("/nothing-here")
    assert answer.status_code == 404
    assert b"nothing that you may see" in answer.content


def test_a_page_carries_no_inline_script_or_style(ann, client):
    position = make_fallen_cell(portfolio=make_portfolio(ann))
    tick(position)
    for name, of in (("overview", None), ("cockpit", position), ("timeline", position), ("login", None)):
        html = page(Client() if name == "login" else client, name, of)
        assert " style=" not in html
        assert "<style" not in html
        assert "<script>" not in html
        assert "onclick" not in html


def test_a_dividend_to_come_is_shown_until_it_is_paid(ann, client):
    position = make_fallen_cell(portfolio=make_portfolio(ann))
    dividend = announce_dividend(
        source="replay", symbol="IBM", ex_date=FIRST_DAY + timedelta(days=1), dps=micros("0.82")
    )
    go_ex_dividend(position_id=position.pk, dividend=dividend, market_at=later(1440))
    make_quote("IBM", "97", at=later(1441))
    html = page(client, "cockpit", position)
    assert "Ex-dividend, $61.50 to come" in html
    assert "paid 3 Feb 2007 (assumed)" in html
    (cell,) = cells_of(list(visible_positions(ann)))
    assert cell.standing.change == 0
    assert Event.objects.of(position).filter(type=EventType.EX_DIVIDEND).count() == 1


def test_ten_wrong_passwords_close_the_door_for_that_name_only(ann, settings):
    ann.set_password("right")
    ann.save()
    client = Client()
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = client.post(reverse("login"), {"username": "ann", "password": "wrong"})
    assert (answer.status_code, b"Too many attempts" in answer.content) == (429, True)
    assert client.post(reverse("login"), {"username": "ann", "password": "right"}).status_code == 429
    assert client.post(reverse("login"), {"username": "bob", "password": "wrong"}).status_code == 200
