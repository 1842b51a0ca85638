"""The cells of a portfolio as they stand, for a storm: one price each, the settings in force."""

from collections import defaultdict
from collections.abc import Sequence

from portfolios.models import Portfolio, Position
from portfolios.selectors import effective_rules
from trading.market.selectors import market_now, newest_quotes
from trading.sight import see
from trading.simulation.storm import Sailor


def crew_of(portfolio: Portfolio) -> list[Sailor]:
    """Those that are not closed and have a price; the number of queries depends on the number of sources only."""
    related = ("portfolio__settings_version", "settings_version")
    found = Position.objects.filter(portfolio=portfolio).exclude(state=Position.Status.CLOSED)
    return sailors_of(list(found.select_related(*related).order_by("symbol", "pk")))


def sailors_of(positions: Sequence[Position]) -> list[Sailor]:
    symbols: dict[str, set[str]] = defaultdict(set)
    for position in positions:
        symbols[position.source].add(position.symbol)
    quotes = {source: newest_quotes(wanted, source) for source, wanted in symbols.items()}
    clocks = {source: market_now(source) for source in symbols}
    sailors = []
    for position in positions:
        quote = quotes[position.source].get(position.symbol)
        if quote:
            rules = effective_rules(position).rules
            price = see(quote, clocks[position.source], rules).price
            sailors.append(Sailor(position.symbol, position.holding, rules, price))
    return sailors
