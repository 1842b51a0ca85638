"""Reads on the ground floor: the rules a cell lives by."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from portfolios.domain.holding import Rules
from portfolios.domain.settings import LIVE_BUFFER, fingerprint, merge_settings, parse_settings, rules_from
from portfolios.models import Portfolio, Position, SettingsVersion


class EffectiveRules(NamedTuple):
    """Merged rules with the names an event gives them: version numbers (0 for none) and the hash of the merge."""

    rules: Rules
    merged: dict[str, int]
    portfolio_version: int
    cell_version: int

    @property
    def named(self) -> dict[str, Any]:
        return {
            "portfolio_version": self.portfolio_version,
            "cell_version": self.cell_version,
            "sha256": fingerprint(self.merged),
        }


def effective_rules(position: Position) -> EffectiveRules:
    """Defaults, the portfolio's settings, the cell's overrides. Needs `settings_version` of both selected with it."""
    portfolio = position.portfolio
    merged = merge_settings(given_in(portfolio.settings_version), given_in(position.settings_version))
    return EffectiveRules(
        rules_from(merged, default_buffer=default_buffer(portfolio)),
        merged,
        portfolio.settings_version.number if portfolio.settings_version else 0,
        position.settings_version.number if position.settings_version else 0,
    )


def given_in(version: SettingsVersion | None) -> Mapping[str, int]:
    return parse_settings(version.given) if version else {}


def default_buffer(portfolio: Portfolio) -> int:
    """Head room for a market buy: the paper broker's slippage, or the live default (ppm)."""
    return portfolio.paper_slippage if portfolio.mode == Portfolio.Mode.PAPER else LIVE_BUFFER
