"""One case for the rule, read from a line of JSON: a cell, its settings and a price, every field checked."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE, MIN_PRICE, as_text, micros
from portfolios.domain.holding import Holding, Rules, total_value
from portfolios.domain.settings import SettingError, merge_settings, parse_settings, rules_from
from portfolios.strict_json import parse_json, reason

FIELDS = ("shares", "cash", "receivable", "anchor", "price", "reserved_cash", "reserved_shares", "settings")
WRITTEN_NUMBER = 'must be a number, best as text such as "97.25"'


class CaseError(ValueError):
    """A line that is no case; names the field, where there is one, and says what would be accepted."""

    def __init__(self, field: str | None, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class Case(NamedTuple):
    holding: Holding
    rules: Rules
    price: int


def read_case(raw: bytes) -> Case:
    """Raises CaseError."""
    given = object_of(raw)
    price = read_price(given, "price")
    shares, cash = read_amount(given, "shares"), read_amount(given, "cash")
    holding = Holding(
        shares=shares,
        cash=cash,
        receivable=read_amount(given, "receivable"),
        reserved_cash=read_part(given, "reserved_cash", "cash", cash),
        reserved_shares=read_part(given, "reserved_shares", "shares", shares),
        anchor=read_anchor(given),
    )
    if total_value(holding, price) > MAX_AMOUNT:
        raise CaseError("shares", f"shares, cash and receivable must be worth at most {as_text(MAX_AMOUNT)} together")
    return Case(holding, read_rules(given.get("settings", {})), price)


def object_of(raw: bytes) -> Mapping[str, Any]:
    try:
        given = parse_json(raw)
    except (ValueError, RecursionError) as error:
        raise CaseError(None, f"not acceptable JSON: {reason(error)}") from None
    if not isinstance(given, dict):
        raise CaseError(None, "must be a JSON object")
    for name in given:
        if name not in FIELDS:
            raise CaseError(name, f"is not a field; the fields are {', '.join(FIELDS)}")
    return given


def read_amount(given: Mapping[str, Any], name: str) -> int:
    """Missing is none."""
    return read_number(name, given.get(name, 0), 0, MAX_AMOUNT)


def read_part(given: Mapping[str, Any], name: str, whole_name: str, whole: int) -> int:
    part = read_amount(given, name)
    if part > whole:
        raise CaseError(name, f"must be at most {whole_name}, {as_text(whole)}")
    return part


def read_price(given: Mapping[str, Any], name: str) -> int:
    if name not in given:
        raise CaseError(name, "is required")
    return read_number(name, given[name], MIN_PRICE, MAX_PRICE)


def read_anchor(given: Mapping[str, Any]) -> int:
    """Missing, null and 0 all say that there is none."""
    anchor = given.get("anchor")
    if anchor is None or read_number("anchor", anchor, 0, MAX_PRICE) == 0:
        return 0
    return read_number("anchor", anchor, MIN_PRICE, MAX_PRICE)


def read_number(name: str, value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise CaseError(name, WRITTEN_NUMBER)
    try:
        amount = micros(value)
    except ValueError as error:
        raise CaseError(name, str(error)) from None
    if not low <= amount <= high:
        raise CaseError(name, f"must be from {as_text(low)} to {as_text(high)}")
    return amount


def read_rules(settings: Any) -> Rules:
    if not isinstance(settings, dict):
        raise CaseError("settings", "must be a JSON object")
    try:
        return rules_from(merge_settings(parse_settings(settings)), default_buffer=0)
    except SettingError as error:
        raise CaseError(f"settings.{error.field}", error.message) from None
