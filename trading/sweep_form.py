"""What people type to sweep over settings, read strictly; the same for the page and for the deed."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from portfolios.domain.amounts import as_text, micros
from portfolios.domain.settings import ALIASES, SETTINGS, SettingError, Unit
from portfolios.models import SettingsPreset
from portfolios.presets import PRESETS
from portfolios.typed import PERCENT, UNITS, WORDS, read_one, without_commas
from trading.run_form import RunForm

ROWS = ("1", "2", "3")
ENDS = ("from", "to", "step")
BOTH = "tau"
NAMES = {BOTH: "Buy after a fall and sell after a rise of (%)"} | {
    name: f"{WORDS[name].label} ({UNITS[SETTINGS[name].unit]})".removesuffix(" ()")
    for name in WORDS
    if SETTINGS[name].unit not in (Unit.SWITCH, Unit.CHOICE)
}
USUAL = {"axis_1": BOTH, "from_1": "1", "to_1": "10", "step_1": "1"}
USUAL |= {"axis_2": "rebalance_ratio", "from_2": "2", "to_2": "20", "step_2": "2"}


class Row(NamedTuple):
    """An axis as it is typed; error: what does not fit, in words."""

    number: str
    name: str
    ends: dict[str, str]
    error: str


class SweepForm(RunForm):
    """`preset` names the settings that rule where no axis does: one of ours, or the visitor's own by its number."""

    class Meta:
        """The type checker looks for one."""

    def __init__(self, data: Mapping[str, Any], own: Mapping[str, SettingsPreset]) -> None:
        super().__init__({name: value for name, value in data.items() if name not in SETTINGS})
        typed = data if "typed" in data else USUAL | dict(data)
        self.rows = [row_of(typed, number) for number in ROWS]
        self.preset = str(data.get("preset", ""))
        self.base = base_of(self.preset, own)

    @property
    def is_right(self) -> bool:
        return self.is_valid() and not any(row.error for row in self.rows) and self.base is not None

    @property
    def axes(self) -> list[dict[str, str]]:
        return [{"name": row.name} | scaled(row) for row in self.rows if row.name]

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
    ends = {end: str(typed.get(f"{end}_{number}", ""))[:40].strip() for end in ENDS}
    row = Row(number, name, ends, "")
    if not name:
        return row
    if name not in NAMES:
        return row._replace(error="Choose one of these")
    try:
        scaled(row)
    except SettingError as error:
        return row._replace(error=f"{error.field.capitalize()} {error.message}")
    return row


def scaled(row: Row) -> dict[str, str]:
    """Per cents as fractions, exactly. Raises SettingError naming the end."""
    target = ALIASES.get(row.name, (row.name,))[0]
    setting = SETTINGS[target]
    found = {}
    for end in ENDS:
        try:
            text = without_commas(row.ends[end])
            found[end] = fraction(text) if setting.unit is Unit.RATE else as_text(micros(text))
            if end != "step":
                read_one(target, setting, row.ends[end])
        except SettingError as error:
            raise SettingError(end, error.message) from None
        except ValueError as error:
            raise SettingError(end, str(error)) from None
    return found


def fraction(text: str) -> str:
    exact, rest = divmod(micros(text.removesuffix("%").strip()), PERCENT)
    if rest:
        raise ValueError("must have at most 4 digits after the point")
    return as_text(exact)
