"""A split of one cell."""

from datetime import datetime

from django.db import transaction

from dividends.domain.splits import split_holding
from dividends.models import Split, SplitApplication
from portfolios.domain.amounts import as_text
from portfolios.events import EventType
from portfolios.models import Position
from portfolios.selectors import effective_rules
from portfolios.services.journal import Journal


@transaction.atomic
def apply_split(*, position_id: int, split: Split, last_close: int, market_at: datetime) -> SplitApplication | None:
    """Shares times n/m, anchor times m/n, a fraction that cannot be held as cash in lieu (last_close in micros).

    Once: None when the cell has been split already. The caller has ended the cell's open order before.
    """
    position = Position.objects.locked().get(pk=position_id)
    if SplitApplication.objects.filter(position=position, split=split).exists():
        return None
    effective = effective_rules(position)
    before = position.holding
    after = split_holding(
        before.shares, before.anchor, effective.rules.lot, split.numerator, split.denominator, last_close
    )
    journal = Journal(position, market_at=market_at, actor="market", effective=effective)
    journal.add(
        EventType.SPLIT,
        f"Split {split.numerator} for {split.denominator}: {as_text(before.shares)} shares become "
        f"{as_text(after.shares)}, anchor {as_text(before.anchor)} becomes {as_text(after.anchor)}.",
        shares=after.shares - before.shares,
        cash=after.cash_in_lieu,
        anchor=after.anchor,
        inputs={
            "numerator": split.numerator,
            "denominator": split.denominator,
            "last_close": as_text(last_close),
            "shares": as_text(before.shares),
            "anchor": as_text(before.anchor),
        },
        outputs={name: as_text(amount) for name, amount in after._asdict().items()},
    )
    journal.write()
    return SplitApplication.objects.create(
        position=position,
        split=split,
        shares_before=before.shares,
        shares_after=after.shares,
        cash_in_lieu=after.cash_in_lieu,
        account=position.portfolio.account.code,
    )
