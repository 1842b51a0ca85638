"""The pages on which portfolios and cells begin: what they promise, what they refuse, and that twice is once."""

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from portfolios.domain.amounts import micros
from portfolios.models import Event, Portfolio, Position, SettingsVersion, User
from portfolios.services.presets import save_preset
from portfolios.services.settings import change_settings
from tests.factories import FIRST_DAY, NOON, make_portfolio, make_quote, make_user
from tests.market import tick
from trading.market.feeds import missing_for
from trading.market.models import Bar, Instrument

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"
TYPED = {"ticker": "IBM", "stock": "100", "stock_in": "shares", "cash": "10000", "preset": "balanced", "key": "k1"}


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def client(ann) -> Client:
    return signed_in(ann)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def page(client: Client, **typed: object) -> str:
    answer = client.get(reverse("position-new"), typed)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def plain(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html).replace("\xa0", " ")


def record(symbol: str = "IBM", sessions: int = 300, close: str = "100") -> None:
    Instrument.objects.get_or_create(symbol=symbol, defaults={"name": f"The {symbol} company"})
    prices = dict.fromkeys(("open", "high", "low", "close"), micros(close))
    first = FIRST_DAY - timedelta(days=sessions)
    Bar.objects.bulk_create(
        Bar(symbol=symbol, day=first + timedelta(days=number), **prices) for number in range(sessions)
    )


def open_cell(client: Client, **changes: str):
    return client.post(reverse("open-cell"), TYPED | changes)


def test_one_sentence_says_what_the_cell_will_do(client):
    make_quote("IBM", "100")
    assert "At $97.00 it buys 10.47 shares, at $103.00 it sells 9.57." in plain(page(client, ticker="ibm", stock="100"))


def test_a_cell_all_in_cash_is_told_that_it_buys_first(client):
    make_quote("IBM", "100")
    html = plain(page(client, ticker="IBM"))
    assert "being all cash it first buys 25 at $100.00, up to 25 % stock" in html
    assert "its guardrail leaves no room for a trade" in html
    assert "Too small" not in html


def test_what_was_promised_is_what_the_engine_does(ann, client):
    make_quote("IBM", "100")
    open_cell(client)
    position = Position.objects.get()
    assert (position.shares, position.cash, position.anchor) == (micros("100"), micros("10000"), micros("100"))
    make_quote("IBM", "97", at=NOON + timedelta(minutes=1))
    order = tick(position)
    assert (order.side, order.quantity) == ("BUY", micros("10.4687"))


def test_a_first_cell_makes_its_portfolio(ann, client):
    make_quote()
    answer = open_cell(client)
    position = Position.objects.get()
    assert answer.url == reverse("cockpit", args=[position.public_id])
    assert position.portfolio.owner == ann
    assert position.settings_version.given["trigger_up"] == "0.03"


def test_the_same_form_sent_twice_opens_one_cell(client):
    make_quote()
    first, again = open_cell(client), open_cell(client)
    assert first.url == again.url
    assert Position.objects.count() == 1
    open_cell(client, key="k2")
    assert Position.objects.count() == 2


def test_a_key_used_for_something_else_opens_nothing(client):
    make_quote()
    open_cell(client)
    answer = open_cell(client, cash="77")
    assert answer.status_code == 422
    assert 'value="77"' in answer.content.decode()
    assert Position.objects.count() == 1


def test_money_becomes_shares_at_the_price_and_nothing_is_lost(client):
    make_quote("IBM", "97")
    html = plain(page(client, ticker="IBM", stock="5000", stock_in="money"))
    assert "As much as 51.55 shares at $97.00." in html
    open_cell(client, stock="5000", stock_in="money")
    position = Position.objects.get()
    assert position.shares == micros("51.546391")
    assert position.cash == micros("10000") + micros("5000") - 51_546_391 * 97


def test_whole_shares_leave_the_rest_in_cash(ann, client):
    portfolio = make_portfolio(ann)
    given = {"fractional": False}
    change_settings(portfolio_id=portfolio.pk, given=given, author=ann, note="", market_at=NOON)
    make_quote("IBM", "97")
    open_cell(client, stock="5000", stock_in="money", preset="portfolio")
    position = Position.objects.get()
    assert (position.shares, position.cash) == (micros("51"), micros("10053"))
    assert position.settings_version is None
    assert "Must be whole shares" in page(client, ticker="IBM", stock="1.5", preset="portfolio")


