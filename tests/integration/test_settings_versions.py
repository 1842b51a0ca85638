"""Versions of settings: who changed what, back again, nobody overwrites what he has not seen; presets kept by name."""

import pytest

from portfolios.domain.settings import differences
from portfolios.errors import Refused
from portfolios.models import Portfolio, SettingsPreset
from portfolios.presets import PRESETS
from portfolios.selectors import effective_rules, given_in
from portfolios.services.presets import MOST, forget_preset, save_preset
from portfolios.services.settings import change_settings, restore_version
from tests.factories import NOON, make_portfolio, make_position, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def portfolio() -> Portfolio:
    return make_portfolio(make_user("ann"))


def change(portfolio: Portfolio, expected: int | None = None, note: str = "", **given: str):
    who = {"author": portfolio.owner, "note": note, "market_at": NOON}
    return change_settings(portfolio_id=portfolio.pk, given=given, expected=expected, **who)


def restore(portfolio: Portfolio, number: int, **more: int):
    return restore_version(portfolio_id=portfolio.pk, number=number, author=portfolio.owner, market_at=NOON, **more)


def test_an_earlier_version_comes_back_as_a_new_one(portfolio):
    change(portfolio, tau="0.05")
    change(portfolio, tau="0.02", min_notional="10")
    restored = restore(portfolio, 1)
    assert (restored.number, restored.note) == (3, "restored from version 1")
    assert restored.given == {"trigger_up": "0.05", "trigger_down": "0.05"}
    assert restore(portfolio, 0).given == {}


def test_a_cell_gets_its_own_versions_back_and_not_its_portfolios(portfolio):
    position = make_position(portfolio, tau="0.04")
    change(portfolio, tau="0.05")
    change_settings(
        portfolio_id=portfolio.pk, position_id=position.pk, given={}, author=portfolio.owner, note="", market_at=NOON
    )
    restore(portfolio, 1, position_id=position.pk)
    position.refresh_from_db()
    assert effective_rules(position).rules.trigger_up == 40_000


def test_a_version_nobody_saved_cannot_be_restored(portfolio):
    with pytest.raises(Refused) as refused:
        restore(portfolio, 7)
    assert (refused.value.code, refused.value.status) == ("version_not_found", 404)


def test_who_has_not_seen_the_newest_version_does_not_overwrite_it(portfolio):
    change(portfolio, 0, tau="0.05")
    for attempt in (lambda: change(portfolio, 0, tau="0.02"), lambda: restore(portfolio, 0, expected=0)):
        with pytest.raises(Refused) as refused:
            attempt()
        assert (refused.value.code, refused.value.status) == ("stale_version", 409)
    assert change(portfolio, 1, tau="0.02").number == 2


def test_differences_are_told_as_people_write_them(portfolio):
    before = given_in(change(portfolio, tau="0.05", fractional=False))
    after = given_in(change(portfolio, trigger_up="0.05", min_notional="10"))
    assert [tuple(difference) for difference in differences(before, after)] == [
        ("trigger_down", "0.05", None),
        ("min_notional", None, "10"),
        ("fractional", "false", None),
    ]


@pytest.mark.parametrize("note", ["x" * 201, "two\nlines", "nul\x00"])
def test_a_note_is_one_line(portfolio, note):
    with pytest.raises(Refused) as refused:
        change(portfolio, note=note)
    assert refused.value.field == "note"


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_every_preset_is_accepted(portfolio, preset):
    assert change(portfolio, **preset.given).given.keys() == preset.given.keys()


def test_a_preset_of_ones_own_is_kept_replaced_and_forgotten():
    ann, bob = make_user("ann"), make_user("bob")
    save_preset(owner=ann, name=" Wide  steps ", given={"tau": "0.06"})
    preset = save_preset(owner=ann, name="Wide steps", given={"tau": "0.07"})
    assert SettingsPreset.objects.get().given == {"trigger_up": "0.07", "trigger_down": "0.07"}
    assert not forget_preset(owner=bob, preset_id=preset.pk)
    assert forget_preset(owner=ann, preset_id=preset.pk)


@pytest.mark.parametrize(
    ("name", "given", "field"),
    [
        ("", {}, "name"),
        ("x" * 41, {}, "name"),
        ("nul\x00", {}, "name"),
        ("ok", {"tau": "0.9"}, "settings/trigger_up"),
        ("ok", {"guardrail_low": "0.8"}, "settings/guardrail_low"),
    ],
)
def test_a_preset_that_could_not_be_used_is_not_kept(name, given, field):
    with pytest.raises(Refused) as refused:
        save_preset(owner=make_user("ann"), name=name, given=given)
    assert refused.value.field == field


def test_nobody_hoards_presets():
    ann = make_user("ann")
    for number in range(MOST):
        save_preset(owner=ann, name=f"preset {number}", given={})
    with pytest.raises(Refused, match="at most"):
        save_preset(owner=ann, name="one more", given={})
