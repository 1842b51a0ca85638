"""The lot of each cell: what its instrument and its account's abilities prescribe, kept on the cell and in its log.

A cell's own column, because every floor decides by it and none may ask per cell. It follows what it is made of: by bell
after a change, and every minute for all.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.db import transaction

from portfolios.bulk import Batch
from portfolios.domain.amounts import MICROS, as_text
from portfolios.models import Account, Position
from portfolios.services.journal import Journal
from portfolios.services.lots import ANY, Lot, heed_lot
from trading.brokers.models import Ability
from trading.market.models import Instrument
from trading.market.selectors import market_now
from trading.risk.selectors import HERE
from trading.services.crowd import CHUNK, locked_cells

MARKET = "market"


class Known(NamedTuple):
    """What is known of instruments by symbol, and of accounts' abilities by code."""

    instruments: dict[str, Instrument]
    abilities: dict[str, Ability]

    def lot(self, symbol: str, account: Account | None) -> Lot:
        """The coarsest that anything asks for; one where nothing does."""
        return max(self.asked(symbol, account), default=ANY, key=lambda lot: lot.micros)

    def asked(self, symbol: str, account: Account | None) -> Iterator[Lot]:
        instrument, ability = self.instruments.get(symbol), self.abilities.get(account.code if account else "")
        if instrument and not instrument.fractional:
            yield Lot(MICROS, f"{symbol} is traded in whole shares only")
        if ability and symbol in ability.whole_only:
            yield Lot(MICROS, f"its broker trades {symbol} in whole shares only")
        if ability and not ability.fractional:
            yield Lot(MICROS, "its account trades whole shares only")
        if instrument and instrument.lot > 1:
            yield Lot(instrument.lot, f"{symbol} is traded in steps of {as_text(instrument.lot)} shares")


def known_of(symbols: Sequence[str], accounts: Sequence[Account]) -> Known:
    """At most two questions."""
    asked = [account.code for account in accounts if account.adapter not in HERE]
    instruments = {row.symbol: row for row in Instrument.objects.filter(symbol__in=symbols)}
    abilities = Ability.objects.filter(account__in=asked) if asked else ()
    return Known(instruments, {row.account: row for row in abilities})


def lot_for(symbol: str, account: Account | None) -> Lot:
    """account: None for a paper one that is still to be made."""
    return known_of([symbol], [account] if account else []).lot(symbol, account)


def heed_lots() -> int:
    """Let every cell follow whose lot is not what instrument and account prescribe; how many. Safe at any time."""
    astray = cells_astray()
    return sum(heed_cells(astray[first : first + CHUNK]) for first in range(0, len(astray), CHUNK))


def cells_astray() -> list[int]:
    """One look at all cells that are not closed, grouped; then at those of the groups that differ."""
    living = Position.objects.exclude(state=Position.Status.CLOSED)
    groups = list(living.order_by().values_list("symbol", "portfolio__account", "lot").distinct())
    accounts = Account.objects.in_bulk({account for _, account, _ in groups})
    known = known_of(sorted({symbol for symbol, _, _ in groups}), list(accounts.values()))
    astray: list[int] = []
    for symbol, account, lot in groups:
        if known.lot(symbol, accounts[account]).micros != lot:
            cells = living.filter(symbol=symbol, portfolio__account=account, lot=lot)
            astray += cells.values_list("pk", flat=True)
    return sorted(astray)


@transaction.atomic
def heed_cells(position_ids: Sequence[int]) -> int:
    """Of at most CHUNK: what is prescribed is read again under their locks. Those that change wake up, by trigger."""
    cells = locked_cells(position_ids)
    accounts = {cell.portfolio.account_id: cell.portfolio.account for cell in cells}
    known = known_of(sorted({cell.symbol for cell in cells}), list(accounts.values()))
    now = {source: market_now(source) for source in {cell.source for cell in cells}}
    batch, changed = Batch(), 0
    for cell in cells:
        journal = Journal(cell, market_at=now[cell.source], actor=MARKET, keep=batch.keep)
        if heed_lot(journal, cell, known.lot(cell.symbol, cell.portfolio.account)):
            journal.write(also=("lot",))
            changed += 1
    batch.write()
    return changed