def test_a_stock_nobody_knows_is_accepted_and_waits(client):
    html = plain(page(client, ticker="ZIM"))
    assert "It waits for the first price of ZIM, which becomes its anchor." in html
    assert "No price of ZIM is known yet." in html
    assert open_cell(client, ticker="ZIM", stock="").status_code == 302
    assert Position.objects.get().anchor == 0


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"ticker": "I B M"}, "Must be 1 to 12 letters, digits, dots or dashes."),
        ({"ticker": "TOOLONGATICKER"}, "Must be 1 to 12 letters"),
        ({"cash": "-1"}, "Must be from 0 to 1000000000000."),
        ({"cash": "1e3"}, "Must be a plain number up to 1000000000000"),
        ({"cash": "10,000"}, "Must be a plain number: write 10000 or 10.000, not 10,000"),
        ({"cash": "NaN"}, "Must be a plain number"),
        ({"cash": "1.2345678"}, "at most 6 digits after the point"),
        ({"stock": "9999999999999"}, "Must be at most 1000000000000"),
        ({"anchor": "0"}, "Must be from 0.0001 to 1000000."),
        ({"anchor": "1000001"}, "Must be from 0.0001 to 1000000."),
        ({"cash": "", "stock": ""}, "A cell begins with some cash or some shares."),
        ({"ticker": "ZIM", "stock_in": "money"}, "Give shares: without a price dollars cannot be turned into shares."),
        ({"preset": "reckless"}, "Choose one of these."),
        ({"stock_in": "ounces"}, "Choose shares or dollars."),
        ({"cash": "1\x00"}, "Null characters are not allowed."),
    ],
)
def test_what_does_not_fit_is_named_with_its_limit_and_opens_nothing(client, typed, told):
    make_quote()
    answer = open_cell(client, **typed)
    assert answer.status_code == 422
    assert Position.objects.count() == 0
    html = plain(answer.content.decode())
    assert told in html
    assert "The cell is not open yet" in html
    assert "Open the cell" not in html


def test_a_refused_form_keeps_what_was_typed_and_marks_what_does_not_fit(client):
    make_quote()
    html = open_cell(client, cash="abc", stock="7", preset="active").content.decode()
    fields = {name: re.search(rf'<input id="{name}"[^>]*>', html)[0] for name in ("ticker", "cash", "stock")}
    assert all(
        f'value="{typed}"' in fields[name] for name, typed in (("ticker", "IBM"), ("cash", "abc"), ("stock", "7"))
    )
    assert [name for name in fields if 'aria-invalid="true"' in fields[name]] == ["cash"]
    assert 'value="active" checked' in html


def test_a_form_without_its_key_opens_nothing(client):
    make_quote()
    answer = open_cell(client, key="")
    assert answer.status_code == 422
    assert "Open the cell" in plain(answer.content.decode())
    assert Position.objects.count() == 0


def test_who_may_only_look_opens_nothing_and_a_stranger_finds_nothing(ann, client):
    theirs, seen = make_portfolio(make_user("bob")), make_portfolio(make_user("eve"), ann="viewer")
    assert open_cell(client, portfolio=str(seen.public_id)).status_code == 403
    assert open_cell(client, portfolio=str(theirs.public_id)).status_code == 404
    assert open_cell(client, portfolio="nonsense").status_code == 404
    assert Position.objects.count() == 0


def test_a_cell_too_small_for_the_smallest_trade_is_warned_of(client):
    make_quote()
    assert "Too small: a trade would be worth about $50.00, and below $100.00 none is made" in plain(
        page(client, ticker="IBM", cash="1000")
    )


def test_a_short_record_is_said(client):
    make_quote()
    assert "The record of IBM is short: nothing to rehearse on." in plain(page(client, ticker="IBM"))
    record(sessions=20)
    assert "only 20 sessions" in plain(page(client, ticker="IBM"))


def test_the_rehearsal_sees_nothing_of_the_future(client):
    record(sessions=300)
    make_quote("IBM", "100")
    prices = dict.fromkeys(("open", "high", "low", "close"), micros("500"))
    Bar.objects.create(symbol="IBM", day=FIRST_DAY, **prices)
    Bar.objects.create(symbol="IBM", day=date(2008, 1, 3), **prices)
    html = plain(page(client, ticker="IBM", stock="100"))
    assert "Rehearsed on recorded closes300 sessions of IBM" in html.replace("  ", "").replace("> <", "")
    assert "$500" not in html
    assert "short" not in html


