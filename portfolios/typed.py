"""Settings as people type them into a form: plain words, per cents for rates, nothing typed for what is inherited."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from portfolios.domain.amounts import MICROS, as_text, micros
from portfolios.domain.settings import SETTINGS, Setting, SettingError, Unit, parse_setting, parse_settings, shown

PERCENT = 100
UNITS = {Unit.RATE: "%", Unit.AMOUNT: "$", Unit.BPS: "bps", Unit.COUNT: "", Unit.SECONDS: "s"}


ONE_COMMA = re.compile(r"-?\d+,\d+", re.ASCII)
THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)


class Words(NamedTuple):
    """How a setting is called, and what it does in one sentence."""

    label: str
    help: str


GROUPS: dict[str, dict[str, Words]] = {
    "When it trades": {
        "trigger_down": Words("Buy after a fall of", "Below the anchor."),
        "trigger_up": Words("Sell after a rise of", "Above the anchor."),
        "guardrail_low": Words("Least stock share", "No sale goes below it."),
        "guardrail_high": Words("Most stock share", "No purchase goes above it."),
        "auto_rebalance": Words("Back to the guardrail", "Trades when drift alone crosses one."),
        "reanchor_after_skip": Words("Anchor follows skips", "A trade skipped for its size moves the anchor."),
    },
    "How much": {
        "sizing": Words("Size by", "The rule that says how much a trigger trades."),
        "rebalance_ratio": Words("Ratio", "The r of that rule."),
        "target_weight": Words("Target stock share", "For constant mix only."),
        "max_trade": Words("Largest trade", "Of the cell's value; type none for no limit."),
        "min_notional": Words("Smallest trade", "Smaller ones are skipped."),
        "when_short": Words("Too little cash or shares", "Trade what there is, or nothing."),
        "fractional": Words("Parts of shares", "Off: whole shares only."),
    },
    "Costs and tax": {
        "commission_bps": Words("Commission", "Of the amount traded."),
        "commission_min": Words("Least commission", "Per order."),
        "withholding": Words("Tax on dividends", "Withheld before they are paid."),
    },
    "Orders": {
        "max_orders_per_day": Words("Orders a day, at most", "The robot's own, per cell."),
        "order_type": Words("Order type", "Limit orders wait at their price."),
        "limit_offset_bps": Words("Limit, away from the price", "Buys above it, sales below it."),
        "market_buffer": Words("Reserve for market buys", "Head room above the price."),
        "drift_bps": Words("Decide again after", "The price moved so far before sending."),
        "after_hours": Words("Outside the session", "May trade before and after it."),
    },
    "Prices": {
        "max_quote_age": Words("Price too old after", "Then nothing is traded."),
        "max_last_to_mid": Words("Last price off the middle", "Farther, and the middle counts."),
    },
}
WORDS: dict[str, Words] = {name: words for group in GROUPS.values() for name, words in group.items()}


class Typed(NamedTuple):
    """What a form gives: settings as files keep them, and what does not fit by name."""

    given: dict[str, Any]
    errors: dict[str, str]


def read_typed(fields: Mapping[str, Any]) -> Typed:
    given: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, setting in SETTINGS.items():
        text = str(fields.get(name, "")).strip()
        if not text:
            continue
        try:
            given[name] = read_one(name, setting, text)
        except SettingError as error:
            errors[name] = error.message
    return Typed(given, errors)


def read_one(name: str, setting: Setting, text: str) -> Any:
    """Raises SettingError, with limits in the units of the form."""
    if setting.unit is Unit.SWITCH:
        if text not in ("on", "off"):
            raise SettingError(name, "must be on or off")
        return text == "on"
    if name == "max_trade" and text == "none":
        return None
    if setting.unit is not Unit.CHOICE:
        text = uncommaed(name, text)
    if setting.unit is Unit.RATE:
        return rate_from(name, setting, text)
    parse_setting(name, text)
    return text


def uncommaed(name: str, text: str) -> str:
    try:
        return without_commas(text)
    except ValueError as error:
        raise SettingError(name, str(error)) from None


def without_commas(text: str) -> str:
    """The number as it is written without commas between thousands: 1,000,000 and 2,500.50 can mean one thing only.

    Raises ValueError, which says how to write it, where one comma stands alone: 10,000 is ten thousand to some people
    and ten to others, 1,5 is no number of ours.
    """
    bare = text.removesuffix("%").strip()
    if ONE_COMMA.fullmatch(bare):
        point, joined = bare.replace(",", "."), bare.replace(",", "")
        written = f"{joined} or {point}" if THOUSANDS.fullmatch(bare) else point
        raise ValueError(f"must be a plain number: write {written}, not {bare}")
    return text.replace(",", "") if THOUSANDS.fullmatch(bare) else text


def rate_from(name: str, setting: Setting, text: str) -> str:
    """The fraction that a per cent is, as decimal text."""
    try:
        ppm, rest = divmod(micros(text.removesuffix("%").strip()), PERCENT)
    except ValueError as error:
        raise SettingError(name, str(error)) from None
    if rest or not setting.low <= ppm <= setting.high:
        limits = f"must be from {percent(setting.low)} to {percent(setting.high)}"
        raise SettingError(name, f"{limits}, with at most 4 digits after the point")
    return as_text(ppm)


def typed_from(given: Mapping[str, Any]) -> dict[str, str]:
    """Settings as files keep them, as the fields of a form show them."""
    return {name: as_typed(name, value) for name, value in parse_settings(given).items()}


def as_typed(name: str, value: int) -> str:
    """A stored integer in the unit of its field."""
    setting = SETTINGS[name]
    if setting.unit is Unit.SWITCH:
        return "on" if value else "off"
    text = shown(setting, value)
    return as_text(value * PERCENT) if setting.unit is Unit.RATE and text != "none" else text


def with_unit(name: str, value: int) -> str:
    """The same with its unit, for sentences: 3 %, $100, 20 bps."""
    text, unit = as_typed(name, value), UNITS.get(SETTINGS[name].unit, "")
    if text == "none" or not unit:
        return text.replace("_", " ")
    return f"${text}" if unit == "$" else f"{text}\u00a0{unit}"


def limits_of(name: str) -> str:
    """From what to what a field goes; nothing to say about switches and choices."""
    setting = SETTINGS[name]
    if setting.unit in (Unit.SWITCH, Unit.CHOICE):
        return ""
    if setting.unit is Unit.RATE:
        return f"{percent(setting.low)} to {percent(setting.high)}"
    if setting.high >= MICROS**2:
        return f"{with_unit(name, setting.low)} or more"
    return f"{with_unit(name, setting.low)} to {with_unit(name, setting.high)}"


def percent(ppm: int) -> str:
    return f"{as_text(ppm * PERCENT)}\u00a0%"


def choices_for(name: str) -> tuple[str, ...]:
    setting = SETTINGS[name]
    return ("on", "off") if setting.unit is Unit.SWITCH else setting.choices
