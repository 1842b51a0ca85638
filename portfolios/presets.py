"""Three ways to begin: settings that belong together, each with a sentence about whom they suit."""

from typing import NamedTuple


class Preset(NamedTuple):
    """Settings as people write them; what is not named stays as the portfolio has it."""

    title: str
    sentence: str
    given: dict[str, str]


PRESETS: dict[str, Preset] = {
    "careful": Preset(
        "Careful",
        "Waits for moves of 5 % and keeps close to half in stock: few trades, low fees.",
        {"trigger_up": "0.05", "trigger_down": "0.05", "guardrail_low": "0.35", "guardrail_high": "0.65"},
    ),
    "balanced": Preset(
        "Balanced",
        "Trades at moves of 3 % and lets the stock share swing from a quarter to three quarters.",
        {"trigger_up": "0.03", "trigger_down": "0.03", "guardrail_low": "0.25", "guardrail_high": "0.75"},
    ),
    "active": Preset(
        "Active",
        "Trades at moves of 2 % with wide guardrails: many trades, more in fees, larger swings.",
        {"trigger_up": "0.02", "trigger_down": "0.02", "guardrail_low": "0.2", "guardrail_high": "0.8"},
    ),
}
