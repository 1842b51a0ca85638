"""Gives every request an id: taken from the caller if it is decent, echoed in the answer, bound to every log line."""

import re
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

DECENT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
log = structlog.get_logger("vbalance.request")


class RequestIdMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if DECENT_ID.fullmatch(given) else uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id, trace_id=request_id)
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        failed = response.status_code >= 500 and request.path != "/readyz"  # its 503 is an answer, not a failure
        if failed or request.method not in ("GET", "HEAD", "OPTIONS"):
            log.info("request", method=request.method, path=request.path, status=response.status_code)
        return response
