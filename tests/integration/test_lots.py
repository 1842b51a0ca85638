"""What is traded in whole shares is ordered in whole shares, whoever decides; the log says since when and why."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dividends.models import SplitApplication
from dividends.services.announcements import announce_split
from portfolios.domain.amounts import MICROS
from portfolios.domain.holding import in_lots
from portfolios.domain.settings import merge_settings, parse_settings, rules_from
from portfolios.errors import Refused
from portfolios.models import Event, Position, User
from portfolios.selectors import effective_rules
from tests.at_once import at_once
from tests.factories import make_portfolio, make_quote
from tests.integration.test_parity import BEGINS, assert_parity, load_between, walk
from tests.market import assert_sound, later, make_fallen_cell, story, tick
from trading.brokers.models import Ability
from trading.domain.choices import Side
from trading.market.models import Instrument
from trading.models import Order
from trading.selectors import waiting_cells
from trading.services.corporate_actions import apply_due
from trading.services.evaluation import evaluate_position, preview_position
from trading.services.lots import heed_cells, heed_lots, lot_for
from trading.services.opening import open_position
from trading.services.ordering import place_order
from trading.timeline import evaluations

WHOLE = "IBM is traded in whole shares only"


def whole(**traits: Any) -> Instrument:
    return Instrument.objects.update_or_create(symbol="IBM", defaults={"fractional": False} | traits)[0]


def opened(cell: Position) -> Position:
    """Another cell like it, opened as people do."""
    owner = User.objects.get(pk=cell.portfolio.owner_id)
    return open_position(
        portfolio=cell.portfolio,
        symbol="IBM",
        shares=100 * MICROS,
        cash=10_000 * MICROS,
        anchor=100 * MICROS,
        given_settings=None,
        author=owner,
        actor="user:test",
    )


def seen(cell: Position) -> Position:
    rows = Position.objects.select_related("portfolio__settings_version", "portfolio__account", "settings_version")
    return rows.get(pk=cell.pk)


@pytest.mark.django_db
def test_a_new_cell_of_it_buys_whole_shares_and_its_log_says_why() -> None:
    whole()
    cell = opened(make_fallen_cell())
    assert story(cell) == ["lot_changed"]
    said = Event.objects.of(cell).last()
    assert said.content["message"] == f"Orders in steps of a whole share from now on: {WHOLE}."
    order = tick(cell)
    assert order.quantity == 10 * MICROS  # 10.4687 in parts
    decided = Event.objects.of(cell).get(type="evaluated").content
    assert decided["settings"]["lot"] == "1"
    assert decided["outputs"]["trims"][-1] | {"before": ""} == {"name": "lot", "before": "", "after": "10"}
    assert_sound()


@pytest.mark.django_db
def test_a_cell_follows_its_instrument_wakes_up_and_goes_back() -> None:
    cell = make_fallen_cell("99")
    evaluate_position(position_id=cell.pk)
    asleep = make_quote("IBM", "99.1", at=later())
    assert waiting_cells([asleep]) == []
    whole()
    assert heed_lots() == 1
    assert heed_lots() == 0
    assert waiting_cells([asleep]) == [cell.pk]
    assert effective_rules(seen(cell)).rules.lot == MICROS
    Instrument.objects.update(fractional=True)
    assert heed_lots() == 1
    cell.refresh_from_db()
    assert cell.lot == 1
    told = [event.content["inputs"]["why"] for event in Event.objects.of(cell).filter(type="lot_changed")]
    assert told == [WHOLE, "parts of a share are traded"]


@pytest.mark.django_db
def test_the_settings_of_the_cell_can_be_coarser_never_finer() -> None:
    cell = make_fallen_cell(fractional=False)
    Instrument.objects.create(symbol="IBM", lot=1_000)
    heed_lots()
    assert effective_rules(seen(cell)).rules.lot == MICROS
    other = opened(cell)
    assert effective_rules(seen(other)).rules.lot == 1_000
    assert tick(other).quantity == 10_468_000


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("told", "lot", "why"),
    [
        ({}, 1, "parts of a share are traded"),
        ({"whole_only": ["IBM"]}, MICROS, "its broker trades IBM in whole shares only"),
        ({"whole_only": ["NVR"]}, 1, "parts of a share are traded"),
        ({"fractional": False}, MICROS, "its account trades whole shares only"),
    ],
)
def test_what_the_account_can_do_counts_too(told: dict[str, Any], lot: int, why: str) -> None:
    cell = make_fallen_cell()
    account = cell.portfolio.account
    account.adapter = "alpaca"
    account.save(update_fields=["adapter"])
    Ability.objects.create(account=account.code, probed_at=later(), **told)
    assert lot_for("IBM", account) == (lot, why)
    assert heed_lots() == int(lot > 1)
    cell.refresh_from_db()
    assert cell.lot == lot


@pytest.mark.django_db
def test_people_are_held_to_it_and_shown_it() -> None:
    whole()
    cell = opened(make_fallen_cell())
    author = User.objects.get(pk=cell.portfolio.owner_id)
    asked = {"position_id": cell.pk, "side": Side.BUY, "limit": None, "author": author, "actor": "user:test"}
    with pytest.raises(Refused, match="whole shares only") as refused:
        place_order(quantity=1_500_000, key="k", **asked)
    assert refused.value.code == "whole_shares_only"
    assert preview_position(position=seen(cell)).decision.quantity == 10 * MICROS
    assert place_order(quantity=2 * MICROS, key="k", **asked).quantity == 2 * MICROS


@pytest.mark.django_db
def test_a_split_pays_the_rest_of_a_share_in_cash() -> None:
    whole()
    cell = opened(make_fallen_cell())
    announce_split(source="replay", symbol="IBM", ex_date=date(2007, 1, 4), numerator=3, denominator=8)
    apply_due(source="replay", day=date(2007, 1, 4), market_at=later(24 * 60))
    done = SplitApplication.objects.get(position=cell)
    assert (done.shares_after, done.cash_in_lieu) == (37 * MICROS, 129_333_333)  # half a share at 97 * 8 / 3
    assert_sound()


@pytest.mark.django_db
def test_what_was_decided_before_is_still_explained_by_the_lot_of_that_time() -> None:
    cell = make_fallen_cell()
    assert tick(cell).quantity % MICROS
    make_quote("IBM", "97.1", at=later())
    tick(cell)
    whole()
    heed_lots()
    make_quote("IBM", "97.2", at=later(2))
    tick(cell)
    make_quote("IBM", "91", at=later(3))
    assert tick(cell).quantity % MICROS == 0
    rows = [row for row in evaluations(seen(cell)) if row.at >= later(-1)]
    assert [row.rules.lot for row in rows] == [1, 1, MICROS, MICROS]
    assert [row.rules.lot for row in evaluations(seen(cell), since=later(2.5))] == [MICROS]
    assert [row.rules.lot for row in evaluations(seen(cell), since=later(0.5), until=later(1.5))] == [1]


@pytest.mark.django_db(transaction=True)
def test_a_cell_whose_lot_changes_in_the_midst_of_its_life_is_replayed_with_the_lots_it_had() -> None:
    load_between(BEGINS, date(2005, 4, 29))
    Instrument.objects.filter(symbol="IBM").delete()
    portfolio = make_portfolio()
    cell = open_position(
        portfolio=portfolio,
        symbol="IBM",
        shares=50 * MICROS,
        cash=5_000 * MICROS,
        anchor=0,
        given_settings={"tau": "0.005", "min_notional": "1"},
        author=portfolio.owner,
        actor="user:test",
    )
    lots: list[set[bool]] = []
    for until, fractional in (("2005-02-18", False), ("2005-03-18", True), ("2005-04-08", False)):
        before = Order.objects.count()
        walk(until)
        lots.append({order.quantity % MICROS == 0 for order in Order.objects.order_by("pk")[before:]})
        whole(fractional=fractional)
        heed_lots()
    assert lots == [{False}, {True}, {False}]
    assert assert_parity(cell).decisions > 10


@pytest.mark.django_db(transaction=True)
def test_changed_by_many_at_once_it_is_told_once() -> None:
    cell = make_fallen_cell()
    whole()
    assert sum(at_once(*[lambda: heed_cells([cell.pk])] * 4)) == 1
    assert story(cell) == ["lot_changed"]


@given(some.sampled_from([1, 10, 1_000, 125_000, 250_000, 500_000, MICROS]), some.booleans())
def test_the_lot_in_force_is_a_multiple_of_every_one_that_is_asked_for(lot: int, fractional: bool) -> None:
    rules = rules_from(merge_settings(parse_settings({"fractional": fractional})), default_buffer=0)
    both = in_lots(rules, lot).lot
    assert both % lot == 0
    assert both % rules.lot == 0
    assert both == max(lot, rules.lot)
