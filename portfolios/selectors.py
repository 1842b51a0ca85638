"""Reads on the ground floor: the rules a cell lives by."""

import json
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from portfolios.domain.amounts import as_text
from portfolios.domain.holding import Rules, in_lots
from portfolios.domain.settings import LIVE_BUFFER, fingerprint, merge_settings, parse_settings, rules_from
from portfolios.models import Portfolio, Position, SettingsVersion


class EffectiveRules(NamedTuple):
    """Merged rules with the names an event gives them: version numbers (0 for none) and the hash of the merge.

    lot: what instrument and account prescribe besides (micros); 1 is nothing, and then no event names it.
    """

    rules: Rules
    merged: Mapping[str, int]
    portfolio_version: int
    cell_version: int
    sha256: str
    lot: int = 1

    @property
    def named(self) -> dict[str, Any]:
        return {
            "portfolio_version": self.portfolio_version,
            "cell_version": self.cell_version,
            "sha256": self.sha256,
        } | named_lot(self.lot)


def effective_rules(position: Position) -> EffectiveRules:
    """Defaults, the portfolio's settings, the cell's overrides, and no finer lot than can be traded.

    Needs `settings_version` of both selected with it.
    """
    portfolio = position.portfolio
    upper, own = portfolio.settings_version, position.settings_version
    rules, merged, sha256 = rules_of(text_in(upper), text_in(own), default_buffer(portfolio))
    numbers = upper.number if upper else 0, own.number if own else 0
    return EffectiveRules(in_lots(rules, position.lot), merged, *numbers, sha256, position.lot)


def named_lot(lot: int) -> dict[str, str]:
    """As an event names it."""
    return {"lot": as_text(lot)} if lot > 1 else {}


def text_in(version: SettingsVersion | None) -> str:
    return json.dumps(version.given) if version else "{}"


@lru_cache(maxsize=1_000)
def rules_of(upper: str, own: str, buffer: int) -> tuple[Rules, Mapping[str, int], str]:
    """Rules, merged settings and their hash: many cells live by the same two texts, and for long."""
    merged = merge_settings(parse_settings(json.loads(upper)), parse_settings(json.loads(own)))
    return rules_from(merged, default_buffer=buffer), MappingProxyType(merged), fingerprint(merged)


def given_in(version: SettingsVersion | None) -> Mapping[str, int]:
    return parse_settings(version.given) if version else {}


def default_buffer(portfolio: Portfolio) -> int:
    """Head room for a market buy: the paper broker's slippage, or the live default (ppm)."""
    return portfolio.paper_slippage if portfolio.mode == Portfolio.Mode.PAPER else LIVE_BUFFER
