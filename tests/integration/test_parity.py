"""A live cell once more through the engine: the same orders, fills, cash, shares and anchors, or the reason why not."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from io import StringIO
from random import Random
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from dividends.models import Dividend
from dividends.services.announcements import announce_dividend, announce_split
from portfolios.domain.amounts import as_text, micros
from portfolios.domain.chain import GENESIS, canonical_text, chained_hash
from portfolios.models import Event, Portfolio, Position
from portfolios.services.positions import adjust, create_position, deposit, pause, resume, set_anchor, withdraw
from portfolios.services.settings import change_settings
from portfolios.services.verification import fold_of
from tests.factories import make_portfolio
from tests.integration.test_ledger import unguarded
from tests.market import assert_sound
from trading.domain.choices import Side
from trading.market import history
from trading.market.models import Bar
from trading.market.selectors import market_now
from trading.market.services import begin_clock, load_bars
from trading.models import Order
from trading.risk.models import Halt
from trading.services.evaluation import evaluate_position
from trading.services.halts import halt, rearm
from trading.services.ordering import place_order
from trading.services.proposals import approve_proposal, set_approve_first
from trading.services.quarantine import quarantine, release_cell
from trading.simulation.replay import Replayed, replay

pytestmark = pytest.mark.django_db(transaction=True)

BEGINS, ENDS = date(2005, 2, 1), date(2005, 4, 29)
PRICES = ("open", "high", "low", "close", "volume")
CELLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("AAPL", {"tau": "0.02"}),
    ("AAPL", {"fractional": False, "tau": "0.01", "sizing": "proportional", "min_notional": "1"}),
    ("GOOG", {"sizing": "constant_mix", "tau": "0.01", "commission_min": "1"}),
    ("IBM", {"tau": "0.005", "max_orders_per_day": 1}),
    ("IBM", {"order_type": "limit", "limit_offset_bps": "5", "tau": "0.01"}),
    ("MSFT", {"sizing": "fixed_percentage", "tau": "0.01", "guardrail_high": "0.55"}),
    ("MSFT", {"tau": "0.01", "min_notional": "500", "reanchor_after_skip": True}),
)
AMOUNTS = ("d_shares", "d_cash", "d_receivable", "d_reserved_cash", "d_reserved_shares")
BY_ANN = {"actor": "user:ann"}


def load_between(first: date, last: date) -> None:
    """Shipped history with the dividends and splits in it. Dividends are paid soon, so that both days are met."""
    for shipped in history.SYMBOLS:
        bars = [
            Bar(symbol=shipped.symbol, day=bar.session, **{name: getattr(bar, name) for name in PRICES})
            for bar in history.read_bars(shipped.symbol)
            if first <= bar.session <= last
        ]
        load_bars(symbol=shipped.symbol, name=shipped.name, exchange=shipped.exchange, bars=bars)
    for dividend in history.read_dividends():
        if first <= dividend.ex_date <= last:
            announce_dividend(source="replay", **dividend._asdict())
    for split in history.read_splits():
        if first <= split.ex_date <= last:
            announce_split(source="replay", **split._asdict())
    begin_clock(source="replay", begins_on=first)


def make_cells(portfolio: Portfolio, kinds: Sequence[tuple[str, dict[str, Any]]]) -> list[Position]:
    return [
        create_position(
            portfolio_id=portfolio.pk,
            symbol=symbol,
            shares=5_000 * 10**12 // Bar.objects.get(symbol=symbol, day=BEGINS).open // 10**6 * 10**6,
            cash=micros("5000"),
            market_at=market_now("replay"),
            opened_on=BEGINS,
            actor="user:test",
            given_settings=given,
        )
        for symbol, given in kinds
    ]


def walk(until: str) -> None:
    call_command("feed", "--fast-forward-to", until, stdout=StringIO())


def replayed(position: Position) -> Replayed:
    rows = Position.objects.select_related("portfolio__settings_version", "portfolio__account", "settings_version")
    return replay(rows.get(pk=position.pk))


def assert_parity(position: Position) -> Replayed:
    found = replayed(position)
    assert found.difference is None
    assert found.broken == []
    assert [row for row in found.remains if row.rest] == []
    row = Position.objects.get(pk=position.pk)
    assert found.holding[:3] + found.holding[5:] == (row.shares, row.cash, row.receivable, row.anchor)
    return found


class Life:
    """A portfolio whose people do everything they may, while the market goes on."""

    def __init__(self, kinds: Sequence[tuple[str, dict[str, Any]]] = CELLS) -> None:
        self.portfolio = make_portfolio()
        Portfolio.objects.update(paper_slippage=500)
        self.portfolio.refresh_from_db()
        self.cells = make_cells(self.portfolio, kinds)
        self.ann = self.portfolio.owner

    def each(self, act: Callable[..., Any], **words: Any) -> None:
        for cell in self.cells:
            act(position_id=cell.pk, market_at=market_now("replay"), **BY_ANN, **words)

    def settings(self, given: dict[str, Any], position: Position | None = None) -> None:
        change_settings(
            portfolio_id=self.portfolio.pk,
            position_id=position.pk if position else None,
            given=given,
            author=self.ann,
            note="",
            market_at=market_now("replay"),
        )

    def ask(self, act: bool) -> None:
        for cell in self.cells:
            evaluate_position(position_id=cell.pk, asked_by="user:ann", act=act)

    def buy(self) -> None:
        for cell in self.cells:
            if not Order.objects.filter(position=cell).open().exists():
                place_order(
                    position_id=cell.pk,
                    side=Side.BUY,
                    quantity=micros("2"),
                    limit=None,
                    author=self.ann,
                    key=f"by hand {cell.pk} {market_now('replay')}",
                    **BY_ANN,
                )

    def approve(self) -> None:
        for order in Order.objects.filter(status="proposed").order_by("pk"):
            approve_proposal(order_id=order.pk, **BY_ANN)


def live_a_quarter() -> Life:
    load_between(BEGINS, ENDS)
    life = Life()
    walk("2005-02-08")
    life.each(deposit, amount=micros("500"))
    walk("2005-02-11")
    life.each(pause, reason="away")
    walk("2005-02-16")
    life.each(resume, reason="back")
    life.settings({"withholding": "0.15", "commission_bps": "3"})
    walk("2005-02-18")
    life.settings({"tau": "0.015", "sizing": "anchor_ratio"}, life.cells[0])
    life.ask(act=False)
    walk("2005-02-24")
    life.each(withdraw, amount=micros("200"))
    life.each(adjust, d_shares=micros("1"), d_cash=micros("-3.5"), reason="brought in")
    walk("2005-03-02")
    stop = halt(scope=Halt.Scope.PORTFOLIO, target_id=life.portfolio.pk, reason="a look", **BY_ANN)
    walk("2005-03-07")
    rearm(halt_id=stop.pk, reason="looked", **BY_ANN)
    for cell in life.cells:
        cell.refresh_from_db()
        set_anchor(
            position_id=cell.pk,
            price=cell.anchor * 99 // 100,
            market_at=market_now("replay"),
            reason="moved",
            **BY_ANN,
        )
    life.ask(act=True)
    walk("2005-03-11")
    life.buy()
    walk("2005-03-15")
    for cell in life.cells:
        quarantine(position_id=cell.pk, why="a drill")
    walk("2005-03-17")
    for cell in life.cells:
        release_cell(position_id=cell.pk, reason="looked", **BY_ANN)
    walk("2005-03-22")
    account = life.portfolio.account
    type(account).objects.update(most_per_quote=micros("1.3"))
    walk("2005-04-01")
    type(account).objects.update(most_per_quote=0, latency_ms=60_000)
    walk("2005-04-08")
    type(account).objects.update(latency_ms=0)
    set_approve_first(portfolio_id=life.portfolio.pk, on=True, **BY_ANN)
    walk("2005-04-13")
    life.approve()
    walk("2005-04-15")
    set_approve_first(portfolio_id=life.portfolio.pk, on=False, **BY_ANN)
    walk(str(ENDS))
    assert_sound()
    return life


def test_a_quarter_with_everything_that_people_do() -> None:
    life = live_a_quarter()
    found = [assert_parity(cell) for cell in life.cells]
    assert sum(row.fills for row in found) > 100
    assert {row.filled < row.ordered for replayed in found for row in replayed.remains} == {True, False}
    sums = {name: sum(getattr(row, name) for one in found for row in one.remains) for name in ("slippage", "delay")}
    assert sums["slippage"] > 0
    assert sums["delay"] != 0
    kinds = set(Event.objects.values_list("type", flat=True))
    assert kinds >= {
        "split", "ex_dividend", "dividend_paid", "order_partially_filled", "order_proposed", "anchor_reset", "halted",
    }  # fmt: skip


def said(*words: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("replay", *words, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue() + str(error)
    return 0, out.getvalue()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--position", "7"], "--position: must be the ID of a cell, not '7'"),
        (["--position", "00000000-0000-4000-8000-000000000000"], "--position: there is no cell 00000000"),
        ([], "Error: the following arguments are required: --position"),
    ],
)
def test_bad_input_is_exit_code_two_and_one_line(words: list[str], sentence: str) -> None:
    code, text = said(*words)
    assert code in (1, 2) if not words else code == 2
    assert sentence in text
    assert "\n" not in text


def forge(position: Position, change: Callable[[list[dict[str, Any]]], None]) -> None:
    """The cell's log rewritten, chained and summed up anew: nothing but a replay can tell."""
    rows = list(Event.objects.of(position))
    told = [event.content for event in rows]
    change(told)
    head = GENESIS
    Event.objects.of(position).filter(seq__gt=len(told)).delete()
    for seq, (event, content) in enumerate(zip(rows, told, strict=False), start=1):
        content["seq"] = str(seq)
        for name in (*AMOUNTS, "anchor_after"):
            setattr(event, name, micros(content[name]) if content[name][:1] != "-" else -micros(content[name][1:]))
        event.type, event.subject, event.actor = content["type"], content["subject"] or None, content["actor"]
        event.market_at, event.state_after = datetime.fromisoformat(content["market_at"]), content["state_after"]
        event.recorded_at = datetime.fromisoformat(content["recorded_at"])
        event.text, event.prev_hash = canonical_text(content), head
        event.hash = head = chained_hash(head, event.text)
        event.save()
    state = fold_of(position)
    Position.objects.filter(pk=position.pk).update(**state._asdict(), event_seq=len(told), event_hash=head)


