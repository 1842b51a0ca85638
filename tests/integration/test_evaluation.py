"""What one cell decides at one price, from the quote to the filled order and the words in its log."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from portfolios.domain.amounts import MICROS, micros
from portfolios.models import Event, Position
from portfolios.prepared import PlannedAnewCursor, array_text, execute
from portfolios.services.positions import deposit, pause, resume, withdraw
from portfolios.services.settings import change_settings
from tests.factories import NOON, make_portfolio, make_position, make_quote
from tests.market import assert_sound, later, make_fallen_cell, story, tick
from trading.domain.choices import Action, Reason
from trading.market.services import move_clock
from trading.models import Order
from trading.selectors import WAITING_CELLS, waiting_cells
from trading.services.evaluation import evaluate_position, preview_position
from trading.services.execution import execute_order

pytestmark = pytest.mark.django_db


def evaluated(position: Position, **how: Any) -> Any:
    return evaluate_position(position_id=position.pk, **how)


def last_event(position: Position) -> Event:
    return Event.objects.of(position).last()


def test_the_first_good_quote_sets_the_anchor_and_trades_nothing() -> None:
    position = make_position(shares="0")
    make_quote(price="100")
    assert tick(position) is None
    assert position.anchor == micros("100")
    assert story(position) == ["anchor_set"]


def test_a_person_who_ticks_again_on_the_quote_that_set_the_anchor_trades_nothing() -> None:
    position = make_position(shares="0")  # all cash: drift would buy 25 % at the next quote
    make_quote(price="100")
    evaluated(position, asked_by="user:ann")
    again = evaluated(position, asked_by="user:ann")
    assert (again.order, again.decision.reason) == (None, Reason.NO_ANCHOR)
    assert story(position) == ["anchor_set", "evaluated"]
    make_quote(price="100", at=later())
    assert tick(position).quantity == micros("24.999376")  # 25 % of what is left after the fee
    assert_sound()


def test_a_stale_first_quote_sets_no_anchor() -> None:
    position = make_position()
    make_quote(price="100")
    move_clock(source="replay", at=NOON + timedelta(seconds=4), day=NOON.date(), phase="open")
    tick(position)
    assert (position.anchor, story(position)) == (0, [])


def test_without_any_price_a_person_is_told_and_the_robot_is_quiet() -> None:
    position = make_position(symbol="ZIM")
    evaluated(position)
    assert story(position) == []
    evaluated(position, asked_by="user:ann")
    assert last_event(position).content["outputs"] == {"action": "HOLD", "reason": "no_price"}


def test_a_fall_of_three_percent_buys() -> None:
    position = make_fallen_cell("97")
    order = tick(position)
    assert (order.side, order.quantity, order.status) == ("BUY", micros("10.4687"), "filled")
    assert position.shares == micros("110.4687")
    assert position.cash == micros("10000") - micros("1015.4639") - micros("0.101547")
    assert position.anchor == micros("97")
    assert (position.reserved_cash, position.reserved_shares) == (0, 0)
    assert story(position) == ["evaluated", "order_intent", "order_submitted", "order_filled", "anchor_updated"]
    assert_sound()


def test_a_rise_of_three_percent_sells() -> None:
    position = make_fallen_cell("103")
    order = tick(position)
    assert (order.side, order.quantity, order.status) == ("SELL", micros("9.567348"), "filled")
    assert position.shares == micros("90.432652")
    assert position.cash == micros("10000") + micros("985.436844") - micros("0.098544")
    assert position.anchor == micros("103")
    assert_sound()


def test_slippage_is_paid_by_us() -> None:
    position = make_fallen_cell("97")
    position.portfolio.paper_slippage = 1_000  # 10 bps
    position.portfolio.save()
    execution = tick(position).executions.get()
    assert (execution.price, execution.slippage_ppm) == (micros("97.097"), 1_000)
    assert_sound()


def test_the_guardrail_trims_and_the_event_says_so() -> None:
    rules = {"sizing": "proportional", "guardrail_high": "0.7", "commission_bps": "10"}
    position = make_position(shares="60", cash="4000", anchor="110", **rules)
    make_quote(price="100")
    order = tick(position)
    assert order.quantity == micros("9.993004")
    outputs = Event.objects.of(position).get(type="evaluated").content["outputs"]
    assert outputs["trims"] == [{"name": "guardrail", "before": "16.667", "after": "9.993004"}]
    assert position.shares * 100 * 10 <= 7 * (position.shares * 100 + position.cash)


def test_a_receivable_counts_for_size_and_is_never_spent() -> None:
    position = make_position(shares="100", cash="0", anchor="100")
    Position.objects.filter(pk=position.pk).update(receivable=micros("5000"))
    make_quote(price="97")
    assert tick(position) is None
    outputs = last_event(position).content["outputs"]
    assert (outputs["reason"], outputs["raw"]) == ("insufficient_cash", "7.811669")


def test_an_all_cash_cell_buys_up_to_its_low_guardrail_once_it_has_an_anchor() -> None:
    position = make_position(shares="0", cash="10000", anchor="100")
    make_quote(price="100")
    order = tick(position)
    assert (order.reason, order.quantity) == ("guardrail_rebalance", micros("24.999376"))
    assert story(position)[0] == "guardrail_rebalance"
    assert position.anchor == micros("100")
    assert_sound()


def test_a_cell_told_not_to_rebalance_stays_all_cash() -> None:
    position = make_position(shares="0", anchor="100", auto_rebalance=False)
    make_quote(price="100")
    assert tick(position) is None
    assert story(position) == []


def test_a_whole_share_cell_trades_whole_shares() -> None:
    position = make_fallen_cell("97", fractional=False)
    order = tick(position)
    assert order.quantity == micros("10")
    outputs = Event.objects.of(position).get(type="evaluated").content["outputs"]
    assert outputs["trims"] == [{"name": "lot", "before": "10.4687", "after": "10"}]


def test_a_quiet_hold_writes_nothing() -> None:
    position = make_position(anchor="100")
    for minute, price in enumerate(("97.01", "100", "102.99")):
        make_quote(price=price, at=later(minute))
        assert tick(position) is None
    assert story(position) == []
    assert position.quote_at == later(2)


def test_a_skip_that_repeats_is_one_event_and_a_new_reason_is_another() -> None:
    position = make_position(shares="70", cash="2000", anchor="100")
    for minute, price in enumerate(("97", "96.5", "96")):
        make_quote(price=price, at=later(minute))
        tick(position)
    assert story(position) == ["skipped"]
    assert last_event(position).content["outputs"]["reason"] == "guardrail"
    pause(position_id=position.pk, market_at=NOON, actor="user:ann", reason="holidays")
    for minute, price in enumerate(("96", "95"), start=3):
        make_quote(price=price, at=later(minute))
        tick(position)
    assert story(position) == ["skipped", "paused", "skipped"]
    assert last_event(position).content["outputs"]["reason"] == "paused"


def test_the_same_skip_after_another_event_is_a_new_span() -> None:
    position = make_position(shares="70", cash="2000", anchor="100")
    make_quote(price="97")
    tick(position)
    deposit(position_id=position.pk, amount=1, market_at=NOON, actor="user:ann")
    make_quote(price="97", at=later())
    tick(position)
    make_quote(price="97", at=later(2))
    tick(position)
    assert story(position) == ["skipped", "deposited", "skipped"]


def test_a_person_who_asks_always_leaves_an_event() -> None:
    position = make_position(anchor="100")
    make_quote(price="100")
    tick(position)
    evaluated(position, asked_by="user:ann")
    evaluated(position, asked_by="user:ann", act=False)
    assert story(position) == ["evaluated", "evaluated"]
    assert last_event(position).actor == "user:ann"
    assert last_event(position).content["outputs"]["reason"] == "inside_band"


def test_a_proposal_reserves_nothing_and_the_robot_still_acts_on_that_quote() -> None:
    position = make_fallen_cell("97")
    proposal = evaluated(position, asked_by="user:ann", act=False)
    assert (proposal.decision.quantity, proposal.order) == (micros("10.4687"), None)
    position.refresh_from_db()
    assert (position.reserved_cash, Order.objects.count()) == (0, 0)
    assert tick(position).quantity == proposal.decision.quantity


def test_a_preview_writes_nothing_at_all() -> None:
    position = make_position(anchor="100")
    preview = preview_position(position=position, price=micros("97"), market_at=NOON)
    assert preview.decision.quantity == micros("10.4687")
    assert (story(position), Order.objects.count()) == ([], 0)


def test_an_event_names_the_quote_the_rule_and_the_settings() -> None:
    position = make_fallen_cell("97", tau="0.02")
    tick(position)
    content = Event.objects.of(position).get(type="evaluated").content
    assert content["inputs"]["quote_at"] == NOON.isoformat()
    assert content["settings"]["cell_version"] == "1"
    assert len(content["rule"]) == len(content["settings"]["sha256"]) == 64
    assert content["message"] == "Buy 10.4687 at 97: -3.00 % from the anchor."


def test_a_paused_cell_does_not_trade_and_trades_when_resumed() -> None:
    position = make_fallen_cell("97")
    pause(position_id=position.pk, market_at=NOON, actor="user:ann", reason="holidays")
    assert tick(position) is None
    resume(position_id=position.pk, market_at=NOON, actor="user:ann", reason="back")
    make_quote(price="97", at=later())
    assert tick(position).status == "filled"


def test_the_days_orders_are_used_up_until_the_next_exchange_day() -> None:
    position = make_position(anchor="100", max_orders_per_day=1)
    make_quote(price="97")
    assert tick(position).status == "filled"
    make_quote(price="94", at=later())
    assert tick(position) is None
    outputs = last_event(position).content["outputs"]
    assert (outputs["reason"], outputs["gates"]["daily_limit"]) == ("daily_limit", "1 of 1")
    make_quote(price="94", at=NOON + timedelta(days=1))
    assert tick(position).status == "filled"


def test_outside_the_session_nothing_trades_and_the_closing_instant_is_inside() -> None:
    position = make_position(anchor="100")
    make_quote(price="97", at=datetime(2007, 1, 3, 21, 0, 1, tzinfo=UTC))
    assert tick(position) is None
    assert last_event(position).content["outputs"]["gates"]["market_closed"] == "post"
    make_quote(price="97", at=datetime(2007, 1, 4, 21, 0, tzinfo=UTC))
    assert tick(position).market_day == date(2007, 1, 4)


def test_an_old_price_trades_nothing() -> None:
    position = make_fallen_cell("97")
    move_clock(source="replay", at=NOON + timedelta(seconds=4), day=NOON.date(), phase="open")
    assert tick(position) is None
    assert last_event(position).content["outputs"]["reason"] == "stale_price"


def test_an_open_order_bars_the_next_one() -> None:
    position = make_fallen_cell("97")
    evaluated(position)
    make_quote(price="96", at=later())
    again = evaluated(position, asked_by="user:ann")
    assert (again.decision.reason, Order.objects.count()) == (Reason.ORDER_OPEN, 1)


def test_a_skip_for_size_moves_the_anchor_where_that_is_wished_and_a_shut_gate_never_does() -> None:
    position = make_position(shares="1", cash="50", anchor="100", reanchor_after_skip=True)
    make_quote(price="97")
    tick(position)
    assert (position.anchor, story(position)) == (micros("97"), ["skipped", "anchor_reset"])
    pause(position_id=position.pk, market_at=NOON, actor="user:ann", reason="holidays")
    make_quote(price="90", at=later())
    tick(position)
    assert position.anchor == micros("97")
    assert_sound()


def is_awake(position: Position) -> bool:
    position.refresh_from_db()
    return position.wake_below >= position.wake_above


def asleep() -> Position:
    position = make_position(anchor="100")
    make_quote(price="100")
    tick(position)
    assert not is_awake(position)
    return position


def test_a_sleeping_cell_is_woken_by_the_first_price_that_matters() -> None:
    position = asleep()
    assert waiting_cells([make_quote(price="97.01", at=later())]) == []
    assert waiting_cells([make_quote(price="97", at=later(2))]) == [position.pk]
    assert waiting_cells([make_quote("MSFT", price="97", at=later(2))]) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda cell: deposit(position_id=cell.pk, amount=1, market_at=NOON, actor="user:ann"),
        lambda cell: withdraw(position_id=cell.pk, amount=1, market_at=NOON, actor="user:ann"),
        lambda cell: pause(position_id=cell.pk, market_at=NOON, actor="user:ann", reason="holidays"),
        lambda cell: changed_settings(cell, position_id=cell.pk),
        lambda cell: changed_settings(cell),
        *[
            lambda cell, column=column: Position.objects.filter(pk=cell.pk).update(**{column: 1})
            for column in ("shares", "cash", "receivable", "reserved_cash", "reserved_shares", "anchor")
        ],
    ],
)
def test_whatever_changes_a_cell_wakes_it(change: Any) -> None:
    position = asleep()
    change(position)
    assert is_awake(position)


def changed_settings(cell: Position, **which: Any) -> Any:
    portfolio = cell.portfolio
    how = {"author": portfolio.owner, "note": "", "market_at": NOON}
    return change_settings(portfolio_id=portfolio.pk, given={"tau": "0.01"}, **how, **which)


def test_what_changes_nothing_wakes_nobody() -> None:
    position = asleep()
    Position.objects.filter(pk=position.pk).update(quote_at=later(), skip_mark="x")
    assert not is_awake(position)


def test_new_settings_decide_at_the_next_quote() -> None:
    position = asleep()
    changed_settings(position, position_id=position.pk)
    quote = make_quote(price="99", at=later())
    assert waiting_cells([quote]) == [position.pk]
    assert tick(position).side == "BUY"


def test_one_quote_finds_its_few_cells_among_twenty_thousand_by_index() -> None:
    portfolio = make_portfolio()
    cells = [
        Position(
            portfolio=portfolio,
            source="replay",
            symbol=f"S{number % 4}",
            anchor=(50 + number % 101) * MICROS,
            wake_below=(50 + number % 101) * 970_000,
            wake_above=(50 + number % 101) * 1_030_000,
        )
        for number in range(20_000)
    ]
    Position.objects.bulk_create(cells, batch_size=5_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE portfolios_position")
    asked = [*(array_text([value]) for value in ("S1", 52_000_000, 52_000_000, NOON)), "replay"]
    plan = "\n".join(line for (line,) in execute(f"EXPLAIN {WAITING_CELLS}", asked, PlannedAnewCursor))
    conditions = [line for line in plan.splitlines() if "Index Cond" in line]
    assert any("wake_below >= quote" in line for line in conditions), plan
    assert any("wake_above <= quote" in line for line in conditions), plan
    assert "Seq Scan" not in plan


def test_a_limit_order_rests_until_its_price_comes() -> None:
    position = make_position(anchor="100", order_type="limit", drift_bps=100)
    make_quote(price="97")
    order = evaluated(position).order
    make_quote(price="97.5", at=later())
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    assert (order.status, order.limit_price) == ("accepted", micros("97"))
    make_quote(price="96", at=later(2))
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    assert (order.status, order.notional) == ("filled", order.quantity * 96)
    assert_sound()


def test_a_price_that_ran_away_is_decided_again() -> None:
    position = make_fallen_cell("97")
    order = evaluated(position).order
    make_quote(price="96.8", at=later())  # 20.6 bps away
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    assert (order.status, order.attempts) == ("cancelled", 0)
    assert story(position)[-2:] == ["order_cancelled", "reevaluated"]
    again = tick(position)
    assert (again.status, again.decision_price) == ("filled", micros("96.8"))
    assert_sound()


def test_a_small_move_is_not_worth_deciding_again() -> None:
    position = make_fallen_cell("97")
    order = evaluated(position).order
    make_quote(price="97.19", at=later())
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "filled"


def test_a_price_that_runs_away_four_times_in_a_minute_is_left_alone() -> None:
    position = make_fallen_cell("97")
    for minute, price in enumerate(("96", "95", "94", "93"), start=1):
        order = evaluated(position).order
        make_quote(price=price, at=later(minute))
        execute_order(order_id=order.pk)
    assert story(position).count("reevaluated") == 3
    assert story(position)[-2:] == ["order_cancelled", "skipped"]
    assert last_event(position).content["outputs"]["reason"] == "drift"
    assert evaluated(position).order is None  # not at this quote
    make_quote(price="93", at=later(5))
    assert tick(position).status == "filled"
    assert Order.objects.filter(attempts__gt=0).count() == 1
    assert_sound()


def test_holding_is_what_a_cell_does_when_nothing_is_said() -> None:
    position = make_position(anchor="100")
    make_quote(price="100")
    evaluation = evaluated(position)
    assert (evaluation.decision.action, evaluation.event) == (Action.HOLD, None)
