"""Compares a broker's books with ours: equal, put right with evidence, or frozen until a person has looked.

The broker is asked while no transaction is open. What it does not answer proves nothing.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count, F, Sum
from django.utils import timezone

from dividends.models import Entitlement, SplitApplication
from portfolios.events import EventType
from portfolios.models import Account, Position
from portfolios.services.journal import Journal
from trading.brokers import broker_for
from trading.brokers.base import Broker, BrokerSilent, Holdings
from trading.domain.books import (
    DIFFERS,
    ENTRY,
    EQUAL,
    FILL,
    NOTED,
    ORDER,
    REPAIRED,
    SHARES,
    TRADED,
    Line,
    cash_side_by_side,
    received_side_by_side,
    shares_side_by_side,
)
from trading.models import AccountHolding, Execution, Reconciliation
from trading.risk.selectors import HERE
from trading.services.abilities import probe
from trading.services.entries import explained, market_day_of, take_in_entries
from trading.services.repairs import Patience, compare_orders, take_in_fills
from trading.services.splits_beside import explain_splits

Outcome = Reconciliation.Outcome
ATTEMPTS = 3
PATIENCE = 0.5  # seconds for whoever is booking at this very moment
TOLD = ("start", "reconnect", "person")  # always written to the log; of the others only what changed
KEPT = timedelta(days=30)
SHOWN = 100  # lines that an event repeats; the row has them all


class Look(NamedTuple):
    """One look at both books; still: nothing moved on either side meanwhile."""

    lines: list[Line]
    still: bool

    @property
    def differs(self) -> bool:
        return any(line.verdict == DIFFERS for line in self.lines)


class Verdict(NamedTuple):
    outcome: str
    lines: list[Line]


def reconcile_account(
    *, account_id: int, why: str, actor: str = "reconciliation", patience: float = PATIENCE
) -> Reconciliation:
    """Safe to run at any time, and by several at once."""
    account = Account.objects.get(pk=account_id)
    started_at = timezone.now()
    try:
        broker = broker_for(account.adapter, account.code)
        probe(account, broker, anew=why in TOLD)
        verdict = compared(account, broker, patience)
    except BrokerSilent as silence:
        verdict = Verdict(Outcome.UNANSWERED, [Line(ORDER, "answer", "", "", NOTED, note=str(silence)[:200])])
    except LookupError as unknown:
        verdict = Verdict(Outcome.UNANSWERED, [Line(ORDER, "answer", "", "", NOTED, note=str(unknown))])
    return conclude(account_id=account_id, why=why, actor=actor, started_at=started_at, verdict=verdict)


def compared(account: Account, broker: Broker, patience: float) -> Verdict:
    """Looks again while anything moves, and before it says that books differ: then at all fills there ever were."""
    repaired: list[Line] = []
    differs = False
    for attempt in range(ATTEMPTS):
        whole = differs or attempt + 1 == ATTEMPTS
        look = look_at(account, broker, "" if whole else account.fills_seen, Patience(patience))
        differs = look.differs
        fixed = [line for line in look.lines if line.verdict == REPAIRED]
        repaired += fixed
        lines = [line for line in look.lines if line.verdict != REPAIRED]
        if look.still and not look.differs:
            return Verdict(Outcome.REPAIRED if repaired else Outcome.MATCHED, repaired + without_equals(lines))
        if not fixed and attempt + 1 < ATTEMPTS:
            Patience(patience).wait()
    if look.still:
        return Verdict(Outcome.FROZEN, repaired + lines)
    moving = Line(ORDER, "answer", "", "", NOTED, note="orders kept moving while the books were compared")
    return Verdict(Outcome.UNANSWERED, [*repaired, moving])


def without_equals(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line.verdict != EQUAL]


def look_at(account: Account, broker: Broker, cursor: str, patience: Patience) -> Look:
    """Fills first, so that ours has what theirs counts; fills again at the end, so that nothing came in between."""
    known = settled_lines(account)
    taken = take_in_fills(account, broker, cursor, patience)
    lines = take_in_entries(account, broker)
    before = moves_of(account)
    lines += taken.lines + compare_orders(account, broker, patience)
    lines += compare_holdings(account, broker.holdings())
    late, _ = broker.fills_since(taken.cursor)
    still = not late and moves_of(account) == before and not any(line.verdict == REPAIRED for line in lines)
    lines = [noted(line) if (line.kind, line.subject) in known else line for line in lines]
    if not any(line.kind == FILL and line.verdict == DIFFERS for line in lines):
        advance(account, taken.cursor)
    return Look(lines, still)


def moves_of(account: Account) -> tuple[object, ...]:
    """Differs when anything happened to a cell of the account, or to what was confirmed beside them."""
    cells = Position.objects.filter(portfolio__account=account).aggregate(Sum("event_seq"), Count("pk"))
    outside = AccountHolding.objects.filter(account=account).aggregate(Sum("outside"), Count("pk"))
    return (*cells.values(), *outside.values())


def settled_lines(account: Account) -> set[tuple[str, str]]:
    """Orders and fills that a person has looked at and settled: they stay noted, and freeze nothing again."""
    settled = account.reconciliations.exclude(settled_at=None).filter(outcome=Outcome.FROZEN)
    rows = (line for found in settled.values_list("found", flat=True) for line in found)
    return {(line["kind"], line["subject"]) for line in rows if line["kind"] in (ORDER, FILL, ENTRY)}


def noted(line: Line) -> Line:
    return line._replace(verdict=NOTED) if line.verdict == DIFFERS else line


def advance(account: Account, cursor: str) -> None:
    """Only once everything before it is booked, and only from where this reading began."""
    if cursor != account.fills_seen:
        Account.objects.filter(pk=account.pk, fills_seen=account.fills_seen).update(fills_seen=cursor)
        account.fills_seen = cursor


def compare_holdings(account: Account, holdings: Holdings | None) -> list[Line]:
    """What the broker holds beside what our cells hold; of one that began empty, what was traded."""
    if holdings is None:
        return []
    outside = dict(AccountHolding.objects.filter(account=account).values_list("symbol", "outside"))
    if holdings.since_opening:
        if holdings.received is None:
            return shares_side_by_side(TRADED, traded_by(account), holdings.shares, outside)
        lines = shares_side_by_side(TRADED, with_splits(account), holdings.shares, outside)
        return [*lines, received_side_by_side(received_by(account), holdings.received)]
    shares: Counter[str] = Counter()
    cash = 0
    cells = Position.objects.filter(portfolio__account=account)
    for symbol, held, money in cells.values_list("symbol").annotate(Sum("shares"), Sum("cash")):
        shares[symbol] += int(held)
        cash += int(money)
    lines = shares_side_by_side(SHARES, shares, holdings.shares, outside)
    lines = explain_splits(account, lines, market_day_of(account))
    return lines if holdings.cash is None else [*lines, cash_side_by_side(cash, holdings.cash, explained(account))]


def traded_by(account: Account) -> Counter[str]:
    """Net shares by symbol from our executions, what was reversed included."""
    rows = Execution.objects.filter(account=account.code).values_list("order__position__symbol", "order__side")
    traded: Counter[str] = Counter()
    for symbol, side, quantity in rows.annotate(Sum("quantity")):
        traded[symbol] += int(quantity) * (1 if side == "BUY" else -1)
    return traded


def with_splits(account: Account) -> Counter[str]:
    """Shares traded by symbol, and what splits added to cells while they were held here."""
    shares = traded_by(account)
    rows = SplitApplication.objects.filter(account=account.code).values_list("split__symbol")
    for symbol, added in rows.annotate(added=Sum(F("shares_after") - F("shares_before"))):
        shares[symbol] += int(added)
    return shares


def received_by(account: Account) -> int:
    """Net dividends paid to it, in micros."""
    paid = Entitlement.objects.filter(account=account.code, status=Entitlement.Status.PAID)
    return int(paid.aggregate(all=Sum("net", default=0))["all"])


@transaction.atomic
def conclude(*, account_id: int, why: str, actor: str, started_at: datetime, verdict: Verdict) -> Reconciliation:
    """Write down how it went. The same again is counted; an account stays frozen until a person releases it."""
    account = Account.objects.select_for_update(no_key=True).get(pk=account_id)
    found = [line.named for line in verdict.lines]
    last = account.reconciliations.order_by("-pk").first()
    if last and last.outcome == Outcome.UNANSWERED and verdict.outcome != Outcome.UNANSWERED and why == "beat":
        why = "reconnect"
    is_same = last is not None and (last.outcome, last.found, last.settled_at) == (verdict.outcome, found, None)
    if is_same and last and verdict.outcome != Outcome.REPAIRED and why not in TOLD:
        row = last
        row.times += 1
        row.finished_at = timezone.now()
        row.save(update_fields=["times", "finished_at"])
    else:
        row = account.reconciliations.create(
            why=why, outcome=verdict.outcome, found=found, started_at=started_at, finished_at=timezone.now()
        )
        write_events(account, row, verdict, actor, changed=last is None or last.outcome != verdict.outcome)
    note_trust(account, started_at, verdict.outcome)
    return row


SENTENCES = {
    Outcome.MATCHED: "The broker's books and ours are equal.",
    Outcome.REPAIRED: "The broker knew more than we did; it was booked, and the books are equal now.",
    Outcome.FROZEN: "The broker's books differ from ours. Nothing trades here until a person has looked.",
    Outcome.UNANSWERED: "The books could not be compared; nothing is concluded from that.",
}
KINDS = {Outcome.REPAIRED: EventType.REPAIRED, Outcome.FROZEN: EventType.FROZEN}


def write_events(account: Account, row: Reconciliation, verdict: Verdict, actor: str, *, changed: bool) -> None:
    kind = KINDS.get(Outcome(verdict.outcome), EventType.RECONCILED)
    if kind == EventType.RECONCILED and not changed and row.why not in TOLD:
        return
    state = account.state
    if verdict.outcome == Outcome.FROZEN and state == Account.Status.ACTIVE:
        state = Account.Status.FROZEN
    journal = Journal(account, market_at=row.finished_at, actor=actor)
    told = {"outcome": row.outcome, "why": row.why, "count": len(row.found), "lines": row.found[:SHOWN]}
    journal.add(kind, SENTENCES[Outcome(row.outcome)], subject=row.public_id, state=state, outputs=told)
    account.state = state
    journal.write()


def note_trust(account: Account, started_at: datetime, outcome: str) -> None:
    """Whoever was doubted while we compared is doubted still: what counts is when the comparison began."""
    if outcome == Outcome.UNANSWERED:
        return
    account.heard_at = timezone.now()
    if outcome != Outcome.FROZEN and (account.reconciled_at is None or account.reconciled_at < started_at):
        account.reconciled_at = started_at
    account.save(update_fields=["heard_at", "reconciled_at"])


def doubt(*, account_id: int) -> None:
    """Nothing is sent to the account until its books were found equal anew."""
    Account.objects.filter(pk=account_id).update(doubted_at=timezone.now())


def doubt_everywhere() -> int:
    """At a start: every account whose book is kept elsewhere and could have moved without us; how many."""
    elsewhere = Account.objects.exclude(adapter__in=HERE).exclude(state=Account.Status.CLOSED)
    return elsewhere.update(doubted_at=timezone.now())


def reconcile_source(*, source: str, why: str = "start") -> None:
    """Every paper account whose portfolios live by these prices, before the first of them moves.

    The last one first: the workers begin at the other end, and whoever comes second finds it done.
    """
    since = timezone.now()
    accounts = Account.objects.filter(portfolios__source=source, adapter__in=HERE).exclude(state="closed")
    for account_id in accounts.order_by("-pk").values_list("pk", flat=True).distinct():
        if not compared_since(account_id, since):
            reconcile_account(account_id=account_id, why=why)


def compared_since(account_id: int, since: datetime) -> bool:
    """Whether its books were found equal by a comparison that began after that."""
    return Account.objects.filter(pk=account_id, reconciled_at__gte=since).exists()


def prune_reconciliations() -> int:
    """Equal books of long ago are forgotten; whatever was not equal is kept."""
    old = Reconciliation.objects.filter(outcome=Outcome.MATCHED, finished_at__lt=timezone.now() - KEPT)
    return old.delete()[0]