def test_a_preset_of_ones_own_can_be_chosen_and_nobody_elses(ann, client):
    make_quote()
    mine = save_preset(owner=ann, name="Wide steps", given={"tau": "0.1"})
    theirs = save_preset(owner=make_user("bob"), name="Secret", given={"tau": "0.2"})
    html = plain(page(client, ticker="IBM", stock="100", preset=f"own-{mine.pk}"))
    assert "Wide steps" in html
    assert "At $90.00 it buys" in html
    assert "Secret" not in html
    assert "Choose one of these." in plain(page(client, ticker="IBM", preset=f"own-{theirs.pk}"))


def test_the_moving_part_says_the_same_as_the_page(client):
    make_quote()
    html = client.get(reverse("position-preview"), {"ticker": "IBM", "stock": "100"}).content.decode()
    assert "it buys 10.47" in html
    assert 'id="hint-stock" hx-swap-oob' in html
    assert "<html" not in html


def test_the_page_of_a_new_cell_costs_the_same_whatever_the_record(ann, client):
    make_portfolio(ann)
    make_quote()
    counts = []
    for sessions in (10, 1_200):
        Bar.objects.all().delete()
        record(sessions=sessions)
        with CaptureQueriesContext(connection) as captured:
            page(client, ticker="IBM")
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 16


def test_hostile_names_are_shown_as_text(client):
    html = page(client, ticker="<script>alert(1)</script>", cash='"><img src=x onerror=alert(1)>')
    assert "<script>alert" not in html.lower()
    assert "<img" not in html


def test_a_portfolio_is_opened_with_its_settings_and_leads_to_its_first_cell(ann, client):
    answer = client.post(reverse("open-portfolio"), {"name": " Rainy  days ", "preset": "careful"})
    portfolio = Portfolio.objects.get()
    assert (portfolio.name, portfolio.mode) == ("Rainy days", "paper")
    assert answer.url == f"{reverse('position-new')}?portfolio={portfolio.public_id}&preset=portfolio"
    version = SettingsVersion.objects.get()
    assert (version.note, version.given["trigger_up"]) == ("Careful, at opening", "0.05")


def test_a_portfolio_follows_the_prices_that_were_chosen_and_says_which(ann, client, settings):
    settings.ALPACA_DATA_KEY = ""
    assert "Alpaca, each minute" in client.get(reverse("portfolio-new")).content.decode()
    client.post(reverse("open-portfolio"), {"name": "Live", "preset": "careful", "source": "alpaca-1min"})
    portfolio = Portfolio.objects.get()
    assert portfolio.source == "alpaca-1min"
    wrote = Event.objects.filter(portfolio=portfolio, type="settings_changed").get()
    assert abs((wrote.market_at - timezone.now()).total_seconds()) < 60
    html = client.get(reverse("portfolio", args=[portfolio.public_id])).content.decode()
    assert "Prices: Alpaca, each minute" in html
    client.post(reverse("open-portfolio"), {"name": "Past", "preset": "careful"})
    assert Portfolio.objects.get(name="Past").source == "replay"


def test_what_nobody_could_ask_says_what_this_house_lacks(settings, monkeypatch):
    settings.ALPACA_DATA_KEY = ""
    assert missing_for("alpaca") == ""  # Yahoo stands in
    monkeypatch.setattr("trading.market.feeds.find_spec", lambda _: None)
    assert missing_for("alpaca") == "keys for Alpaca's market data or the library yfinance"
    assert missing_for("replay") == ""
    settings.ALPACA_DATA_KEY, settings.ALPACA_DATA_SECRET = "key", "secret"
    assert missing_for("yahoo-daily") == ""


def test_a_portfolio_form_sent_twice_opens_one(client):
    for _ in range(2):
        answer = client.post(reverse("open-portfolio"), {"name": "Savings", "preset": "balanced"})
    portfolio = Portfolio.objects.get()
    assert answer.url == reverse("portfolio", args=[portfolio.public_id])


def test_a_name_that_cannot_be_printed_is_refused_with_the_reason(client):
    answer = client.post(reverse("open-portfolio"), {"name": "Savings \u202eevil", "preset": "balanced"})
    assert answer.status_code == 422
    assert "its name must be 1 to 80 printable characters" in answer.content.decode()


@pytest.mark.parametrize(
    "typed", [{"name": ""}, {"name": "x" * 81}, {"preset": "reckless"}, {"source": "gossip"}, {"name": "a\x00b"}]
)
def test_a_portfolio_that_does_not_fit_is_not_opened(client, typed):
    answer = client.post(reverse("open-portfolio"), {"name": "Savings", "preset": "balanced"} | typed)
    assert Portfolio.objects.count() == 0
    assert answer.status_code == 422
    assert "hint wrong" in answer.content.decode()
