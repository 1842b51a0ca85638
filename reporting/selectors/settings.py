"""The settings of a portfolio or a cell as a form: what is set, what is inherited, what it comes to, how it came."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from portfolios.domain.holding import in_lots
from portfolios.domain.settings import SETTINGS as ALL
from portfolios.domain.settings import SettingError, merge_settings, parse_settings, rules_from
from portfolios.models import Portfolio, Position, SettingsPreset, SettingsVersion
from portfolios.presets import PRESETS
from portfolios.selectors import default_buffer, given_in
from portfolios.typed import GROUPS, UNITS, Typed, Words, choices_for, limits_of, read_typed, typed_from, with_unit
from reporting.effects import effects_of
from reporting.setting_words import Change, changes_between
from trading.sight import glance

VERSIONS = 50


class Field(NamedTuple):
    """inherited: what rules while nothing is typed."""

    name: str
    words: Words
    unit: str
    value: str
    inherited: str
    limits: str
    choices: tuple[str, ...]
    error: str


class Version(NamedTuple):
    """One version with what it changed."""

    number: int
    author: str
    at: datetime
    note: str
    changes: list[Change]


class SettingsPage(NamedTuple):
    portfolio: Portfolio
    position: Position | None
    number: int
    groups: dict[str, list[Field]]
    errors: list[str]
    effects: list[str]
    versions: list[Version]
    own: list[SettingsPreset]
    note: str
    may_act: bool
    owns: bool


def settings_page(portfolio: Portfolio, position: Position | None, user: Any, asked: Mapping[str, str]) -> SettingsPage:
    """`asked` may carry what was typed (`typed`), or the name of a preset to fill the form with (`preset`)."""
    row = position or portfolio
    own = list(SettingsPreset.objects.filter(owner=user).order_by("name"))
    fields = fields_shown(row.settings_version, own, asked)
    read = checked(portfolio, position, read_typed(fields))
    inherited = merge_settings(given_in(portfolio.settings_version) if position else {})
    return SettingsPage(
        portfolio,
        position,
        row.settings_version.number if row.settings_version else 0,
        {
            title: [field_of(name, group[name], fields, inherited, read) for name in group]
            for title, group in GROUPS.items()
        },
        list(read.errors),
        [] if read.errors else effects_on(portfolio, position, read.given),
        versions_of(portfolio, position),
        own,
        asked.get("note", "")[:200],
        Portfolio.objects.steered_by(user).filter(pk=portfolio.pk).exists(),
        portfolio.owner_id == user.pk,
    )


def fields_shown(
    version: SettingsVersion | None, own: list[SettingsPreset], asked: Mapping[str, str]
) -> dict[str, str]:
    """What the form shows: the typed, else the preset, else what is set."""
    if "typed" in asked:
        return {name: asked.get(name, "")[:40] for name in ALL}
    current = version.given if version else {}
    chosen = asked.get("preset", "")
    kept = {f"own-{preset.pk}": preset.given for preset in own}
    preset = PRESETS[chosen].given if chosen in PRESETS else kept.get(chosen, {})
    return typed_from(current | preset)


def checked(portfolio: Portfolio, position: Position | None, read: Typed) -> Typed:
    """With what one setting asks of another, once each for itself is in order."""
    if read.errors:
        return read
    try:
        merged_with(portfolio, position, read.given)
    except SettingError as error:
        return Typed(read.given, {error.field: error.message})
    return read


def merged_with(portfolio: Portfolio, position: Position | None, given: Mapping[str, Any]) -> dict[str, int]:
    upper = [given_in(portfolio.settings_version)] if position else []
    return merge_settings(*upper, parse_settings(given))


def effects_on(portfolio: Portfolio, position: Position | None, given: Mapping[str, Any]) -> list[str]:
    rules = rules_from(merged_with(portfolio, position, given), default_buffer=default_buffer(portfolio))
    if position is None:
        return effects_of(rules, None, 0)
    sight = glance(position.symbol, position.source)
    return effects_of(in_lots(rules, position.lot), position.holding, sight.price if sight else 0)


def field_of(name: str, words: Words, fields: Mapping[str, str], inherited: Mapping[str, int], read: Typed) -> Field:
    return Field(
        name,
        words,
        UNITS.get(ALL[name].unit, ""),
        fields.get(name, ""),
        with_unit(name, inherited[name]) if name in inherited else "as the broker asks",
        limits_of(name),
        choices_for(name),
        read.errors.get(name, ""),
    )


def versions_of(portfolio: Portfolio, position: Position | None) -> list[Version]:
    """The newest first, each compared with the one before it."""
    rows = SettingsVersion.objects.filter(portfolio=portfolio, position=position).select_related("author")
    newest = list(rows.order_by("-number")[: VERSIONS + 1])
    before = [given_in(row) for row in newest[1:]] + [{}]
    return [
        Version(
            row.number,
            row.author.get_username() if row.author else "the house",
            row.created_at,
            row.note,
            changes_between(earlier, given_in(row)),
        )
        for row, earlier in zip(newest[:VERSIONS], before, strict=False)
    ]
