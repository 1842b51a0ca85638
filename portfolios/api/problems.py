"""Every error of the API as one shape: RFC 9457 `application/problem+json` with a stable code."""

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views import defaults
from django.views.csrf import csrf_failure as csrf_page
from rest_framework import exceptions
from rest_framework.response import Response

from portfolios.errors import Refused

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "/docs/api/problems#"


class Fault(NamedTuple):
    """One thing wrong with a body (a JSON pointer as URI fragment) or with the query (the parameter's name)."""

    code: str
    detail: str
    pointer: str = ""
    parameter: str = ""

    def shown(self) -> dict[str, str]:
        return {name: text for name, text in self._asdict().items() if text}


class Problem(exceptions.APIException):
    """An answer other than success, ready to be shown."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail, code)
        self.status_code = status
        self.code = code
        self.text = detail
        self.faults = tuple(faults)
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        return {
            "type": f"{TYPE_PREFIX}{self.code}",
            "title": HTTPStatus(self.status_code).phrase,
            "status": self.status_code,
            "detail": self.text,
            "code": self.code,
            "errors": [fault.shown() for fault in self.faults],
        }


def not_found(thing: str) -> Problem:
    """The same words whether it never was or belongs to somebody else."""
    return Problem(404, f"{thing}_not_found", f"There is no such {thing}.")


def problem_response(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler. None lets what nobody foresaw become a 500 with a log line."""
    problem = problem_from(exc)
    if problem is None:
        return None
    return Response(problem.body(), problem.status_code, headers=problem.headers, content_type=MEDIA_TYPE)


def problem_from(exc: Exception) -> Problem | None:
    match exc:
        case Problem():
            return exc
        case Refused():
            return refusal(exc)
        case exceptions.ValidationError():
            faults = list(faults_in(exc.detail))
            return Problem(422, "invalid_fields", "Some fields cannot be accepted.", faults=faults)
        case Http404():
            return Problem(404, "not_found", "There is nothing at this address.")
        case PermissionDenied():
            return Problem(403, "forbidden", "This is not allowed.")
        case RequestDataTooBig():
            return too_large()
        case OperationalError():
            return Problem(503, "unavailable", "Busy right now; try again.", headers={"Retry-After": "1"})
        case exceptions.APIException():
            return named(exc)
    return None


def refusal(refused: Refused) -> Problem:
    faults = [Fault(refused.code, refused.message, pointer=f"#/{refused.field}")] if refused.field else []
    return Problem(refused.status, refused.code, sentence(refused.message), faults=faults)


def too_large() -> Problem:
    return Problem(413, "body_too_large", "A body may have at most 64 KiB, a file 5 MiB.")


CODES = {
    exceptions.ParseError: "malformed_json",
    exceptions.NotAuthenticated: "not_authenticated",
    exceptions.AuthenticationFailed: "invalid_token",
    exceptions.PermissionDenied: "forbidden",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.Throttled: "too_many_requests",
}


def named(exc: exceptions.APIException) -> Problem:
    """What the framework raised, with our code and the headers the status asks for."""
    headers = {}
    if authenticate := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = authenticate
    if isinstance(exc, exceptions.Throttled):
        headers["Retry-After"] = str(math.ceil(getattr(exc, "wait", None) or 1))
    code = CODES.get(type(exc), "error")
    return Problem(exc.status_code, code, sentence(str(exc.detail)), headers=headers)


def faults_in(detail: Any, path: str = "#") -> Sequence[Fault]:
    """The tree of a serializer's errors as a flat list of pointers."""
    if isinstance(detail, Mapping):
        return [fault for name, part in detail.items() for fault in faults_in(part, below(path, str(name)))]
    if isinstance(detail, list) and any(isinstance(part, Mapping | list) for part in detail):
        return [fault for place, part in enumerate(detail) for fault in faults_in(part, below(path, str(place)))]
    return [Fault(getattr(error, "code", "invalid"), str(error), pointer=path) for error in detail]


def below(path: str, name: str) -> str:
    if name == "non_field_errors":
        return path
    return f"{path}/{name.replace('~', '~0').replace('/', '~1')}"


def sentence(text: str) -> str:
    capital = text[:1].upper() + text[1:]
    return capital if capital.endswith((".", "!", "?")) else f"{capital}."


def wants_problem(request: HttpRequest) -> bool:
    """Whether an error that happens outside the API's own views is answered to a program, not to a person."""
    preferred = request.get_preferred_type(["text/html", "application/json", MEDIA_TYPE])
    return request.path.startswith("/v1/") or preferred in ("application/json", MEDIA_TYPE)


def as_response(problem: Problem) -> JsonResponse:
    return JsonResponse(problem.body(), status=problem.status_code, content_type=MEDIA_TYPE, headers=problem.headers)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if not wants_problem(request):
        return defaults.bad_request(request, exception)
    if isinstance(exception, RequestDataTooBig):
        return as_response(too_large())
    return as_response(Problem(400, "bad_request", "This request cannot be understood."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if not wants_problem(request):
        return defaults.permission_denied(request, exception)
    return as_response(Problem(403, "forbidden", "This is not allowed."))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if not wants_problem(request):
        return defaults.page_not_found(request, exception)
    return as_response(Problem(404, "not_found", "There is nothing at this address."))


def server_error(request: HttpRequest) -> HttpResponseBase:
    if not wants_problem(request):
        return defaults.server_error(request)
    return as_response(Problem(500, "internal_error", "Something broke on our side; the log has it."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    if not wants_problem(request):
        return csrf_page(request, reason)
    return as_response(Problem(403, "csrf_failed", "The CSRF token is missing or wrong."))
