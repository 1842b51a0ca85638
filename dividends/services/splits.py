"""A split of one cell."""

from datetime import date, datetime
from typing import NamedTuple

from django.db import transaction

from dividends.domain.splits import split_holding, split_later
from dividends.models import Split, SplitApplication
from portfolios.domain.amounts import as_text, micros
from portfolios.events import EventType
from portfolios.models import Event, Position
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


class Late(NamedTuple):
    """Shares of an earlier day (signed, micro-shares) as of today; cash in lieu (micros) that came of them.

    since: from each ex-date of a split on, what they had become.
    """

    shares: int
    cash: int
    since: tuple[tuple[date, int], ...]

    def on(self, day: date, traded: int) -> int:
        """What `traded` of them were on a day: after the splits of that day."""
        return next((shares for ex_date, shares in reversed(self.since) if ex_date <= day), traded)


def split_late_shares(position: Position, shares: int, traded_on: date) -> tuple[Late, list[SplitApplication]]:
    """Takes shares (signed) that a locked cell traded before splits through them; with the bookings of splits that this
    changed. The caller books what it comes to.
    """
    rows = SplitApplication.objects.select_for_update(of=("self",)).filter(position=position)
    later = list(rows.filter(split__ex_date__gt=traded_on).select_related("split").order_by("split__ex_date"))
    if not later:
        return Late(shares, 0, ()), []
    lot, closes, cash, since = effective_rules(position).rules.lot, closes_at_splits(position), 0, []
    for row in later:
        split = row.split
        after, in_lieu = split_later(row.shares_before, shares, lot, split.numerator, split.denominator, closes[row.pk])
        row.shares_before += shares
        row.shares_after += after
        row.cash_in_lieu += in_lieu
        row.save(update_fields=["shares_before", "shares_after", "cash_in_lieu"])
        shares, cash = after, cash + in_lieu
        since.append((split.ex_date, shares))
    return Late(shares, cash, tuple(since)), later


def closes_at_splits(position: Position) -> dict[int, int]:
    """The last close (micros) that each split of the cell was booked with, as its log tells, in the same order."""
    told = Event.objects.of(position).filter(type=EventType.SPLIT).order_by("seq")
    keys = SplitApplication.objects.filter(position=position).order_by("pk").values_list("pk", flat=True)
    return {key: micros(event.content["inputs"]["last_close"]) for key, event in zip(keys, told, strict=True)}
