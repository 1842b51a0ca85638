"""A dividend's two days: on the ex-date it becomes a receivable, on the pay-date the same amount becomes cash."""

from datetime import datetime

from django.db import transaction

from dividends.domain.payments import anchor_ex_dividend, payment_for
from dividends.models import Dividend, Entitlement
from portfolios.domain.amounts import as_text
from portfolios.events import EventType
from portfolios.models import Position
from portfolios.selectors import effective_rules
from portfolios.services.journal import Journal


@transaction.atomic
def go_ex_dividend(*, position_id: int, dividend: Dividend, market_at: datetime) -> Entitlement | None:
    """Book the receivable and lower the anchor, once. Call it before the first evaluation of the ex-date.

    None when this cell has been through it already.
    """
    position = Position.objects.locked().get(pk=position_id)
    if Entitlement.objects.filter(position=position, dividend=dividend).exists():
        return None
    effective = effective_rules(position)
    payment = payment_for(position.shares, dividend.dps, effective.rules.withholding)
    anchor = anchor_ex_dividend(position.anchor, dividend.dps)
    entitlement = Entitlement.objects.create(
        position=position,
        dividend=dividend,
        shares=position.shares,
        withholding=effective.rules.withholding,
        account=position.portfolio.account.code,
        **payment._asdict(),
    )
    journal = Journal(position, market_at=market_at, actor="market", effective=effective)
    before = position.anchor
    journal.add(
        EventType.EX_DIVIDEND,
        f"Ex-dividend {as_text(dividend.dps)} a share: {as_text(payment.net)} to come "
        f"after {as_text(payment.tax)} tax; anchor {as_text(before)} to {as_text(anchor)}.",
        receivable=payment.net,
        anchor=anchor,
        inputs={
            "shares": as_text(position.shares),
            "dps": as_text(dividend.dps),
            "ex_date": dividend.ex_date,
            "pay_date": dividend.pay_date,
            "pay_date_assumed": dividend.pay_date_assumed,
            "anchor": as_text(before),
        },
        outputs={name: as_text(amount) for name, amount in payment._asdict().items()} | {"anchor": as_text(anchor)},
    )
    if before and not anchor:
        pause_without_anchor(journal, position)
    journal.write()
    return entitlement


def pause_without_anchor(journal: Journal, position: Position) -> None:
    journal.add(EventType.ANCHOR_CLEARED, "The dividend is as large as the anchor: the anchor is gone.")
    if position.state == Position.Status.ACTIVE:
        journal.add(EventType.PAUSED, "The cell pauses until a person has looked.", state=Position.Status.PAUSED)


@transaction.atomic
def pay_dividend(*, entitlement_id: int, market_at: datetime) -> bool:
    """Turn the receivable into cash, once; whether this call did it."""
    position_id = Entitlement.objects.values_list("position_id", flat=True).get(pk=entitlement_id)
    position = Position.objects.locked().get(pk=position_id)
    entitlement = Entitlement.objects.select_related("dividend").get(pk=entitlement_id)
    if entitlement.status != Entitlement.Status.RECEIVABLE:
        return False
    entitlement.status = Entitlement.Status.PAID
    entitlement.save(update_fields=["status"])
    journal = Journal(position, market_at=market_at, actor="market")
    journal.add(
        EventType.DIVIDEND_PAID,
        f"Dividend of {as_text(entitlement.net)} paid.",
        receivable=-entitlement.net,
        cash=entitlement.net,
        inputs={"ex_date": entitlement.dividend.ex_date, "pay_date": entitlement.dividend.pay_date},
    )
    journal.write()
    return True
