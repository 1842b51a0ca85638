"""The settings of a cell: their names, units, defaults and limits, and how they merge into Rules."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

from portfolios.domain.amounts import MAX_AMOUNT, MICROS, PPM, as_text, micros
from portfolios.domain.chain import canonical_text
from portfolios.domain.holding import UNLIMITED, Rules, Sizing

BASIS_POINT = 100
DEFAULT_RATIOS = {
    Sizing.ANCHOR_RATIO: 50_000,
    Sizing.PROPORTIONAL: 1_666_700,
    Sizing.FIXED_PERCENTAGE: 100_000,
    Sizing.CONSTANT_MIX: 0,
}
LIVE_BUFFER = 40_000
ALIASES = {"tau": ("trigger_up", "trigger_down"), "r": ("rebalance_ratio",)}


class SettingError(ValueError):
    """A setting that cannot be accepted; names the field and says what would be."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class Unit(Enum):
    """How a setting is written."""

    RATE = "rate"
    AMOUNT = "amount"
    BPS = "bps"
    COUNT = "count"
    SECONDS = "seconds"
    SWITCH = "switch"
    CHOICE = "choice"


SCALE = {Unit.RATE: PPM, Unit.AMOUNT: MICROS, Unit.BPS: BASIS_POINT, Unit.COUNT: 1, Unit.SECONDS: 1_000}


class Setting(NamedTuple):
    """Limits and default in the integers of Rules; default None means it depends on other settings or the mode.

    A choice is stored as its place in `choices`, counted from `low`.
    """

    unit: Unit
    default: int | None
    low: int = 0
    high: int = 1
    choices: tuple[str, ...] = ()


SETTINGS: dict[str, Setting] = {
    "trigger_up": Setting(Unit.RATE, 30_000, 100, 500_000),
    "trigger_down": Setting(Unit.RATE, 30_000, 100, 500_000),
    "sizing": Setting(Unit.CHOICE, Sizing.ANCHOR_RATIO, low=1, choices=tuple(name.name.lower() for name in Sizing)),
    "rebalance_ratio": Setting(Unit.RATE, None, 1, 2 * PPM),
    "target_weight": Setting(Unit.RATE, 500_000, 0, PPM),
    "guardrail_low": Setting(Unit.RATE, 250_000, 0, PPM),
    "guardrail_high": Setting(Unit.RATE, 750_000, 0, PPM),
    "max_trade": Setting(Unit.RATE, UNLIMITED, 1, PPM),
    "min_notional": Setting(Unit.AMOUNT, 100 * MICROS, 0, MAX_AMOUNT),
    "when_short": Setting(Unit.CHOICE, 0, choices=("trim", "skip")),
    "commission_bps": Setting(Unit.BPS, BASIS_POINT, 0, 1_000 * BASIS_POINT),
    "commission_min": Setting(Unit.AMOUNT, 0, 0, MAX_AMOUNT),
    "market_buffer": Setting(Unit.RATE, None, 0, 500_000),
    "max_orders_per_day": Setting(Unit.COUNT, 5, 0, 10_000),
    "withholding": Setting(Unit.RATE, 250_000, 0, PPM),
    "after_hours": Setting(Unit.SWITCH, 0),
    "fractional": Setting(Unit.SWITCH, 1),
    "auto_rebalance": Setting(Unit.SWITCH, 1),
    "reanchor_after_skip": Setting(Unit.SWITCH, 0),
    "order_type": Setting(Unit.CHOICE, 0, choices=("market", "limit")),
    "limit_offset_bps": Setting(Unit.BPS, 0, 0, 1_000 * BASIS_POINT),
    "drift_bps": Setting(Unit.BPS, 20 * BASIS_POINT, 0, 10_000 * BASIS_POINT),
    "max_quote_age": Setting(Unit.SECONDS, 3_000, 0, 86_400_000),
    "max_last_to_mid": Setting(Unit.RATE, 10_000, 0, 500_000),
}


def parse_settings(given: Mapping[str, Any]) -> dict[str, int]:
    """Settings as people write them (see strategy: fractions as decimal strings, *_bps in basis points) as integers.

    Only what is given; `tau` and `r` are aliases. Raises SettingError for an unknown name, a wrong form or a limit.
    """
    parsed: dict[str, int] = {}
    for name, value in given.items():
        for target in ALIASES.get(name, (name,)):
            if target not in SETTINGS:
                raise SettingError(str(name), "is not a setting")
            if target in parsed:
                raise SettingError(str(name), "is given twice")
            parsed[target] = parse_setting(target, value)
    return parsed


def parse_setting(name: str, value: Any) -> int:
    setting = SETTINGS[name]
    if setting.unit is Unit.SWITCH:
        if not isinstance(value, bool):
            raise SettingError(name, "must be true or false")
        return int(value)
    if setting.unit is Unit.CHOICE:
        if value not in setting.choices:
            raise SettingError(name, f"must be one of {', '.join(setting.choices)}")
        return setting.choices.index(value) + setting.low
    if name == "max_trade" and value in (None, "none"):
        return UNLIMITED
    return parse_number(name, setting, value)


