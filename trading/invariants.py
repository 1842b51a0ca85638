"""What must hold of cells, orders and their log, asked of the database in one statement per group of portfolios."""

from collections.abc import Collection, Iterator
from functools import cache

from portfolios.models import Portfolio
from portfolios.prepared import execute, numbered

AT_ONCE = 200
OPEN = "('new', 'sending', 'unknown', 'accepted', 'partially_filled', 'cancelling')"
BROUGHT = "('position_created', 'deposited', 'withdrawn', 'adjusted')"
ENDS = "('order_filled', 'order_cancelled', 'order_rejected', 'order_expired')"
AFTER_THE_END = "('late_fill', 'correction', 'overfill', 'anchor_updated', 'reevaluated', 'quarantined', 'repaired')"
MOVES_THE_ANCHOR = (
    "('position_created', 'anchor_set', 'anchor_reset', 'anchor_cleared', 'anchor_updated', 'ex_dividend', 'split')"
)

# Everything the laws ask about, of some portfolios only. `told` is what the log says, `made` what the other tables say.
SCENE = f"""
WITH cells AS MATERIALIZED (
    SELECT * FROM portfolios_position WHERE portfolio_id = ANY(%s::bigint[])
), facts AS MATERIALIZED (
    SELECT event.stream_id, event.seq, event.type, event.subject, event.d_shares, event.d_cash, event.d_receivable,
           event.d_reserved_cash, event.d_reserved_shares, event.anchor_after, event.state_after, event.hash,
           event.prev_hash, lag(event.seq, 1, 0::bigint) OVER stream AS seq_before,
           lag(event.hash) OVER stream AS hash_before,
           lag(event.anchor_after, 1, 0::bigint) OVER stream AS anchor_before
      FROM cells JOIN portfolios_event AS event ON event.stream_id = cells.public_id
    WINDOW stream AS (PARTITION BY event.stream_id ORDER BY event.seq)
), orders AS MATERIALIZED (
    SELECT placed.*, cells.public_id AS cell, cells.portfolio_id
      FROM cells JOIN trading_order AS placed ON placed.position_id = cells.id
), fills AS MATERIALIZED (
    SELECT execution.*, orders.position_id, CASE orders.side WHEN 'BUY' THEN 1 ELSE -1 END AS sign,
           (execution.reverses_id IS NULL AND undone.id IS NULL) AS stands
      FROM orders JOIN trading_execution AS execution ON execution.order_id = orders.id
      LEFT JOIN trading_execution AS undone ON undone.reverses_id = execution.id
), told AS (
    SELECT stream_id, sum(d_shares) AS shares, sum(d_cash) AS cash, sum(d_receivable) AS receivable,
           sum(d_reserved_cash) AS reserved_cash, sum(d_reserved_shares) AS reserved_shares, max(seq) AS seq,
           coalesce(sum(d_shares) FILTER (WHERE type IN {BROUGHT}), 0) AS shares_brought,
           coalesce(sum(d_cash) FILTER (WHERE type IN {BROUGHT}), 0) AS cash_brought
      FROM facts GROUP BY stream_id
), made AS (
    SELECT cells.id,
           (SELECT coalesce(sum(sign * quantity), 0) FROM fills WHERE position_id = cells.id) AS shares_traded,
           (SELECT coalesce(sum(-sign * notional - commission), 0) FROM fills WHERE position_id = cells.id)
           AS cash_traded,
           (SELECT coalesce(sum(net) FILTER (WHERE status = 'paid'), 0) FROM dividends_entitlement
             WHERE position_id = cells.id) AS paid,
           (SELECT coalesce(sum(net) FILTER (WHERE status = 'receivable'), 0) FROM dividends_entitlement
             WHERE position_id = cells.id) AS owed,
           (SELECT coalesce(sum(shares_after - shares_before), 0) FROM dividends_splitapplication
             WHERE position_id = cells.id) AS shares_split,
           (SELECT coalesce(sum(cash_in_lieu), 0) FROM dividends_splitapplication
             WHERE position_id = cells.id) AS in_lieu
      FROM cells
), tallies AS (
    SELECT order_id, sum(quantity) AS quantity, sum(notional) AS notional, sum(commission) AS fee,
           coalesce(sum(quantity::numeric * price) FILTER (WHERE stands), 0) AS exact,
           coalesce(sum(reported_fee) FILTER (WHERE stands), 0) AS reported,
           count(*) FILTER (WHERE stands) AS standing, count(reported_fee) FILTER (WHERE stands) AS named,
           bool_or(NOT stands) AS corrected
      FROM fills GROUP BY order_id
), lives AS (
    SELECT orders.id, count(*) FILTER (WHERE facts.type IN {ENDS}) AS ends,
           min(facts.seq) FILTER (WHERE facts.type = 'order_intent') AS intended,
           min(facts.seq) FILTER (WHERE facts.type IN {ENDS}) AS ended,
           min(facts.type) FILTER (WHERE facts.type IN {ENDS}) AS how,
           max(facts.seq) FILTER (WHERE facts.type NOT IN {AFTER_THE_END}) AS lived,
           count(*) FILTER (WHERE facts.type = 'anchor_updated') AS anchored,
           min(facts.seq) FILTER (WHERE facts.type = 'anchor_updated') AS anchored_in,
           min(facts.anchor_after) FILTER (WHERE facts.type = 'anchor_updated') AS anchor,
           coalesce(bool_or(facts.type IN ('late_fill', 'overfill', 'correction')), false) AS amended,
           coalesce(bool_or(facts.type = 'order_proposed'), false) AS proposed,
           coalesce(sum(facts.d_reserved_cash)
                    FILTER (WHERE facts.d_reserved_cash > 0 AND facts.type <> 'correction'), 0) AS promised
      FROM orders LEFT JOIN facts ON facts.stream_id = orders.cell AND facts.subject = orders.public_id
     GROUP BY orders.id
)
"""
CELL = "FROM cells JOIN told ON told.stream_id = cells.public_id JOIN made USING (id)"
ORDER = "FROM orders JOIN lives USING (id) LEFT JOIN tallies ON tallies.order_id = orders.id"
TRADED = f"{ORDER} WHERE tallies.order_id IS NOT NULL AND"
# The fee of what was bought by our own rule; what a buy had to be promised at the least when it left.
OUR_FEE = "greatest(commission_min, ceil(orders.notional::numeric * commission_rate / 1000000))"
LEAST = "ceil(orders.quantity::numeric * coalesce(limit_price, decision_price) / 1000000)"


