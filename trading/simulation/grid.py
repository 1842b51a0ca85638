"""A grid over settings: every combination of its axes has a number. Ranges are exact and include both ends."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from math import prod
from typing import Any, NamedTuple

from portfolios.domain.amounts import MICROS, as_text, micros, plain_text
from portfolios.domain.settings import (
    ALIASES,
    SCALE,
    SETTINGS,
    Setting,
    SettingError,
    Unit,
    merge_settings,
    parse_setting,
    shown,
)
from portfolios.errors import Refused

MOST = 100_000
MOST_AXES = 6
RANGE = {"name", "from", "to", "step"}
LIST = {"name", "values"}


class Axis(NamedTuple):
    """A setting (or `tau`, `r`: those they stand for) and the values it takes, parsed, in order."""

    name: str
    values: tuple[int, ...]
    is_ordered: bool

    @property
    def targets(self) -> tuple[str, ...]:
        return ALIASES.get(self.name, (self.name,))

    def shown(self, place: int) -> str:
        return shown(SETTINGS[self.targets[0]], self.values[place])

    @property
    def texts(self) -> list[str]:
        return [self.shown(place) for place in range(len(self.values))]


class Grid:
    """The last axis turns fastest: number 0 is every axis at its first value."""

    def __init__(self, base: Mapping[str, int], axes: Sequence[Axis]) -> None:
        self.base, self.axes = base, tuple(axes)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(axis.values) for axis in self.axes)

    @property
    def size(self) -> int:
        return prod(self.shape)

    def places(self, number: int) -> list[int]:
        """Where a combination lies on each axis."""
        found = []
        for length in reversed(self.shape):
            number, place = divmod(number, length)
            found.append(place)
        return found[::-1]

    def number(self, places: Sequence[int]) -> int:
        number = 0
        for length, place in zip(self.shape, places, strict=True):
            number = number * length + place
        return number

    def settings(self, number: int) -> dict[str, int]:
        """The base with this combination over it, parsed, as given: not merged with the defaults."""
        given = dict(self.base)
        for axis, place in zip(self.axes, self.places(number), strict=True):
            given |= dict.fromkeys(axis.targets, axis.values[place])
        return given

    def merged(self, number: int) -> dict[str, int] | None:
        """Complete settings; None for a combination that no cell could have."""
        try:
            return merge_settings(self.settings(number))
        except SettingError:
            return None

    def neighbours(self, number: int) -> Iterator[int]:
        """One step away on one axis whose values have an order."""
        places = self.places(number)
        for row, axis in enumerate(self.axes):
            for place in (places[row] - 1, places[row] + 1):
                if axis.is_ordered and 0 <= place < self.shape[row]:
                    yield self.number([*places[:row], place, *places[row + 1 :]])


def read_axes(given: Any) -> list[Axis]:
    """Axes as people write them: name with from, to and step, or with a list of values.

    Raises Refused (422) invalid_axis naming the axis, or too_many_settings.
    """
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_AXES:
        raise Refused("invalid_axis", f"must be a list of 1 to {MOST_AXES} axes", field="axes")
    axes: list[Axis] = []
    taken: set[str] = set()
    for place, item in enumerate(given):
        try:
            axis = read_axis(item)
        except SettingError as error:
            raise Refused("invalid_axis", error.message, field=f"axes/{place}/{error.field}") from None
        if taken & set(axis.targets):
            raise Refused("invalid_axis", "is on another axis already", field=f"axes/{place}/name")
        taken |= set(axis.targets)
        axes.append(axis)
        if prod(len(one.values) for one in axes) > MOST:
            raise Refused("too_many_settings", f"the grid must have at most {MOST} combinations", field="axes")
    return axes


def read_axis(item: Any) -> Axis:
    if not isinstance(item, dict) or set(item) not in (RANGE, LIST):
        raise SettingError("name", "an axis is name, from, to and step, or name and values")
    name = item["name"]
    if not isinstance(name, str) or ALIASES.get(name, (name,))[0] not in SETTINGS:
        raise SettingError("name", "is not a setting")
    target = ALIASES.get(name, (name,))[0]
    setting = SETTINGS[target]
    if "values" in item:
        return Axis(name, listed(target, item["values"]), setting.unit not in (Unit.SWITCH, Unit.CHOICE))
    if setting.unit in (Unit.SWITCH, Unit.CHOICE):
        raise SettingError("values", "has no range: list the values")
    return Axis(name, ranged(target, setting, item), is_ordered=True)


def listed(target: str, values: Any) -> tuple[int, ...]:
    if not isinstance(values, list) or not 1 <= len(values) <= MOST:
        raise SettingError("values", "must be a list with a value at least")
    parsed = tuple(value_of(target, value, "values") for value in values)
    if len(set(parsed)) < len(parsed):
        raise SettingError("values", "names a value twice")
    return parsed


def ranged(target: str, setting: Setting, item: Mapping[str, Any]) -> tuple[int, ...]:
    """from, from + step, ... as long as it is not above `to`: in integers, so nothing is lost at the end."""
    first, last = (value_of(target, item[field], field) for field in ("from", "to"))
    step = step_of(setting, item["step"])
    if min(first, last) < setting.low:
        raise SettingError("from", "must be a number")
    if last < first:
        raise SettingError("to", "must not be below from")
    if (last - first) // step >= MOST:
        raise SettingError("step", f"makes more than {MOST} values")
    return tuple(range(first, last + 1, step))


def step_of(setting: Setting, given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, str | int | Decimal):
        raise SettingError("step", 'must be a number, best as text such as "0.005"')
    try:
        step, rest = divmod(micros(given) * SCALE[setting.unit], MICROS)
    except ValueError as error:
        raise SettingError("step", str(error)) from None
    if step <= 0 or rest:
        raise SettingError("step", f"must be a multiple of {as_text(MICROS // SCALE[setting.unit])} above 0")
    return step


def value_of(target: str, given: Any, field: str) -> int:
    try:
        return parse_setting(target, given)
    except SettingError as error:
        raise SettingError(field, error.message) from None
    except TypeError:
        raise SettingError(field, "must be a plain value") from None


def kept_axes(given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """As they are stored: what was given, numbers as text. `read_axes` takes it back."""
    return [
        {key: [kept(value) for value in item[key]] if key == "values" else kept(item[key]) for key in sorted(item)}
        for item in given
    ]


def kept(value: Any) -> str | bool | None:
    return value if value is None or isinstance(value, bool) else plain_text(value)
