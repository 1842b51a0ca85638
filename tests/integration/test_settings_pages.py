"""The pages of settings and of a portfolio: what they say, what they refuse, and that nothing typed is lost."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portfolios.domain.settings import SETTINGS
from portfolios.models import Portfolio, Position, SettingsPreset, SettingsVersion, User
from portfolios.selectors import effective_rules
from portfolios.services.settings import change_settings
from portfolios.typed import WORDS
from reporting.selectors.portfolio import CELLS
from tests.factories import NOON, make_portfolio, make_position, make_quote, make_user
from tests.market import make_fallen_cell

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def client(ann) -> Client:
    return signed_in(ann)


@pytest.fixture
def portfolio(ann) -> Portfolio:
    return make_portfolio(ann)


@pytest.fixture
def cell(portfolio) -> Position:
    position = make_position(portfolio, anchor="100")
    make_quote("IBM", "100")
    return position


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def page(client: Client, kind: str, row: Portfolio | Position, name: str = "settings", **query: object) -> str:
    answer = client.get(reverse(f"{kind}-{name}", args=[row.public_id]), query)
    assert answer.status_code == 200
    return plain(answer.content.decode())


def plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("\xa0", " ").split())


def save(client: Client, kind: str, row: Portfolio | Position, version: int = 0, **typed: str):
    return client.post(reverse(f"{kind}-save", args=[row.public_id]), {"version": version} | typed)


def test_every_setting_has_its_words_and_its_field(client, cell):
    assert WORDS.keys() == SETTINGS.keys()
    html = client.get(reverse("position-settings", args=[cell.public_id])).content.decode()
    for name, words in WORDS.items():
        assert f'name="{name}"' in html
        assert words.label in html


def test_per_cents_are_typed_and_fractions_are_kept(client, cell):
    assert save(client, "position", cell, trigger_up="4.5", max_trade="none", fractional="off", note="calmer").url
    version = SettingsVersion.objects.get()
    assert version.given == {"trigger_up": "0.045", "max_trade": None, "fractional": False}
    assert (version.note, version.author.get_username()) == ("calmer", "ann")
    cell.refresh_from_db()
    assert effective_rules(cell).rules.trigger_up == 45_000


def test_what_is_left_empty_is_inherited_and_says_what_that_is(ann, client, portfolio, cell):
    change_settings(portfolio_id=portfolio.pk, given={"tau": "0.05"}, author=ann, note="", market_at=NOON)
    html = page(client, "position", cell)
    assert "0.01 % to 50 %. Inherited: 5 %." in html
    assert "Your band: $95.00 to $105.00, around $100.00." in html


def test_the_effect_is_told_while_somebody_types(client, portfolio, cell):
    told = page(client, "position", cell, "effect", typed="1", trigger_down="2", rebalance_ratio="10")
    assert "Your band: $98.00 to $103.00" in told
    assert "About 10.0 % of the cell per trigger, $2,000.00 now." in told
    assert "Stock stays from 25.0 % to 75.0 % of the cell; it is 50.0 % now." in told
    told = page(client, "portfolio", portfolio, "effect", typed="1", sizing="proportional")
    assert "A cell anchored at $100.00 buys at $97.00 and sells at $103.00." in told
    assert "About 5.0 % of the cell per trigger." in told


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"trigger_up": "60"}, "Must be from 0.01 % to 50 %"),
        ({"trigger_up": "0.00001"}, "with at most 4 digits after the point"),
        ({"trigger_up": "three"}, "Must be a plain number"),
        ({"trigger_up": "3,5 %"}, "Must be a plain number: write 3.5, not 3,5"),
        ({"min_notional": "1,000"}, "Must be a plain number: write 1000 or 1.000, not 1,000"),
        ({"rebalance_ratio": "201"}, "to 200 %"),
        ({"guardrail_low": "80"}, "Must be below guardrail_high, the most stock share."),
        ({"sizing": "constant_mix", "target_weight": "90"}, "Must lie within the guardrails."),
        ({"commission_bps": "1001"}, "Must be from 0 to 1000."),
        ({"max_orders_per_day": "1.5"}, "Must be a multiple of 1."),
        ({"sizing": "kelly"}, "Must be one of anchor_ratio"),
        ({"after_hours": "maybe"}, "Must be on or off."),
        ({"max_quote_age": "1e3"}, "Must be a plain number"),
        ({"min_notional": "1\x00"}, "Must be a plain number"),
    ],
)
def test_what_does_not_fit_is_named_and_what_was_typed_is_kept(client, cell, typed, told):
    answer = save(client, "position", cell, note="my note", **typed)
    assert SettingsVersion.objects.count() == 0
    assert answer.status_code == 422
    html = answer.content.decode()
    assert told in plain(html)
    assert "my note" in html
    assert 'aria-invalid="true"' in html


def test_a_form_that_somebody_overtook_is_refused_and_loses_nothing(ann, client, portfolio, cell):
    bob = {"author": make_user("bob"), "note": "winter", "market_at": NOON}
    change_settings(portfolio_id=portfolio.pk, position_id=cell.pk, given={"tau": "0.04"}, **bob)
    answer = save(client, "position", cell, version=0, trigger_up="6", note="mine")
    assert answer.status_code == 409
    assert "bob saved version 1 : winter" in plain(answer.content.decode()) or "bob saved version 1: winter" in plain(
        answer.content.decode()
    )
    assert "Sell after a rise of 6 % 4 %" in plain(answer.content.decode())
    assert b'name="trigger_up" value="6"' in answer.content
    assert b'name="version" value="1"' in answer.content
    assert save(client, "position", cell, version=1, trigger_up="6", note="mine").status_code == 302
    assert SettingsVersion.objects.order_by("-number").first().given == {"trigger_up": "0.06"}


def test_versions_are_told_with_their_differences_and_come_back(client, portfolio):
    save(client, "portfolio", portfolio, 0, trigger_up="4", note="first")
    save(client, "portfolio", portfolio, 1, trigger_up="5")
    html = page(client, "portfolio", portfolio)
    assert "Version 2 rules now" in html
    assert "Sell after a rise of: 4 % to 5 %" in html
    assert "Sell after a rise of: inherited to 4 %" in html
    client.post(reverse("portfolio-restore", args=[portfolio.public_id]), {"number": 1, "version": 2})
    assert SettingsVersion.objects.get(number=3).given == {"trigger_up": "0.04"}
    client.post(reverse("portfolio-restore", args=[portfolio.public_id]), {"number": 2, "version": 2})
    client.post(reverse("portfolio-restore", args=[portfolio.public_id]), {"number": 9, "version": 3})
    assert SettingsVersion.objects.count() == 3


def test_a_preset_fills_the_form_and_saves_nothing(client, cell):
    html = client.get(reverse("position-settings", args=[cell.public_id]), {"preset": "careful"}).content.decode()
    assert 'name="trigger_up" value="5"' in html
    assert SettingsVersion.objects.count() == 0


def test_a_form_is_kept_as_a_preset_used_and_forgotten(client, cell):
    back = reverse("position-settings", args=[cell.public_id])
    answer = client.post(reverse("keep-preset"), {"preset_name": "Wide", "trigger_up": "9", "page": back})
    assert answer.url.startswith(back)
    preset = SettingsPreset.objects.get()
    assert 'name="trigger_up" value="9"' in client.get(back, {"preset": f"own-{preset.pk}"}).content.decode()
    assert signed_in(make_user("bob")).post(reverse("drop-preset", args=[preset.pk])).status_code == 404
    assert client.post(reverse("drop-preset", args=[preset.pk]), {"page": back}).url == back
    assert not SettingsPreset.objects.exists()


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"])
def test_no_form_leads_elsewhere(client, elsewhere):
    answer = client.post(reverse("keep-preset"), {"preset_name": "x", "page": elsewhere})
    assert answer.url.startswith("/?")


def test_who_may_only_look_sees_the_settings_and_no_button(ann):
    portfolio = make_portfolio(make_user("bob"), ann="viewer")
    cell, client = make_position(portfolio), signed_in(ann)
    for kind, row in (("portfolio", portfolio), ("position", cell)):
        html = page(client, kind, row)
        assert "You may look at these settings, not change them." in html
        assert "Save as version" not in html
        assert save(client, kind, row, trigger_up="4").status_code == 403
        assert client.post(reverse(f"{kind}-restore", args=[row.public_id]), {"number": 0}).status_code == 403
    assert SettingsVersion.objects.count() == 0


def test_a_stranger_finds_nothing(client):
    portfolio = make_portfolio(make_user("bob"))
    cell = make_position(portfolio)
    for kind, row in (("portfolio", portfolio), ("position", cell)):
        for name in ("settings", "effect"):
            assert client.get(reverse(f"{kind}-{name}", args=[row.public_id])).status_code == 404
        assert save(client, kind, row).status_code == 404
    assert client.get(reverse("portfolio", args=[portfolio.public_id])).status_code == 404


def test_hostile_notes_and_presets_are_shown_as_text(client, portfolio):
    save(client, "portfolio", portfolio, 0, note="<script>alert(1)</script>")
    client.post(reverse("keep-preset"), {"preset_name": "<img src=x onerror=alert(1)>"})
    for name in ("portfolio-settings", "portfolio"):
        html = client.get(reverse(name, args=[portfolio.public_id])).content.decode()
        assert "<script>alert" not in html
        assert "<img" not in html


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_the_settings_page_costs_the_same_however_many_versions(client, cell):
    address = reverse("position-settings", args=[cell.public_id])
    before = queries(client, address)
    for number in range(20):
        save(client, "position", cell, number, trigger_up=str(number + 1))
    assert queries(client, address) <= before <= 15


def test_a_portfolio_says_how_it_divides_and_who_may_enter(ann, client):
    portfolio = make_portfolio(ann, bob="viewer")
    make_fallen_cell("100", portfolio=portfolio)
    make_position(portfolio, symbol="ZIM", shares="0", cash="500")
    html = plain(client.get(reverse("portfolio", args=[portfolio.public_id])).content.decode())
    assert "$20,000.00" in html
    assert "IBM $10,000.00 50.0 %" in html
    assert "Cash $10,000.00 50.0 %" in html
    assert "1 without a price not counted" in html
    assert "bob Viewer" in html


def test_an_empty_portfolio_leads_to_its_first_cell(client, portfolio):
    html = client.get(reverse("portfolio", args=[portfolio.public_id])).content.decode()
    assert f"{reverse('position-new')}?portfolio={portfolio.public_id}" in html
    assert "No cells yet" in html


def test_a_portfolio_costs_the_same_for_one_cell_and_for_thirty(ann, client, portfolio):
    address = reverse("portfolio", args=[portfolio.public_id])
    make_fallen_cell(portfolio=portfolio)
    alone = queries(client, address)
    for number in range(30):
        make_position(portfolio, symbol=f"S{number}", anchor="100")
    assert queries(client, address) == alone <= 13


def test_a_long_portfolio_is_leafed_through(client, portfolio):
    address = reverse("portfolio", args=[portfolio.public_id])
    for number in range(CELLS + 1):
        make_position(portfolio, symbol=f"S{number}", anchor="100")
    first, last = (client.get(address, {"page": page}).content.decode() for page in (1, 9))
    assert first.count('<td><a href="/positions/') == CELLS
    assert last.count('<td><a href="/positions/') == 1
    assert "Page 2 of 2" in last
