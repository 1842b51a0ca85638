"""The audit: the log against itself and what was published, its rows, and what must hold whatever happens."""

from collections.abc import Iterator

from portfolios.services.ends import rows_astray
from portfolios.services.guards import log_guards_missing
from portfolios.services.heads import newest_kept
from portfolios.services.verification import differing_rows, verify_events
from trading.invariants import broken_invariants


def audited() -> Iterator[str]:
    """Everything that does not hold, one line each. Raises Forged where the newest file of heads is not ours."""
    published = newest_kept()
    for finding in verify_events(published.heads if published else None).findings:
        yield f"log {finding.stream_id} #{finding.seq}: {finding.problem}"
    for position, folded in differing_rows():
        yield f"row {position.public_id} {position.symbol}: {position.folded} should be {folded}"
    yield from (f"row {astray}" for astray in rows_astray())
    yield from unsound()


def unsound() -> Iterator[str]:
    """What neither the chain of the log nor its fold can show."""
    yield from (f"invariant {line}" for line in broken_invariants())
    yield from (f"guard {line}" for line in log_guards_missing())