def first_of(told: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next(content for content in told if content["type"] == kind)


def more(text: str) -> str:
    return as_text(micros(text) + 1)


Forgery = tuple[str, Callable[[list[dict[str, Any]]], None], str, str]


def put(kind: str, *path: str, to: str = "") -> Callable[[list[dict[str, Any]]], None]:
    """One value in the first event of a kind: another one, or one more."""

    def change(told: list[dict[str, Any]]) -> None:
        values = first_of(told, kind)
        for name in path[:-1]:
            values = values[name]
        values[path[-1]] = to or more(values[path[-1]])

    return change


def without(*kinds: str) -> Callable[[list[dict[str, Any]]], None]:
    def change(told: list[dict[str, Any]]) -> None:
        for kind in kinds:
            told.remove(first_of(told, kind))

    return change


def by_another_rule(told: list[dict[str, Any]]) -> None:
    put("evaluated", "outputs", "quantity")(told)
    put("evaluated", "rule", to="0" * 64)(told)


FILLED = "order_filled"
FORGERIES: tuple[Forgery, ...] = (
    ("a fill's price", put(FILLED, "outputs", "price"), "fill.price", "slipped otherwise than the 500 ppm"),
    ("a fill's fee", put(FILLED, "outputs", "commission"), "fill.commission", "for another fee"),
    ("the cash of a fill", put(FILLED, "d_cash", to="-1"), "cash after it", "moved cash by another amount"),
    ("an anchor", put("anchor_updated", "anchor_after"), "anchor after it", "moved anchor by another amount"),
    ("a decision", put("evaluated", "outputs", "quantity"), "outputs.quantity", "the running rule decides SELL"),
    ("its price", put("evaluated", "inputs", "price"), "inputs.price", "the recorded quote is another one"),
    ("its quote", put("evaluated", "inputs", "quote_at", to="2005-02-07T15:00:00Z"), "quote", "the recorded quote"),
    ("its cash", put("evaluated", "inputs", "cash"), "inputs.cash", "came to it with another cash"),
    ("its settings", put("evaluated", "settings", "sha256", to="0"), "settings.sha256", "other settings"),
    ("its kind", put("evaluated", "type", to="guardrail_rebalance"), "type", "what was known"),
    ("its gates", put("evaluated", "outputs", "gates", "halted", to="a look"), "outputs.gates.halted", "another gate"),
    ("its rule", by_another_rule, "outputs.quantity", "decided by rule version 000000000000"),
    ("an order", put("order_intent", "outputs", "quantity"), "order.quantity", "the log was altered"),
    ("a promise", put("order_intent", "d_reserved_cash"), "order.reserved_cash", "the log was altered"),
    ("a dividend", put("ex_dividend", "d_receivable"), "receivable after it", "moved receivable by another amount"),
    ("a tax", put("ex_dividend", "outputs", "tax"), "facts.tax", "the log was altered"),
    ("a split", put("split", "d_shares"), "shares after it", "moved shares by another amount"),
    ("a deposit", put("deposited", "d_cash"), "inputs.cash", "came to it with another cash"),
    ("a deposit left out", without("deposited"), "inputs.cash", "came to it with another cash"),
    ("a skip left out", without("skipped"), "event", "the log has no event of this look"),
    ("a fill left out", without(FILLED, "anchor_updated"), "event", "an order was open then"),
)  # fmt: skip


@pytest.fixture
def lived(transactional_db: None) -> Position:
    """A cell with everything that is to be forged in its log."""
    load_between(BEGINS, ENDS)
    life = Life(CELLS[:1])
    Dividend.objects.create(source="replay", symbol="AAPL", ex_date="2005-02-09", pay_date="2005-02-18", dps=100_000)
    walk("2005-02-08")
    life.each(deposit, amount=micros("500"))
    walk("2005-02-14")
    life.each(pause, reason="away")
    walk("2005-02-25")
    life.each(resume, reason="back")
    walk("2005-03-15")
    return life.cells[0]


def test_whatever_is_forged_in_a_log_is_found_and_explained(lived: Position) -> None:
    assert_parity(lived)
    missed = []
    for name, change, field, reason in FORGERIES:
        with unguarded("portfolios_event"), transaction.atomic():
            forge(lived, change)
            found = replayed(lived)
            transaction.set_rollback(True)
        difference = found.difference
        assert found.broken == [], name
        if not (difference and field in difference.field and reason in difference.why):
            missed.append((name, difference))
    assert missed == []
    assert_parity(lived)


COMMENTARY = {"message", "actor", "recorded_at", "market_at", "subject", "rule", "pay_date", "pay_date_assumed"}
NOT_THE_ROBOTS = {"inputs.ex_date", "inputs.execution_id", "inputs.at", "outputs.client_order_id", "outputs.attempt"}


def leaves(values: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{name}.")
        elif isinstance(value, str) and name not in COMMENTARY:
            yield f"{prefix}{name}"


def another(value: str) -> str:
    try:
        return more(value)
    except ValueError:
        return f"{value}x"


DECIDED = ("evaluated", "skipped", "guardrail_rebalance", "anchor_set", "order_intent", FILLED, "anchor_updated")


def test_no_value_of_a_decision_or_a_fill_can_be_another(lived: Position) -> None:
    """Any one of them, changed by the smallest amount in a log that is otherwise perfect."""
    chance = Random(7)
    told = [event.content for event in Event.objects.of(lived)]
    last = max(number for number, content in enumerate(told) if content["type"] == "evaluated")
    places = [
        (number, path)
        for number, content in enumerate(told[: last + 1])
        if content["type"] in DECIDED
        for path in leaves({name: content[name] for name in ("inputs", "outputs", "settings")})
        if path not in NOT_THE_ROBOTS
    ]
    assert len(places) > 500
    unseen = []
    for number, path in chance.sample(places, 40):

        def change(told: list[dict[str, Any]], number: int = number, path: str = path) -> None:
            values, names = told[number], path.split(".")
            for name in names[:-1]:
                values = values[name]
            values[names[-1]] = another(values[names[-1]])

        with unguarded("portfolios_event"), transaction.atomic():
            forge(lived, change)
            if replayed(lived).is_equal:
                unseen.append((told[number]["type"], path))
            transaction.set_rollback(True)
    assert unseen == []


def test_other_rule_versions_are_named_and_compared_all_the_same(lived: Position) -> None:
    with unguarded("portfolios_event"):
        forge(lived, lambda told: [content.update(rule="0" * 64) for content in told[:9]] and None)
    code, text = said("--position", str(lived.public_id))
    assert code == 0
    assert "9 events were written under rule version 000000000000" in text
    assert "all equal, to the end" in text
    sums = text.splitlines()[-1].split()
    assert sums[0] == "sum"
    assert sums[-1] == "0.00"


def test_an_altered_text_breaks_the_chain_and_is_told_in_words_and_as_json(lived: Position) -> None:
    event = Event.objects.of(lived).filter(type="evaluated").first()
    with unguarded("portfolios_event"):
        Event.objects.filter(pk=event.pk).update(text=event.text.replace('"reason":"trigger', '"reason":"tripped'))
    code, text = said("--position", str(lived.public_id))
    assert code == 1
    assert f"event {event.seq} its hash does not cover its text" in text
    assert f"FIRST DIFFERENCE at {event.market_at.isoformat()} (event {event.seq}, evaluated): outputs.reason" in text
    code, text = said("--position", str(lived.public_id), "--json")
    answer = json.loads(text.splitlines()[0])
    assert (code, answer["equal"], answer["difference"]["seq"]) == (1, False, event.seq)
    assert answer["difference"]["log"].startswith("tripped")
    assert answer["sums"]["rest"] == "0"


def test_a_cell_without_any_quote_is_equal() -> None:
    load_between(BEGINS, ENDS)
    cell = Life(CELLS[:1]).cells[0]
    code, text = said("--position", str(cell.public_id), "--json")
    answer = json.loads(text)
    assert (code, answer["equal"], answer["compared"]["looks"], answer["orders"]) == (0, True, 0, [])


@pytest.mark.long
def test_two_years_of_the_feed_are_the_same_through_the_engine() -> None:
    load_between(BEGINS, date(2007, 2, 1))
    life = Life(CELLS[::3])
    walk("2005-08-01")
    life.each(deposit, amount=micros("1000"))
    life.settings({"withholding": "0.15"})
    walk("2006-02-01")
    life.each(pause, reason="away")
    walk("2006-03-01")
    life.each(resume, reason="back")
    walk("2007-02-01")
    found = [assert_parity(cell) for cell in life.cells]
    assert min(row.looks for row in found) > 960
    assert sum(row.fills for row in found) > 200
