"""What would have had to differ, in plain words: one sentence, and a row for each input. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from portfolios.domain.amounts import PPM
from reporting.reading import SPACE, money_down, money_up, percent, shares_about, signed_percent
from reporting.wording import WHYS
from trading.domain.choices import Reason, Side
from trading.domain.explanation import reason_name
from trading.domain.whatif import DOWN, NOWHERE, UP, Case, Change

VERBS = {Side.SELL: "sold", Side.BUY: "bought"}
WITHOUT: dict[str, str] = {
    "paused": "had the cell not been paused",
    "quarantined": "had the cell not waited for a person",
    "halted": "without the halt",
    "unreconciled": "with books and broker compared",
    "stale_price": "at a fresh price",
    "market_closed": "in an open market",
    "order_open": "without the other order",
    "dup": "had this quote not made its order already",
    "daily_limit": "with orders of the day left",
}
TITLES: dict[tuple[str, int], str] = {
    ("price", UP): "A higher price",
    ("price", DOWN): "A lower price",
    ("cash", UP): "More cash",
    ("cash", DOWN): "Less cash",
}
NAMES: dict[str, str] = {
    "trigger_up": "Sell trigger",
    "trigger_down": "Buy trigger",
    "guardrail_low": "Low guardrail",
    "guardrail_high": "High guardrail",
    "min_notional": "Smallest order",
    "max_orders_per_day": "Orders a day",
    "gates": "Gates",
}


class Row(NamedTuple):
    """needed is empty where no value of this input would have done."""

    name: str
    needed: str
    order: str


class WhyNot(NamedTuple):
    sentence: str
    rows: list[Row]

    @property
    def idle(self) -> str:
        """The inputs of which no value would have done."""
        return ", ".join(row.name.lower() for row in self.rows if not row.needed)


def why_not(case: Case, changes: Sequence[Change], shut: Mapping[str, str]) -> WhyNot:
    """changes: of this case, none where it traded."""
    if not changes:
        return WhyNot("It traded: nothing had to differ.", [])
    rows = [
        Row(title_of(change), needed_of(case, change, shut) if change.decision else "", order_of(change))
        for change in changes
    ]
    return WhyNot(sentence_of(case, changes, shut), rows)


def sentence_of(case: Case, changes: Sequence[Change], shut: Mapping[str, str]) -> str:
    """First what would have sold, then what would have bought, each way by the inputs that do it alone."""
    ways = []
    for side, verb in VERBS.items():
        phrases = [phrase_of(case, row, shut) for row in changes if row.decision and row.decision.side == side]
        if phrases:
            ways.append(f"have {verb} {', or '.join(phrases)}")
    if case.holding.anchor == 0:
        return "Without an anchor nothing trades, whatever else were so."
    if not ways:
        return "No single change would have brought an order."
    return f"It would {'; it would '.join(ways)}."


def phrase_of(case: Case, change: Change, shut: Mapping[str, str]) -> str:
    needed = needed_of(case, change, shut)
    if change.name == "price":
        return f"at {needed}"
    if change.name == "gates":
        return needed
    if change.name == "cash":
        return f"with {needed}"
    if change.name == "max_orders_per_day":
        return f"with {needed} allowed"
    article = "a " if change.name != "min_notional" else "the "
    return f"with {article}{NAMES[change.name].lower()} of {needed}"


def needed_of(case: Case, change: Change, shut: Mapping[str, str]) -> str:
    """Rounded so that what is said would do: a higher price up, a lower one down."""
    rounded = money_up if change.step == UP else money_down
    if change.name == "price":
        moved = (change.value - case.price) * PPM // case.price
        return f"{rounded(change.value)} ({signed_percent(moved)})"
    if change.name == "cash":
        return f"{money_up(abs(change.value - case.holding.cash))} {'more' if change.step == UP else 'less'} cash"
    if change.name == "min_notional":
        return money_down(change.value)
    if change.name == "max_orders_per_day":
        return f"{change.value} orders a day"
    if change.name == "gates":
        return " and ".join(WITHOUT[name] for name in shut)
    return exact_percent(change.value)


def exact_percent(ppm: int) -> str:
    """All the decimals there are: 2.61 %, 3 %."""
    number, _, sign = percent(ppm, 4).partition(SPACE)
    return f"{number.rstrip('0').rstrip('.')}{SPACE}{sign}"


def title_of(change: Change) -> str:
    return TITLES.get((change.name, change.step)) or NAMES[change.name]


def order_of(change: Change) -> str:
    if change.decision is None or change.value == NOWHERE:
        return ""
    verb = "Sell" if change.decision.side == Side.SELL else "Buy"
    why = WHYS.get(reason_name(Reason(change.decision.reason)), "")
    return f"{verb} {shares_about(change.decision.quantity)}{', ' + why if why else ''}"
