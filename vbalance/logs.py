"""Structured JSON logs: one line per event, with the ids of request, position, order, key, task and trace if known."""

import logging.config
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any

import structlog

SECRET_WORDS = ("password", "secret", "authorization", "token", "cookie")


def logging_config(*, level: str, service: str) -> None:
    """Send structlog and the standard library's loggers through one JSON renderer to standard error."""

    def add_service(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("service", service)
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
        without_secrets,
    ]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": [*shared, structlog.stdlib.add_logger_name],
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.format_exc_info,
                        structlog.processors.JSONRenderer(),
                    ],
                }
            },
            "filters": {"failures": {"()": "django.utils.log.CallbackFilter", "callback": not_a_readiness_answer}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["failures"]}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                "django.server": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
                "celery": {"level": "WARNING"},
                "axes": {"level": "WARNING"},
            },
        }
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def not_a_readiness_answer(record: logging.LogRecord) -> bool:
    """Django calls every 503 an error; from `/readyz` it is an answer."""
    return getattr(getattr(record, "request", None), "path", "") != "/readyz"


def without_secrets(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A last line of defence: a key that sounds like a secret loses its value."""
    for key in event:
        if sounds_secret(key):
            event[key] = "[hidden]"
    return event


@lru_cache(maxsize=1_000)
def sounds_secret(key: str) -> bool:
    return any(word in key.lower() for word in SECRET_WORDS)
