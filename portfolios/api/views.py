"""What every door of the API has in common."""

from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar

import structlog
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portfolios.api.pagination import SignedCursorPagination
from portfolios.api.serializers import NoQuery, StrictSerializer, read_query
from portfolios.services.idempotency import Answer, answer_once, fingerprint_of, read_key


class ApiView(APIView):
    """Scopes and query parameters are declared per method; what is not declared is refused.

    `idempotent` says where an Idempotency-Key is heeded: "required" or "optional"; `conditional` where If-Match is
    required, the answers of which carry an ETag.
    """

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    scopes: ClassVar[dict[str, str]] = {}
    queries: ClassVar[dict[str, type[StrictSerializer]]] = {}
    idempotent: ClassVar[dict[str, str]] = {}
    conditional: ClassVar[tuple[str, ...]] = ()
    query: dict[str, Any]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method in self.allowed_methods:
            self.query = read_query(request.query_params, self.queries.get(method, NoQuery))


def read_body(request: Request, serializer: type[StrictSerializer]) -> dict[str, Any]:
    """Checked fields of a body. Raises ValidationError, shown as 422 with a pointer per field."""
    try:
        return dict(fields_of(serializer).run_validation(request.data))
    except ValidationError:
        body = serializer(data=request.data)  # once more, for its way of telling what is wrong
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)


@cache
def fields_of(serializer: type[StrictSerializer]) -> StrictSerializer:
    """One that is not bound to a body keeps nothing of it, and composing its fields costs more than reading them."""
    return serializer()


def paged(view: ApiView, queryset: Any, show: Callable[[list[Any]], list[Any]], *, key: str = "pk") -> Response:
    """One page of a list, its rows shown together so that reads can be shared."""
    pagination = SignedCursorPagination(key)
    page = pagination.paginate_queryset(queryset, view.request, view)
    return pagination.get_paginated_response(show(page))


def once(
    view: ApiView,
    *,
    portfolio_id: int,
    subject: str,
    answer: Callable[[], dict[str, Any]],
    foreseen: dict[str, Any] | None = None,
) -> Answer:
    """Answer a write once per Idempotency-Key; without one, where none is required, simply answer.

    The order of checks is the contract's: header, JSON syntax, idempotency; `answer` then checks the fields. What it
    will say, where that is `foreseen`, is stored with the key.
    """
    request = view.request
    header = request.headers.get("Idempotency-Key")
    if header is None and view.idempotent[str(request.method)] != "required":
        return Answer(answer(), is_first=True)
    key = read_key(header)
    structlog.contextvars.bind_contextvars(idempotency_key=key)
    match = request.resolver_match
    fingerprint = fingerprint_of(
        method=str(request.method), route=match.route if match else "", subject=subject, body=request.data
    )
    return answer_once(portfolio_id=portfolio_id, key=key, fingerprint=fingerprint, answer=answer, foreseen=foreseen)
