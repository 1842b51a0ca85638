"""What the doors of settings say: what was set, what rules, and how versions differ."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portfolios.api.answers import PageAnswer
from portfolios.api.serializers import Answer
from portfolios.domain.holding import Sizing
from portfolios.domain.settings import (
    DEFAULT_RATIOS,
    SETTINGS,
    Difference,
    Setting,
    Unit,
    differences,
    merge_settings,
    shown,
    written,
)
from portfolios.models import Portfolio, Position, SettingsVersion
from portfolios.selectors import default_buffer, given_in

LAYERS = ("default", "portfolio", "cell")


class Subject(NamedTuple):
    """Whose settings: a portfolio's, or the overrides of one of its cells."""

    portfolio: Portfolio
    position: Position | None = None

    @property
    def version(self) -> SettingsVersion | None:
        return (self.position or self.portfolio).settings_version

    @property
    def number(self) -> int:
        return self.version.number if self.version else 0

    @property
    def etag(self) -> str:
        """The version; for a cell the portfolio's before its own, because both together rule."""
        upper = self.portfolio.settings_version
        return f'"{upper.number if upper else 0}-{self.number}"' if self.position else f'"{self.number}"'

    @property
    def layers(self) -> list[Mapping[str, int]]:
        upper = given_in(self.portfolio.settings_version)
        return [upper, given_in(self.version)] if self.position else [upper]


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "boolean"}], "nullable": True, "example": "0.03"})
class ValueField(serializers.Field[Any, Any, Any, Any]):
    """As people write it: decimal text, a word, a switch; null for no limit."""

    def to_representation(self, value: Any) -> Any:
        return value


class SettingAnswer(Answer):
    name = serializers.CharField()
    unit = serializers.ChoiceField(choices=[unit.value for unit in Unit])
    value = ValueField(help_text="What rules; null: no limit")
    given_by = serializers.ChoiceField(choices=LAYERS)
    default = ValueField()
    low = serializers.CharField(allow_null=True)
    high = serializers.CharField(allow_null=True)
    choices = serializers.ListField(child=serializers.CharField())


class VersionAnswer(Answer):
    version = serializers.IntegerField(help_text="0 while nothing was set")
    given = serializers.DictField(child=ValueField(), help_text="What was set here; PUT takes it back as `settings`")
    author = serializers.CharField(allow_null=True)
    note = serializers.CharField()
    created_at = serializers.DateTimeField(allow_null=True)


class SettingsAnswer(VersionAnswer):
    settings = SettingAnswer(many=True)


class DifferenceAnswer(Answer):
    """null: not given. "none": given as no limit."""

    name = serializers.CharField()
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField(allow_null=True)


class NumberedAnswer(VersionAnswer):
    changes = DifferenceAnswer(many=True, help_text="From the version before")


class VersionPage(PageAnswer):
    results = NumberedAnswer(many=True)


def show_settings(subject: Subject) -> dict[str, Any]:
    return dict(SettingsAnswer(described(subject.version) | {"settings": list(rows_of(subject))}).data)


def described(version: SettingsVersion | None) -> dict[str, Any]:
    if version is None:
        return {"version": 0, "given": {}, "author": None, "note": "", "created_at": None}
    author = version.author.get_username() if version.author else None
    told = {"given": version.given, "author": author, "note": version.note, "created_at": version.created_at}
    return {"version": version.number} | told


def rows_of(subject: Subject) -> Iterator[dict[str, Any]]:
    """Every setting as it rules, with where it comes from, its unit and its limits."""
    merged = merge_settings(*subject.layers)
    defaults = {name: setting.default for name, setting in SETTINGS.items() if setting.default is not None}
    defaults |= {"rebalance_ratio": DEFAULT_RATIOS[Sizing(merged["sizing"])]}
    defaults |= {"market_buffer": default_buffer(subject.portfolio)}
    rules = {"market_buffer": defaults["market_buffer"]} | merged
    for name, setting in SETTINGS.items():
        yield {
            "name": name,
            "unit": setting.unit.value,
            "value": plain(name, rules[name]),
            "given_by": LAYERS[layer_of(name, rules[name], subject.layers)],
            "default": plain(name, defaults[name]),
            "choices": setting.choices,
        } | limits_of(setting)


def plain(name: str, value: int) -> str | bool | None:
    return written({name: value})[name]


def layer_of(name: str, value: int, layers: list[Mapping[str, int]]) -> int:
    """The last layer that gives what rules; 0 for the default. A ratio may be given above and not rule."""
    return max((place for place, layer in enumerate(layers, start=1) if layer.get(name) == value), default=0)


def limits_of(setting: Setting) -> dict[str, str | None]:
    if setting.unit in (Unit.SWITCH, Unit.CHOICE):
        return {"low": None, "high": None}
    return {"low": shown(setting, setting.low), "high": shown(setting, setting.high)}


def show_versions(page: list[SettingsVersion]) -> list[dict[str, Any]]:
    """With one query for all the versions before these."""
    if not page:
        return []
    numbers = {version.number - 1 for version in page}
    others = SettingsVersion.objects.filter(
        portfolio=page[0].portfolio_id, position=page[0].position_id, number__in=numbers
    )
    before = {version.number: version for version in others}
    rows = [
        described(version) | {"changes": changes_between(before.get(version.number - 1), version)} for version in page
    ]
    return list(NumberedAnswer(rows, many=True).data)


def changes_between(before: SettingsVersion | None, after: SettingsVersion) -> list[Difference]:
    return differences(given_in(before), given_in(after))
