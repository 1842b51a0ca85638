"""Pages through a list by a key of its rows: a signed cursor, so nobody steers our queries and no row is seen twice."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.core import signing
from rest_framework import serializers
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from portfolios.api.problems import Fault, Problem
from portfolios.api.serializers import StrictSerializer

DEFAULT_LIMIT = 50
MAX_LIMIT = 500


class PageQuery(StrictSerializer):
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT)
    cursor = serializers.CharField(required=False, max_length=500)
    ordering = serializers.ChoiceField(choices=["created_at", "-created_at"], default="-created_at")


class Cursor(NamedTuple):
    """Beyond which row to read on, and in which direction."""

    key: str
    backwards: bool


class SignedCursorPagination(BasePagination):
    """`next` and `previous` are addresses; newest first unless the query orders otherwise.

    `key` names a field that is unique in the list and ascends with what the list is ordered by.
    """

    def __init__(self, key: str = "pk") -> None:
        self.key = key

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        query = view.query
        self.ascending = not query["ordering"].startswith("-")
        cursor = self.read(query["cursor"]) if "cursor" in query else None
        backwards = bool(cursor and cursor.backwards)
        upwards = self.ascending != backwards
        if cursor:
            queryset = queryset.filter(**{f"{self.key}__{'gt' if upwards else 'lt'}": cursor.key})
        rows = list(queryset.order_by(self.key if upwards else f"-{self.key}")[: query["limit"] + 1])
        has_more = len(rows) > query["limit"]
        page = rows[: query["limit"]]
        if backwards:
            page.reverse()
        has_next, has_previous = (True, has_more) if backwards else (has_more, cursor is not None)
        self.next = self.link(page[-1], backwards=False) if page and has_next else None
        self.previous = self.link(page[0], backwards=True) if page and has_previous else None
        return page

    def get_paginated_response(self, data: Sequence[Any]) -> Response:
        return Response({"next": self.next, "previous": self.previous, "results": data})

    @property
    def salt(self) -> str:
        """A cursor is good for the list that gave it, in its order."""
        return f"cursor:{self.request.path}:{self.ascending}"

    def link(self, row: Any, *, backwards: bool) -> str:
        cursor = signing.dumps([str(getattr(row, self.key)), backwards], salt=self.salt)
        return str(replace_query_param(self.request.build_absolute_uri(), "cursor", cursor))

    def read(self, text: str) -> Cursor:
        try:
            key, backwards = signing.loads(text, salt=self.salt)
        except signing.BadSignature:
            fault = Fault("invalid_cursor", "Use the addresses in next and previous as they are.", parameter="cursor")
            raise Problem(400, "invalid_parameters", "This cursor is not one of ours.", faults=[fault]) from None
        return Cursor(key, backwards)