def of_cells(law: str, found: str, expected: str) -> str:
    """Both must be equal, of every cell."""
    words = f"concat({found}, ', not ', {expected})"
    return f"SELECT public_id::text, '{law}', {words} {CELL} WHERE {found} IS DISTINCT FROM {expected}"


def of_orders(law: str, words: str, wrong: str, *, of: str = f"{ORDER} WHERE") -> str:
    return f"SELECT 'order ' || orders.public_id, '{law}', {words}::text {of} {wrong}"


LAWS = (
    of_cells("shares are the fold of its events", "cells.shares", "told.shares"),
    of_cells("cash is the fold of its events", "cells.cash", "told.cash"),
    of_cells("the receivable is the fold of its events", "cells.receivable", "told.receivable"),
    of_cells("reserved cash is the fold of its events", "cells.reserved_cash", "told.reserved_cash"),
    of_cells("reserved shares are the fold of its events", "cells.reserved_shares", "told.reserved_shares"),
    of_cells("its head is its last event", "cells.event_seq", "told.seq"),
    of_cells(
        "shares are what was brought, traded and split", "cells.shares", "shares_brought + shares_traded + shares_split"
    ),
    of_cells(
        "cash is what was brought, traded, paid and given in lieu",
        "cells.cash",
        "cash_brought + cash_traded + paid + in_lieu",
    ),
    of_cells("the receivable is what is owed", "cells.receivable", "made.owed"),
    "SELECT cells.public_id::text, 'anchor, state and hash are those of its last event', facts.anchor_after::text"
    "  FROM cells JOIN facts ON facts.stream_id = cells.public_id AND facts.seq = cells.event_seq"
    " WHERE (cells.anchor, cells.state, cells.event_hash) <> (facts.anchor_after, facts.state_after, facts.hash)",
    "SELECT public_id::text, 'it has events', '' FROM cells"
    " WHERE NOT EXISTS (SELECT FROM facts WHERE stream_id = public_id)",
    "SELECT public_id::text, 'nothing is below zero unless quarantined', concat(shares, ' shares, ', cash, ' cash')"
    "  FROM cells WHERE (least(shares, cash) < 0 AND state <> 'quarantined') OR least(receivable, anchor) < 0",
    "SELECT public_id::text, 'what is reserved is what its open order needs', concat(reserved_cash, ', ',"
    "       reserved_shares) FROM cells WHERE (reserved_cash, reserved_shares) <> (SELECT"
    "       coalesce(sum(orders.reserved_cash), 0), coalesce(sum(orders.reserved_shares), 0) FROM orders"
    f"      WHERE position_id = cells.id AND status IN {OPEN})",
    "SELECT public_id::text, 'nothing is promised that it has not', concat(cash, ' cash, ', reserved_cash, ' reserved')"
    "  FROM cells WHERE state <> 'quarantined' AND (reserved_cash > greatest(cash, 0) OR reserved_shares > shares)"
    "   AND NOT EXISTS (SELECT FROM facts"
    "                    WHERE stream_id = public_id AND type IN ('correction', 'overfill', 'late_fill'))",
    "SELECT cell::text, 'one open order at the most', count(*)::text"
    f" FROM orders WHERE status IN {OPEN} GROUP BY cell HAVING count(*) > 1",
    "SELECT stream_id::text, 'events are gapless', concat(seq, ' after ', seq_before)"
    "  FROM facts WHERE seq <> seq_before + 1",
    "SELECT stream_id::text, 'events are chained', seq::text FROM facts WHERE hash_before <> prev_hash",
    "SELECT stream_id::text, 'only what may moves the anchor', concat(seq, ' ', type)"
    f"  FROM facts WHERE anchor_after <> anchor_before AND type NOT IN {MOVES_THE_ANCHOR}",
    of_orders(
        "nothing stays reserved after its end",
        "status",
        f"orders.status NOT IN {OPEN} AND (orders.reserved_cash, orders.reserved_shares) <> (0, 0)",
    ),
    of_orders(
        "a sale has reserved what is left to sell",
        "orders.reserved_shares",
        f"orders.status IN {OPEN} AND orders.reserved_shares <>"
        " CASE side WHEN 'SELL' THEN orders.quantity - filled_quantity ELSE 0 END",
    ),
    of_orders(
        "a buy has reserved what is left of its promise",
        "orders.reserved_cash",
        f"orders.status IN {OPEN} AND orders.reserved_cash <>"
        " CASE side WHEN 'BUY' THEN greatest(promised - orders.notional - orders.fee, 0) ELSE 0 END",
    ),
    of_orders(
        "a buy leaves with what it may cost promised",
        "promised",
        "side = 'BUY' AND sent_at IS NOT NULL"
        " AND (limit_price IS NOT NULL OR NOT proposed)"  # a proposal is promised what it costs when it is approved
        f" AND promised < {LEAST} + greatest(commission_min, ceil({LEAST} * commission_rate / 1000000))",
    ),
    of_orders(
        "fills add up to what it filled", "filled_quantity", "orders.filled_quantity <> coalesce(tallies.quantity, 0)"
    ),
    of_orders(
        "fills add up to its notional and fee",
        "orders.notional",
        "(orders.notional, orders.fee) <> (coalesce(tallies.notional, 0), coalesce(tallies.fee, 0))",
    ),
    of_orders(
        "its totals are those of the fills that stand",
        "orders.gross",
        "orders.gross::numeric * 1000000 + orders.rest <> coalesce(tallies.exact, 0)",
    ),
    of_orders(
        "a buyer pays up, a seller receives down",
        "orders.notional",
        "orders.notional <> CASE side WHEN 'BUY' THEN ceil(exact / 1000000) ELSE floor(exact / 1000000) END",
        of=TRADED,
    ),
    of_orders(
        "parts cost what the whole costs",
        "orders.fee",
        f"named = 0 AND standing > 0 AND orders.fee <> {OUR_FEE}",
        of=TRADED,
    ),
    of_orders(
        "a fee that was named is the fee", "orders.fee", "named = standing AND orders.fee <> reported", of=TRADED
    ),
    of_orders(
        "an open order has something left to fill",
        "status",
        f"orders.status IN {OPEN} AND filled_quantity >= orders.quantity",
    ),
    of_orders(
        "nothing filled before it left or was accepted",
        "status",
        "orders.status IN ('proposed', 'new', 'sending', 'unknown', 'accepted') AND filled_quantity <> 0"
        " AND NOT coalesce(corrected, false)",
    ),
    of_orders(
        "partly filled means in part",
        "filled_quantity",
        "orders.status = 'partially_filled' AND filled_quantity <= 0 AND NOT coalesce(corrected, false)",
    ),
    of_orders(
        "filled means filled",
        "filled_quantity",
        "orders.status = 'filled' AND filled_quantity < orders.quantity AND NOT coalesce(corrected, false)",
    ),
    of_orders(
        "it ends once, and its log says so",
        "ends",
        f"ends <> CASE WHEN orders.status IN {OPEN} OR orders.status = 'proposed' THEN 0 ELSE 1 END",
    ),
    of_orders("it ended as its log says", "how", "how <> 'order_' || orders.status"),
    of_orders(
        "no split meets an open order",
        "lives.intended",
        "EXISTS (SELECT FROM facts WHERE facts.stream_id = orders.cell AND facts.type = 'split'"
        " AND facts.seq > lives.intended AND (ended IS NULL OR facts.seq < ended)) AND orders.status <> 'proposed'",
    ),
    of_orders("after its end only late fills and corrections follow", "lived", "lived > ended"),
    of_orders("it moves the anchor once, at its end", "anchored_in", "anchored > 1 OR anchored_in <> ended + 1"),
    of_orders(
        "an end with something filled moves the anchor",
        "ends",
        "ends = 1 AND NOT amended AND (anchored = 1) <> (filled_quantity > 0)",
    ),
    of_orders(
        "the anchor is its average fill",
        "anchor",
        "anchored = 1 AND NOT amended AND anchor <> floor(exact / filled_quantity)",
        of=TRADED,
    ),
    "SELECT 'order ' || orders.public_id, 'nothing leaves after a halt', orders.sent_at::text"
    "  FROM orders JOIN portfolios_portfolio AS portfolio ON portfolio.id = orders.portfolio_id"
    "  JOIN risk_halt AS halt ON halt.scope = 'global' OR halt.portfolio_id = portfolio.id"
    "       OR halt.account_id = portfolio.account_id OR halt.position_id = orders.position_id"
    " WHERE orders.sent_at > halt.halted_at + interval '1 second'"
    "   AND (halt.rearmed_at IS NULL OR orders.sent_at < halt.rearmed_at)",
)


def broken_invariants(portfolio_ids: Collection[int] | None = None) -> list[str]:
    """One line for everything that does not hold, of these portfolios or of all. Writes nothing.

    The hashes themselves are for `portfolios.services.verification`: here the log is held against the other tables.
    """
    asked = sorted(Portfolio.objects.values_list("pk", flat=True) if portfolio_ids is None else portfolio_ids)
    groups = (asked[first : first + AT_ONCE] for first in range(0, len(asked), AT_ONCE))
    return [line for group in groups for line in broken_in(group)]


def broken_in(portfolio_ids: list[int]) -> Iterator[str]:
    for subject, law, detail in execute(statement(), [portfolio_ids]):
        yield f"{subject}: {law} ({detail})"


@cache
def statement() -> str:
    return numbered(SCENE + "\nUNION ALL ".join(LAWS))
