"""What happens to every request: the true address, an id for the logs, a body in one piece, a content policy."""

import io
import re
import uuid
from collections.abc import Callable

import structlog
from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from gunicorn.http.errors import ParseException

from vbalance.addresses import client_address

DATA = ("application/json", "application/problem+json")
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
DECENT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
Answerer = Callable[[HttpRequest], HttpResponse]
log = structlog.get_logger("vbalance.request")


class ClientAddressMiddleware:
    """Writes into REMOTE_ADDR, where lockout, throttles, sessions and logs look, who stands before our own proxies."""

    def __init__(self, get_response: Answerer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.TRUSTED_PROXIES:
            peer, forwarded = request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", "")
            request.META["REMOTE_ADDR"] = client_address(peer, forwarded, settings.TRUSTED_PROXIES)
        return self.get_response(request)


class RequestIdMiddleware:
    """An id for every request: taken from the caller if it is decent, echoed in the answer, bound to every log line."""

    def __init__(self, get_response: Answerer) -> None:
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
            told = {"method": request.method, "path": request.path, "status": response.status_code}
            log.info("request", **told, client=request.META.get("REMOTE_ADDR", ""))
        return response


class ChunkedBodyMiddleware:
    """A body that comes in chunks, without its length, is read here: Django would take it for an empty one."""

    def __init__(self, get_response: Answerer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.META.get("HTTP_TRANSFER_ENCODING"):
            body = read_chunks(request)
            request.META["CONTENT_LENGTH"] = str(len(body))
            request._stream = io.BytesIO(body)
        return self.get_response(request)


def read_chunks(request: HttpRequest) -> bytes:
    """Raises BadRequest for what breaks off or is no chunk, RequestDataTooBig."""
    try:
        body: bytes = request.META["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    except (OSError, ParseException):
        raise BadRequest("The body's chunks are broken.") from None
    if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise RequestDataTooBig("The body is too large.")
    return body


class ContentPolicyMiddleware(CSPMiddleware):
    """What is data may do nothing in a browser, and that is said without composing the pages' policy."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.headers.get("Content-Type", "").startswith(DATA):
            response.headers.setdefault(HEADER, NOTHING)
            return response
        return super().process_response(request, response)
