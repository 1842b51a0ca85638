"""What people type to sweep over settings, read strictly; the same for the page and for the deed."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from portfolios.domain.amounts import as_text, micros
from portfolios.domain.settings import ALIASES, SETTINGS, SettingError, Unit
from portfolios.models import SettingsPreset
from portfolios.presets import PRESETS
from portfolios.typed import PERCENT, UNITS, WORDS, choices_for, read_one, without_commas
from trading.run_form import RunForm

OPEN_ROWS, ROWS = ("1", "2", "3"), ("1", "2", "3", "4", "5", "6")
LONGEST, MOST_TEXT = 40, 200  # characters of a number, and of a list of them
ENDS = ("from", "to", "step")
BOTH = "tau"
NAMES = {BOTH: "Buy after a fall and sell after a rise of (%)"} | {
    name: f"{WORDS[name].label} ({UNITS[SETTINGS[name].unit]})".removesuffix(" ()")
    for name in WORDS
    if SETTINGS[name].unit not in (Unit.SWITCH, Unit.CHOICE)
}
WAYS = [name for name in WORDS if choices_for(name)]
USUAL = {"axis_1": BOTH, "from_1": "1", "to_1": "10", "step_1": "1"}
USUAL |= {"axis_2": "rebalance_ratio", "from_2": "2", "to_2": "20", "step_2": "2"}


class Row(NamedTuple):
    """An axis as it is typed; values, where they are given, stand in for the ends; error: what does not fit."""

    number: str
    name: str
    ends: dict[str, str]
    values: str
    error: str


class Way(NamedTuple):
    """A choice of a setting, to be ticked."""

    field: str
    words: str
    ticked: bool


class Ways(NamedTuple):
    """A setting that is chosen, not measured: an axis of those of its choices that are ticked."""

    name: str
    label: str
    ways: list[Way]

    @property
    def axis(self) -> dict[str, Any]:
        return {"name": self.name, "values": [value_ticked(way) for way in self.ways if way.ticked]}


class SweepForm(RunForm):
    """`preset` names the settings that rule where no axis does: one of ours, or the visitor's own by its number."""

    class Meta:
        """The type checker looks for one."""

    def __init__(self, data: Mapping[str, Any], own: Mapping[str, SettingsPreset]) -> None:
        super().__init__({name: value for name, value in data.items() if name not in SETTINGS})
        typed = data if "typed" in data else USUAL | dict(data)
        self.rows = [row_of(typed, number) for number in ROWS]
        self.open_rows, self.more_rows = self.rows[: len(OPEN_ROWS)], self.rows[len(OPEN_ROWS) :]
        self.ways = [ways_of(typed, name) for name in WAYS]
        self.preset = str(data.get("preset", ""))
        self.base = base_of(self.preset, own)

    @property
    def is_right(self) -> bool:
        return self.is_valid() and not any(row.error for row in self.rows) and self.base is not None

    @property
    def uses_more(self) -> bool:
        """Whether any row further down is filled in."""
        return any(row.name or row.error for row in self.more_rows)

    @property
    def axes(self) -> list[dict[str, Any]]:
        measured = [{"name": row.name} | scaled(row) for row in self.rows if row.name]
        return measured + [ways.axis for ways in self.ways if ways.axis["values"]]

    def wished(self) -> dict[str, Any]:
        """As `create_sweep` takes it, once all is right."""
        asked = self.asked() | {"settings": self.base or {}, "axes": self.axes}
        del asked["path"]
        return asked


def base_of(preset: str, own: Mapping[str, SettingsPreset]) -> dict[str, Any] | None:
    """None for a preset that is not there."""
    if not preset:
        return {}
    if preset in PRESETS:
        return dict(PRESETS[preset].given)
    return dict(own[preset].given) if preset in own else None


def row_of(typed: Mapping[str, Any], number: str) -> Row:
    name = str(typed.get(f"axis_{number}", ""))
    ends = {end: str(typed.get(f"{end}_{number}", ""))[:LONGEST].strip() for end in ENDS}
    row = Row(number, name, ends, str(typed.get(f"values_{number}", ""))[:MOST_TEXT].strip(), "")
    if not name:
        return row
    if name not in NAMES:
        return row._replace(error="Choose one of these")
    try:
        scaled(row)
    except SettingError as error:
        return row._replace(error=f"{error.field.capitalize()} {error.message}")
    return row


def ways_of(typed: Mapping[str, Any], name: str) -> Ways:
    fields = {choice: f"{name}.{choice}" for choice in choices_for(name)}
    ways = [Way(field, choice.replace("_", " "), field in typed) for choice, field in fields.items()]
    return Ways(name, WORDS[name].label, ways)


def value_ticked(way: Way) -> str | bool:
    choice = way.field.partition(".")[2]
    return choice == "on" if choice in ("on", "off") else choice


def scaled(row: Row) -> dict[str, Any]:
    """Per cents as fractions, exactly. Raises SettingError naming the end."""
    target = ALIASES.get(row.name, (row.name,))[0]
    if row.values:
        return {"values": [one_scaled(target, "values", text) for text in row.values.replace(";", " ").split()]}
    return {end: one_scaled(target, end, row.ends[end]) for end in ENDS}


def one_scaled(target: str, end: str, typed: str) -> str | None:
    setting = SETTINGS[target]
    try:
        if end != "step":
            read = read_one(target, setting, typed)
            if read is None:
                return None
        text = without_commas(typed)
        return fraction(text) if setting.unit is Unit.RATE else as_text(micros(text))
    except SettingError as error:
        raise SettingError(end, error.message) from None
    except ValueError as error:
        raise SettingError(end, str(error)) from None


def fraction(text: str) -> str:
    exact, rest = divmod(micros(text.removesuffix("%").strip()), PERCENT)
    if rest:
        raise ValueError("must have at most 4 digits after the point")
    return as_text(exact)