def parse_number(name: str, setting: Setting, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise SettingError(name, 'must be a number, best as text such as "0.03"')
    try:
        exact = micros(value)
    except ValueError as error:
        raise SettingError(name, str(error)) from None
    scaled, rest = divmod(exact * SCALE[setting.unit], MICROS)
    if rest:
        raise SettingError(name, f"must be a multiple of {as_text(MICROS // SCALE[setting.unit])}")
    if not setting.low <= scaled <= setting.high:
        raise SettingError(name, f"must be from {shown(setting, setting.low)} to {shown(setting, setting.high)}")
    return scaled


def shown(setting: Setting, value: int) -> str:
    """A stored integer as people write it."""
    if setting.unit is Unit.SWITCH:
        return "true" if value else "false"
    if setting.unit is Unit.CHOICE:
        return setting.choices[value - setting.low]
    if value == UNLIMITED:
        return "none"
    return as_text(value * MICROS // SCALE[setting.unit])


def overlaid(given: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as people write them with some changed; None takes one back ("none" lifts max_trade).

    Raises SettingError for one named twice; all else is for parse_settings to judge.
    """
    result, seen = dict(given), set()
    for name, value in changes.items():
        for target in ALIASES.get(name, (name,)):
            if target in seen:
                raise SettingError(str(name), "is given twice")
            seen.add(target)
            result[target] = value
            if value is None and target in SETTINGS:
                del result[target]
    return result


def merge_settings(*layers: Mapping[str, int]) -> dict[str, int]:
    """Later layers override earlier ones; what nobody set is the default. Checks what one setting asks of another.

    A ratio belongs to the sizing it was written for: a layer that changes the sizing without naming a ratio takes that
    sizing's default. Raises SettingError.
    """
    merged: dict[str, int] = {name: item.default for name, item in SETTINGS.items() if item.default is not None}
    for layer in layers:
        if "sizing" in layer and "rebalance_ratio" not in layer and layer["sizing"] != merged["sizing"]:
            merged.pop("rebalance_ratio", None)
        merged.update(layer)
    merged.setdefault("rebalance_ratio", DEFAULT_RATIOS[Sizing(merged["sizing"])])
    if merged["guardrail_low"] >= merged["guardrail_high"]:
        raise SettingError("guardrail_low", "must be below guardrail_high, the most stock share")
    inside = merged["guardrail_low"] <= merged["target_weight"] <= merged["guardrail_high"]
    if merged["sizing"] == Sizing.CONSTANT_MIX and not inside:
        raise SettingError("target_weight", "must lie within the guardrails")
    return merged


def rules_from(merged: Mapping[str, int], *, default_buffer: int) -> Rules:
    """Rules of merged settings. default_buffer (ppm): the paper broker's slippage, or LIVE_BUFFER."""
    return Rules(
        trigger_up=merged["trigger_up"],
        trigger_down=merged["trigger_down"],
        sizing=int(merged["sizing"]),  # a plain integer: compiled code takes an enum for another kind of number
        rebalance_ratio=merged["rebalance_ratio"],
        target_weight=merged["target_weight"],
        guardrail_low=merged["guardrail_low"],
        guardrail_high=merged["guardrail_high"],
        max_trade=merged["max_trade"],
        min_notional=merged["min_notional"],
        skip_when_short=merged["when_short"],
        commission_rate=merged["commission_bps"],
        commission_min=merged["commission_min"],
        market_buffer=merged.get("market_buffer", default_buffer),
        max_orders_per_day=merged["max_orders_per_day"],
        withholding=merged["withholding"],
        after_hours=merged["after_hours"],
        lot=1 if merged["fractional"] else MICROS,
        auto_rebalance=merged["auto_rebalance"],
        reanchor_after_skip=merged["reanchor_after_skip"],
        limit_orders=merged["order_type"],
        limit_offset=merged["limit_offset_bps"],
        drift=merged["drift_bps"],
        max_quote_age=merged["max_quote_age"],
        max_last_to_mid=merged["max_last_to_mid"],
    )


def written(parsed: Mapping[str, int]) -> dict[str, str | bool | None]:
    """Parsed settings back in the form people write and files keep: parse_settings(written(x)) == x."""
    plain: dict[str, str | bool | None] = {}
    for name, value in sorted(parsed.items()):
        plain[name] = shown(SETTINGS[name], value)
        if SETTINGS[name].unit is Unit.SWITCH:
            plain[name] = bool(value)
        elif name == "max_trade" and value == UNLIMITED:
            plain[name] = None
    return plain


class Difference(NamedTuple):
    """One setting that two versions give differently, as people write it; None where a version does not give it."""

    name: str
    before: str | None
    after: str | None


def differences(before: Mapping[str, int], after: Mapping[str, int]) -> list[Difference]:
    """What changed from one parsed version to another, in the order of SETTINGS."""
    return [
        Difference(name, shown_in(before, name), shown_in(after, name))
        for name in SETTINGS
        if before.get(name) != after.get(name)
    ]


def shown_in(parsed: Mapping[str, int], name: str) -> str | None:
    return shown(SETTINGS[name], parsed[name]) if name in parsed else None


def fingerprint(merged: Mapping[str, int]) -> str:
    """SHA-256 of merged settings: what an event names beside the versions."""
    return hashlib.sha256(canonical_text(dict(merged)).encode()).hexdigest()
