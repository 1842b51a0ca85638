"""What beat rings, and how often. Every entry expires before the next one, so a sleeping worker finds no pile."""

from typing import Any

from celery.schedules import crontab


def every(seconds: int, task: str) -> dict[str, Any]:
    return {"task": task, "schedule": float(seconds), "options": {"expires": seconds}}


def nightly(at: str, task: str) -> dict[str, Any]:
    """at: HH:MM, UTC."""
    hour, minute = at.split(":")
    return {"task": task, "schedule": crontab(hour=hour, minute=minute), "options": {"expires": 3_600}}


BEAT_SCHEDULE = {
    "poll prices": every(1, "trading.tasks.poll_prices"),
    "ring waiting": every(3, "trading.tasks.ring_waiting"),
    "ring inbox": every(3, "trading.tasks.ring_inbox"),
    "ring runs": every(5, "trading.tasks.ring_runs"),
    "ring sweeps": every(5, "trading.tasks.ring_sweeps"),
    "beat alive": every(5, "vbalance.tasks.note_beat"),
    "expire proposals": every(10, "trading.tasks.expire_proposals"),
    "check dividends": every(60, "trading.tasks.check_dividends"),
    "pay dividends": every(60, "trading.tasks.pay_dividends"),
    "reconcile accounts": every(60, "trading.tasks.reconcile_accounts"),
    "heed lots": every(60, "trading.tasks.heed_lots"),
    "keep snapshots": every(60, "vbalance.tasks.keep_snapshots"),
    "make quote months": nightly("0:10", "trading.tasks.nightly.make_quote_months"),
    "verify events": nightly("3:30", "portfolios.tasks.verify_events"),
    "audit": nightly("3:35", "trading.tasks.nightly.audit"),
    "export heads": nightly("3:40", "portfolios.tasks.export_heads"),
    "forget heartbeats": nightly("3:50", "trading.tasks.nightly.forget_old_heartbeats"),
    "prune reconciliations": nightly("3:50", "trading.tasks.nightly.prune_reconciliations"),
    "forget undone runs": nightly("3:55", "trading.tasks.nightly.forget_undone_runs"),
    "forget old refusals": nightly("4:00", "trading.tasks.nightly.forget_old_refusals"),
    "sweep bars": nightly("4:05", "trading.tasks.nightly.sweep_bars"),
    "move old quotes": nightly("4:20", "trading.tasks.nightly.move_old_quotes"),
}
