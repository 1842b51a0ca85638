"""Bells of the ground floor, and what every bell of the house does: bind its log lines, keep what failed for good."""

import traceback
from datetime import datetime
from typing import Any

import structlog
from celery import Task, current_app, shared_task
from django.utils import timezone
from kombu.utils.uuid import uuid

from portfolios.identity.services import forget_old_sessions
from portfolios.models import FailedTask
from portfolios.services import heads
from portfolios.services.ends import rows_astray
from portfolios.services.failed_tasks import note_replay
from portfolios.services.idempotency import forget_old_keys
from portfolios.services.verification import differing_rows
from portfolios.services.verification import verify_events as verify

log = structlog.get_logger(__name__)
CARRIED = ("request_id", "trace_id", "idempotency_key")
NAMED = ("position_id", "order_id")


class Bell(Task):
    """A task that carries the request's id into the worker and leaves a FailedTask row when it fails for good."""

    abstract = True

    def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:
        headers = {**(options.pop("headers", None) or {}), **carried()}
        return super().apply_async(args, kwargs, headers=headers, **options)

    def ring(self, *, expires: datetime, **keys: int | str | list[int]) -> None:
        """The same message at half the price: a bell has no parent, result, chain or countdown to look for."""
        amqp = self.app.amqp
        message = amqp.as_task_v2(uuid(), self.name, kwargs=keys, expires=expires, ignore_result=True)
        route = amqp.router.route({}, self.name, (), keys)
        with self.app.producer_or_acquire() as producer:
            amqp.send_task_message(producer, self.name, message, headers=carried(), **route)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        request = self.request
        given = {name: getattr(request, name, None) or (request.headers or {}).get(name) for name in CARRIED}
        known = {name: value for name, value in given.items() if value}
        named = {name: kwargs[name] for name in NAMED if name in kwargs}
        with structlog.contextvars.bound_contextvars(task_id=request.id, **known, **named):
            result = super().__call__(*args, **kwargs)
            if known:  # somebody asked for it: say that it was done; the robot's own bells are too many to mention
                log.info("bell answered", task=self.name)
            return result

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        log.error("task failed", task=self.name, task_id=task_id, error=str(exc))
        keep_failure(self.name, task_id, list(args), dict(kwargs), exc)


def carried() -> dict[str, Any]:
    """What a bell's log lines share with those of the request that rang it."""
    context = structlog.contextvars.get_contextvars()
    return {name: context[name] for name in CARRIED if name in context}


def keep_failure(task: str, task_id: str, args: list[Any], kwargs: dict[str, Any], exc: Exception) -> None:
    """One row for one bell that keeps failing: a sweeper that rings it again must not fill the table."""
    row, created = FailedTask.objects.get_or_create(
        task=task, args=args, kwargs=kwargs, replayed_at=None, defaults={"task_id": task_id}
    )
    row.task_id = task_id
    row.error = f"{type(exc).__name__}: {exc}"[:500]
    row.traceback = "".join(traceback.format_exception(exc))
    row.times += 0 if created else 1
    row.save()


def ring_again(failed: FailedTask) -> None:
    """Send it, then note that it was sent: a crash between the two rings twice rather than never.

    Raises LookupError for a task that no longer exists, and what the broker raises when it is down.
    """
    current_app.loader.import_default_modules()
    current_app.tasks[failed.task].apply_async(failed.args, failed.kwargs)
    note_replay(failed_task_id=failed.pk)


@shared_task(base=Bell)
def verify_events() -> None:
    """Nightly: the log against itself, what was published and the rows; old idempotency keys and sessions go."""
    published = heads.newest_kept()
    verified = verify(published.heads if published else None)
    differing = [*differing_rows(), *rows_astray()]
    forget_old_keys()
    forget_old_sessions()
    log.info("events verified", events=verified.events, findings=len(verified.findings), differing=len(differing))
    if verified.findings or differing:
        raise RuntimeError(f"{len(verified.findings)} findings, {len(differing)} rows differ from their events")


@shared_task(base=Bell)
def export_heads() -> None:
    """Nightly: where every stream ends, signed and kept outside the database."""
    path = heads.export_heads(at=timezone.now())
    log.info("heads exported", file=str(path), public_key=heads.public_key())
