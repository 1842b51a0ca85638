"""An event as pages tell it: a sentence, an icon, a colour for its side, and the calculation behind it."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from portfolios.domain.amounts import micros
from portfolios.events import WORDINGS, EventType, Wording
from portfolios.models import Event
from reporting.reading import money
from reporting.sentences import sentence_of
from reporting.wording import GATES, TRIMS, name_in_words, place_of, reason_in_words, value_in_words

FILLS = (EventType.ORDER_FILLED, EventType.ORDER_PARTIALLY_FILLED, EventType.LATE_FILL, EventType.OVERFILL)
EVALUATIONS = (EventType.EVALUATED, EventType.SKIPPED)
ELSEWHERE = ("gates", "trims", "reason", "action", "side")
LIMITS = ("trigger_down", "trigger_up", "guardrail_low", "guardrail_high")
OF_A_DECISION = (*LIMITS, "raw", "quantity", "commission", "stock_share_after")


class Gate(NamedTuple):
    name: str
    value: str
    shut: bool


class Cut(NamedTuple):
    """A trim that bit, in micro-shares."""

    name: str
    before: int
    after: int


class Decided(NamedTuple):
    """What an evaluation came to."""

    action: str
    side: str
    reason: str
    raw: int
    quantity: int
    cuts: list[Cut]
    gates: list[Gate]


class Happening(NamedTuple):
    """`about` names the cell or portfolio where the page shows several; `cause` is the decision behind an order."""

    event: Event
    content: Mapping[str, Any]
    about: str = ""
    cause: "Happening | None" = None

    @property
    def wording(self) -> Wording:
        return WORDINGS[self.event.type]

    @property
    def side(self) -> str:
        """The class of its icon, buy or sell; words say the same."""
        return str(self.content.get("outputs", {}).get("side", "")).lower()

    @property
    def icon(self) -> str:
        return self.side if self.event.type in FILLS and self.side else self.wording.icon

    @property
    def sentence(self) -> str:
        if self.event.type == EventType.DIVIDEND_PAID:
            return f"Dividend of {money(self.event.d_cash)} paid"
        if self.event.type == EventType.ANCHOR_UPDATED:
            return f"Anchor moved to {money(self.event.anchor_after)}, the average fill"
        return sentence_of(self.event.type, self.content) or self.wording.title

    @property
    def brief(self) -> str:
        """The sentence up to its first comma or colon: enough for a table."""
        return re.split(r"[:,] | for \$", self.sentence)[0].rstrip(".")

    @property
    def inputs(self) -> list[tuple[str, str]]:
        return pairs(self.content.get("inputs", {}))

    @property
    def outputs(self) -> list[tuple[str, str]]:
        """What it led to; a decision tells its own part itself."""
        outputs = self.content.get("outputs", {})
        own = OF_A_DECISION if "action" in outputs else ()
        return pairs({name: value for name, value in outputs.items() if name not in own})

    @property
    def limits(self) -> list[tuple[str, str]]:
        """The triggers and guardrails it was decided by."""
        outputs = self.content.get("outputs", {})
        return pairs({name: outputs[name] for name in LIMITS if name in outputs})

    @property
    def decided(self) -> Decided | None:
        return decided(self.content.get("outputs", {}))

    @property
    def may_differ(self) -> bool:
        """A decision that traded nothing."""
        return self.event.type in EVALUATIONS and self.content.get("outputs", {}).get("action") in ("SKIP", "HOLD")

    @property
    def booked(self) -> list[tuple[str, int]]:
        """What it moved, in micros."""
        names = ("shares", "cash", "receivable", "reserved_cash", "reserved_shares")
        moved = ((name.replace("_", " "), getattr(self.event, f"d_{name}")) for name in names)
        return [(name, amount) for name, amount in moved if amount]


def pairs(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is said nowhere else, by name, the telling ones first; empty values are left out."""
    named = [name for name in values if name not in ELSEWHERE and values[name]]
    return [(name_in_words(name), value_in_words(name, str(values[name]))) for name in sorted(named, key=place_of)]


def decided(outputs: Mapping[str, Any]) -> Decided | None:
    """None for events that record no decision."""
    if "action" not in outputs:
        return None
    reason = str(outputs.get("reason", ""))
    return Decided(
        str(outputs["action"]),
        str(outputs.get("side", "")),
        reason_in_words(reason),
        micros(outputs.get("raw") or "0"),
        micros(outputs.get("quantity") or "0"),
        [
            Cut(TRIMS.get(trim["name"], trim["name"]), micros(trim["before"]), micros(trim["after"]))
            for trim in outputs.get("trims") or []
        ],
        [gate_of(name, outputs["gates"][name], reason) for name in GATES if name in (outputs.get("gates") or {})],
    )


def gate_of(name: str, value: str, reason: str) -> Gate:
    words, shut = GATES[name], name == reason
    return Gate(words.shut if shut else words.open, value if words.telling else "", shut)
