"""Exports over HTTP: one address per kind and format."""

from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from portfolios.api.authentication import user_of
from portfolios.api.problems import not_found
from portfolios.api.views import ApiView
from reporting.exports.files import FORMATS, answer
from reporting.exports.kinds import KINDS
from reporting.exports.query import ExportQuery, export_of
from reporting.exports.quota import seconds_to_wait


class ExportFile(ApiView):
    """The columns of each kind are in docs/api/exports.md. `only` is not for dividends. At most 20 a minute."""

    scopes = {"GET": "read"}
    queries = {"GET": ExportQuery}

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """The address names the format; what `Accept` says is about problems only."""
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        operation_id="export",
        summary="Rows to take away as a file",
        parameters=[
            OpenApiParameter("kind", location=OpenApiParameter.PATH, enum=list(KINDS)),
            OpenApiParameter("form", location=OpenApiParameter.PATH, enum=list(FORMATS)),
        ],
        responses={(200, form.media_type): OpenApiTypes.BINARY for form in FORMATS.values()},
    )
    def get(self, request: Request, kind: str, form: str) -> HttpResponseBase:
        if kind not in KINDS or form not in FORMATS:
            raise not_found("export")
        export, head = export_of(KINDS[kind], request.user, request.query_params), request.method == "HEAD"
        if not head and (wait := seconds_to_wait(user_of(request).pk)):
            raise Throttled(wait)
        return answer(export, FORMATS[form], head=head)
