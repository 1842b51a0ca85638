"""What a person may do to a cell from its pages: how each deed is called, typed, foreseen and done."""

import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from django.db import transaction

from portfolios.domain.amounts import as_dollars, as_text
from portfolios.models import Position, User
from portfolios.services import positions
from trading.cards import RELATED
from trading.domain.choices import Side
from trading.market.selectors import market_now
from trading.services.closing import close_position
from trading.services.evaluation import evaluate_position
from trading.services.ordering import place_order
from trading.services.quarantine import release_cell
from trading.tasks import execute_order, ring
from trading.views.act_forms import (
    ActForm,
    AdjustForm,
    AnchorForm,
    NothingToType,
    OrderForm,
    ReasonForm,
    TransferForm,
)

Typed = Mapping[str, Any]


class Deed(NamedTuple):
    """`does` carries it out and says so in a sentence; `side` where it is an order."""

    title: str
    meaning: str
    button: str
    form: type[ActForm]
    does: Callable[[Position, Typed, User], str]
    side: Side = Side.NONE


def evaluate(position: Position, _typed: Typed, user: User) -> str:
    evaluation = evaluate_position(position_id=position.pk, asked_by=actor(user))
    if evaluation.order:
        transaction.on_commit(partial(ring, execute_order, order_id=evaluation.order.pk))
    return str(evaluation.event.content["message"]) if evaluation.event else "Looked; there is nothing to decide."


def order(side: Side, position: Position, typed: Typed, user: User) -> str:
    written = place_order(
        position_id=position.pk,
        side=side,
        quantity=typed["qty"],
        limit=typed["limit_price"],
        author=user,
        actor=actor(user),
        key=uuid.uuid4().hex,
    )
    transaction.on_commit(partial(ring, execute_order, order_id=written.pk))
    limit = f" at {as_dollars(written.limit_price)} or better" if written.limit_price else ""
    return f"Order written: {side.name.lower()} {as_text(written.quantity)} shares{limit}."


def deposit(position: Position, typed: Typed, user: User) -> str:
    positions.deposit(**at_market_time(position, user), amount=typed["amount"], note=typed["note"])
    return f"{as_dollars(typed['amount'])} deposited."


def withdraw(position: Position, typed: Typed, user: User) -> str:
    positions.withdraw(**at_market_time(position, user), amount=typed["amount"], note=typed["note"])
    return f"{as_dollars(typed['amount'])} withdrawn."


def adjust(position: Position, typed: Typed, user: User) -> str:
    positions.adjust(
        **at_market_time(position, user),
        d_shares=typed["qty"] or 0,
        d_cash=typed["cash"] or 0,
        reason=typed["reason"],
    )
    return "Shares and cash are put right."


def set_anchor(position: Position, typed: Typed, user: User) -> str:
    positions.set_anchor(**at_market_time(position, user), price=typed["price"], reason=typed["reason"])
    return f"The anchor is {as_dollars(typed['price'])}. The triggers are measured from there."


def pause(position: Position, typed: Typed, user: User) -> str:
    positions.pause(**at_market_time(position, user), reason=typed["reason"])
    return "The cell is paused. The robot leaves it alone until you resume it."


def resume(position: Position, typed: Typed, user: User) -> str:
    positions.resume(**at_market_time(position, user), reason=typed["reason"])
    return "The cell is active again."


def release(position: Position, typed: Typed, user: User) -> str:
    release_cell(position_id=position.pk, actor=actor(user), reason=typed["reason"])
    return "The cell is released. The robot goes on at the next price."


def close(position: Position, typed: Typed, user: User) -> str:
    close_position(position_id=position.pk, actor=actor(user), reason=typed["reason"])
    return "The cell is closed. Its log stays; its cash can still be withdrawn."


def at_market_time(position: Position, user: User) -> dict[str, Any]:
    return {"position_id": position.pk, "market_at": market_now(position.source), "actor": actor(user)}


def actor(user: User) -> str:
    return f"user:{user.get_username()}"


def rehearse(deed: Deed, position: Position, typed: Typed, user: User) -> Position:
    """The cell as the deed would leave it: the very deed, undone. Raises Refused as the deed itself would."""
    with transaction.atomic():
        deed.does(position, typed, user)
        after = Position.objects.select_related(*RELATED).get(pk=position.pk)
        transaction.set_rollback(True)
    return after


ORDERS_MOVE_ANCHOR = (
    "A market order fills at once at the newest price while the market is open, else at the first price after it "
    "opens. When it is done, the anchor moves to the average paid."
)
DEEDS: dict[str, Deed] = {
    "evaluate": Deed(
        "Evaluate now",
        "The robot looks at the newest price, writes down what it sees and trades if the rule says so.",
        "Evaluate",
        NothingToType,
        evaluate,
    ),
    "buy": Deed("Buy by hand", ORDERS_MOVE_ANCHOR, "Buy", OrderForm, partial(order, Side.BUY), Side.BUY),
    "sell": Deed("Sell by hand", ORDERS_MOVE_ANCHOR, "Sell", OrderForm, partial(order, Side.SELL), Side.SELL),
    "deposit": Deed("Deposit", "Cash of yours for this cell. It is not a gain.", "Deposit", TransferForm, deposit),
    "withdraw": Deed("Withdraw", "Settled cash that no open order has reserved.", "Withdraw", TransferForm, withdraw),
    "adjust": Deed(
        "Put right by hand",
        "For what happened outside: a transfer of shares, a correction by the broker. It counts as a gain or a loss.",
        "Put right",
        AdjustForm,
        adjust,
    ),
    "anchor": Deed(
        "Set the anchor", "The price the triggers are measured from.", "Set the anchor", AnchorForm, set_anchor
    ),
    "pause": Deed(
        "Pause", "The robot leaves the cell alone; an open order stays. You can still act.", "Pause", ReasonForm, pause
    ),
    "resume": Deed("Resume", "The robot goes on at the next price.", "Resume", ReasonForm, resume),
    "release": Deed(
        "Release from quarantine",
        "Somebody has looked, and shares and cash are right. The robot goes on at the next price.",
        "Release it",
        ReasonForm,
        release,
    ),
    "close": Deed(
        "Close the cell",
        "The end of this cell: the robot never trades it again. Shares and cash stay where they are, "
        "and cash can still be withdrawn. It cannot be opened again.",
        "Close it for good",
        ReasonForm,
        close,
    ),
}
