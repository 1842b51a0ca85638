"""What beat rings, and how often. Every entry expires before the next one, so a sleeping worker finds no pile."""

from celery.schedules import crontab

BEAT_SCHEDULE = {
    "poll prices": {"task": "trading.tasks.poll_prices", "schedule": 1.0, "options": {"expires": 1}},
    "ring waiting": {"task": "trading.tasks.ring_waiting", "schedule": 3.0, "options": {"expires": 3}},
    "expire proposals": {"task": "trading.tasks.expire_proposals", "schedule": 10.0, "options": {"expires": 10}},
    "ring inbox": {"task": "trading.tasks.ring_inbox", "schedule": 3.0, "options": {"expires": 3}},
    "ring runs": {"task": "trading.tasks.ring_runs", "schedule": 5.0, "options": {"expires": 5}},
    "ring sweeps": {"task": "trading.tasks.ring_sweeps", "schedule": 5.0, "options": {"expires": 5}},
    "check dividends": {"task": "trading.tasks.check_dividends", "schedule": 60.0, "options": {"expires": 60}},
    "pay dividends": {"task": "trading.tasks.pay_dividends", "schedule": 60.0, "options": {"expires": 60}},
    "reconcile accounts": {"task": "trading.tasks.reconcile_accounts", "schedule": 60.0, "options": {"expires": 60}},
    "prune reconciliations": {
        "task": "trading.tasks.prune_reconciliations",
        "schedule": crontab(hour="3", minute="50"),
        "options": {"expires": 3600},
    },
    "keep snapshots": {"task": "vbalance.tasks.keep_snapshots", "schedule": 60.0, "options": {"expires": 60}},
    "verify events": {
        "task": "portfolios.tasks.verify_events",
        "schedule": crontab(hour="3", minute="30"),
        "options": {"expires": 3600},
    },
    "audit": {
        "task": "trading.tasks.audit",
        "schedule": crontab(hour="3", minute="35"),
        "options": {"expires": 3600},
    },
    "export heads": {
        "task": "portfolios.tasks.export_heads",
        "schedule": crontab(hour="3", minute="40"),
        "options": {"expires": 3600},
    },
    "forget heartbeats": {
        "task": "trading.tasks.forget_old_heartbeats",
        "schedule": crontab(hour="3", minute="50"),
        "options": {"expires": 3600},
    },
    "forget undone runs": {
        "task": "trading.tasks.forget_undone_runs",
        "schedule": crontab(hour="3", minute="55"),
        "options": {"expires": 3600},
    },
    "forget old refusals": {
        "task": "trading.tasks.forget_old_refusals",
        "schedule": crontab(hour="4", minute="0"),
        "options": {"expires": 3600},
    },
    "sweep bars": {
        "task": "trading.tasks.sweep_bars",
        "schedule": crontab(hour="4", minute="5"),
        "options": {"expires": 3600},
    },
    "make quote months": {
        "task": "trading.tasks.make_quote_months",
        "schedule": crontab(hour="0", minute="10"),
        "options": {"expires": 3600},
    },
    "move old quotes": {
        "task": "trading.tasks.move_old_quotes",
        "schedule": crontab(hour="4", minute="20"),
        "options": {"expires": 3600},
    },
    "beat alive": {"task": "vbalance.tasks.note_beat", "schedule": 5.0, "options": {"expires": 5}},
}
