"""What a person does about books that differ: call it held outside, adopt it in a cell, release the account."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from portfolios.domain.amounts import MAX_AMOUNT, as_text, micros
from portfolios.errors import Refused
from portfolios.events import EventType
from portfolios.models import Account, Position
from portfolios.services.journal import Journal
from portfolios.services.positions import adjust, refuse_unreasoned
from trading.brokers.base import Report
from trading.domain.books import CASH, DIFFERS, ENTRY, NOTED, ORDER, SHARES, TRADED
from trading.domain.order_life import OPEN_STATES
from trading.market.selectors import market_now
from trading.models import AccountEntry, AccountHolding, Order, Reconciliation
from trading.services.execution import record_report


@transaction.atomic
def confirm_outside(*, account_id: int, subject: str, reason: str, actor: str) -> AccountHolding:
    """Shares of this symbol that the broker has beyond our cells are nobody's cell: from now on they are expected.

    Raises Refused: invalid_reason (422), no_difference (409).
    """
    refuse_unreasoned(reason)
    account = locked(account_id)
    row, line = differing(account, subject, (SHARES, TRADED))
    difference = micros(line["difference"])
    holding = AccountHolding.objects.filter(account=account, symbol=subject).first()
    holding = holding or AccountHolding(account=account, symbol=subject, outside=0)
    refuse_beyond_reason(holding.outside + difference)
    holding.outside += difference
    holding.confirmed_by, holding.confirmed_at = actor, timezone.now()
    holding.save()
    settle(row, line, f"confirmed as outside the cells by {actor}")
    message = f"{as_text(holding.outside)} {subject} are held outside the cells: {reason}"
    tell(account, EventType.ACCOUNT_CHANGED, message, actor, line)
    return holding


def refuse_beyond_reason(amount: int) -> None:
    if abs(amount) > MAX_AMOUNT:
        raise Refused("out_of_range", f"must leave from 0 to {as_text(MAX_AMOUNT)}", field="subject")


@transaction.atomic
def adopt_difference(*, account_id: int, position_id: int, subject: str, reason: str, actor: str) -> Position:
    """The broker is right: the difference becomes an adjustment of one cell of the account.

    Raises Refused: invalid_reason, insufficient_shares, insufficient_cash, wrong_cell (422), no_difference (409).
    """
    refuse_unreasoned(reason)
    account = locked(account_id)
    row, line = differing(account, subject, (SHARES, CASH, ENTRY))
    cell = Position.objects.filter(pk=position_id, portfolio__account=account).first()
    if cell is None or cell.symbol != symbol_of(line, cell.symbol):
        raise Refused("wrong_cell", f"must be a cell of this account that holds {subject}", field="position_id")
    difference = micros(line["difference"])
    shares, cash = (difference, 0) if line["kind"] == SHARES else (0, difference)
    position = adjust(
        position_id=cell.pk,
        d_shares=shares,
        d_cash=cash,
        market_at=market_now(cell.source),
        actor=actor,
        reason=reason,
    )
    if line["kind"] == ENTRY:
        account.entries.filter(of=subject).update(state=AccountEntry.State.SETTLED, short=0)
    settle(row, line, f"adopted in a cell by {actor}")
    tell(account, EventType.REPAIRED, f"The difference in {subject} was adopted: {reason}", actor, line)
    return position


@transaction.atomic
def unfreeze(*, account_id: int, reason: str, actor: str) -> Account:
    """A person has looked. Nothing trades before the books were found equal anew; what differs then freezes again.

    Orders and fills he saw are settled by this: they freeze nothing again, and an order the broker denies ends here.
    Releasing what is not frozen changes nothing. Raises Refused: invalid_reason (422), account_closed (409).
    """
    refuse_unreasoned(reason)
    account = locked(account_id)
    if account.state == Account.Status.CLOSED:
        raise Refused("account_closed", "this account is closed", status=409)
    if account.state == Account.Status.ACTIVE:
        return account
    newest = in_dispute(account)
    for line in newest.found if newest else []:
        end_denied(line, reason, actor)
    open_disputes(account).update(settled_at=timezone.now(), settled_by=actor, settled_how=reason)
    account.doubted_at = timezone.now()
    account.save(update_fields=["doubted_at"])
    journal = Journal(account, market_at=timezone.now(), actor=actor)
    journal.add(EventType.RELEASED, f"Released: {reason}", state=Account.Status.ACTIVE, inputs={"reason": reason})
    account.state = Account.Status.ACTIVE
    journal.write()
    return account


def end_denied(line: dict[str, Any], reason: str, actor: str) -> None:
    """An order of ours that the broker says it never saw will not fill any more."""
    if line["kind"] != ORDER or line["verdict"] != DIFFERS or line["theirs"] != "never seen":
        return
    order = Order.objects.filter(client_order_id=line["subject"], status__in=OPEN_STATES).first()
    if order:
        record_report(order_id=order.pk, report=Report("cancelled", note=reason), actor=actor)


def symbol_of(line: dict[str, Any], anything: str) -> str:
    """Whose cell may adopt it: cash is anyone's, shares and a dividend are of one symbol."""
    if line["kind"] == CASH:
        return anything
    return str(line["subject"]).split(" ")[0]


def locked(account_id: int) -> Account:
    return Account.objects.select_for_update(no_key=True).get(pk=account_id)


def open_disputes(account: Account) -> Any:
    return account.reconciliations.filter(outcome=Reconciliation.Outcome.FROZEN, settled_at=None)


def in_dispute(account: Account) -> Reconciliation | None:
    """The comparison a person has before him: the newest that was answered, if it froze."""
    answered = account.reconciliations.exclude(outcome=Reconciliation.Outcome.UNANSWERED)
    row: Reconciliation | None = answered.order_by("-pk").first()
    froze = row is not None and row.outcome == Reconciliation.Outcome.FROZEN and row.settled_at is None
    return row if froze else None


def differing(account: Account, subject: str, kinds: tuple[str, ...]) -> tuple[Reconciliation, dict[str, Any]]:
    """Raises Refused no_difference (409): it may have been settled a moment ago."""
    row = in_dispute(account)
    for line in row.found if row else []:
        if row and line["kind"] in kinds and (line["subject"], line["verdict"]) == (subject, DIFFERS):
            return row, line
    raise Refused("no_difference", "the newest comparison shows no such difference", status=409)


def settle(row: Reconciliation, line: dict[str, Any], note: str) -> None:
    """The line stays, and says what became of it; a second click finds nothing to do."""
    line["verdict"], line["note"] = NOTED, note
    row.save(update_fields=["found"])


def tell(account: Account, kind: EventType, message: str, actor: str, line: dict[str, Any]) -> None:
    journal = Journal(account, market_at=timezone.now(), actor=actor)
    journal.add(kind, message, inputs=dict(line))
    journal.write()
