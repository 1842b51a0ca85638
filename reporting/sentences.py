"""The sentence of an event on pages, with money as money; what has none here says what the log says."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from portfolios.domain.amounts import micros
from portfolios.events import EventType
from reporting.reading import MINUS, money, shares

Content = Mapping[str, Any]
LONELY_HYPHEN = re.compile(r"(?<![\w.])-(?=[\d$])")
PRICE = re.compile(
    r"(?:(?<=\bat )|(?<=\bAnchor )|(?<=\bto )|(?<=\bcost )|(?<=, )|(?<=\band )|^)[+-]?\d+(?:\.\d+)?"
    r"(?= to \d|: | or better| after the skip| deposited| withdrawn| in cash|, the |, \d| is free|\.?$)"
)
UNSENT = "Not sent: "


def sentence_of(kind: str, content: Content) -> str:
    if kind in SENTENCES:
        return SENTENCES[kind](content.get("inputs", {}), content.get("outputs", {}))
    message = str(content.get("message", ""))
    if content.get("stream") == "position":
        message = with_dollars(message)
    return LONELY_HYPHEN.sub(MINUS, message)


def with_dollars(message: str) -> str:
    """A cell's prices and money as all pages write them; what a person typed, after the colon, stays as it is."""
    unsent = UNSENT if message.startswith(UNSENT) else ""
    told, colon, typed = message.removeprefix(unsent).partition(": ")
    return f"{unsent}{PRICE.sub(dollars_found, f'{told}{colon}')}{typed}"


def dollars_found(found: re.Match[str]) -> str:
    amount = found[0].lstrip("+-")
    return f"{found[0].removesuffix(amount)}{dollars(amount)}"


def filled(_inputs: Content, outputs: Content) -> str:
    verb = "Bought" if outputs["side"] == "BUY" else "Sold"
    paid = f"for {dollars(outputs['notional'])}, fee {dollars(outputs['commission'])}"
    now = f"; since the split {shares(micros(outputs['shares_now']))} shares" if outputs.get("shares_now") else ""
    return f"{verb} {shares(micros(outputs['quantity']))} at {dollars(outputs['price'])} {paid}{now}"


def went_ex(inputs: Content, outputs: Content) -> str:
    owed = f"{dollars(outputs['net'])} to come after {dollars(outputs['tax'])} tax"
    anchor = f"anchor from {dollars(inputs['anchor'])} to {dollars(outputs['anchor'])}"
    return f"Ex-dividend, {owed}; {anchor}"


def anchored(inputs: Content, _outputs: Content) -> str:
    return f"Anchor set to {dollars(inputs['price'])}, the first good price; no trade happens on it"


def opened(inputs: Content, _outputs: Content) -> str:
    held = f"{shares(micros(inputs['shares']))} shares and {dollars(inputs['cash'])} in cash"
    return f"{inputs['symbol']} opened with {held}"


def dollars(text: str) -> str:
    return money(micros(text))


SENTENCES: dict[str, Callable[[Content, Content], str]] = {
    EventType.ORDER_FILLED: filled,
    EventType.ORDER_PARTIALLY_FILLED: filled,
    EventType.LATE_FILL: filled,
    EventType.OVERFILL: filled,
    EventType.EX_DIVIDEND: went_ex,
    EventType.ANCHOR_SET: anchored,
    EventType.POSITION_CREATED: opened,
}
