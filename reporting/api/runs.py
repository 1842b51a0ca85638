"""A run of the past to take away: one address per kind and format."""

from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from portfolios.api.authentication import user_of
from portfolios.api.problems import not_found
from portfolios.api.views import ApiView
from reporting.exports.files import answer
from reporting.exports.quota import seconds_to_wait
from reporting.exports.runs import RUN_FORMATS, RUN_KINDS, RunExport
from trading.api.simulations import run_for, series_in


class RunFile(ApiView):
    """The columns are in docs/api/exports.md. 409 `run_not_done` while there are no rows. At most 20 files a minute."""

    scopes = {"GET": "read"}

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """The address names the format; what `Accept` says is about problems only."""
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        operation_id="export_simulation",
        summary="The trades, steps or days of a run as a file",
        parameters=[
            OpenApiParameter("kind", location=OpenApiParameter.PATH, enum=list(RUN_KINDS)),
            OpenApiParameter("form", location=OpenApiParameter.PATH, enum=list(RUN_FORMATS)),
        ],
        responses={(200, form.media_type): OpenApiTypes.BINARY for form in RUN_FORMATS.values()},
    )
    def get(self, request: Request, public_id: str, kind: str, form: str) -> HttpResponseBase:
        if kind not in RUN_KINDS or form not in RUN_FORMATS:
            raise not_found("export")
        run, head = run_for(request, public_id), request.method == "HEAD"
        series = series_in(run)
        if not head and (wait := seconds_to_wait(user_of(request).pk)):
            raise Throttled(wait)
        return answer(RunExport(RUN_KINDS[kind], run, series), RUN_FORMATS[form], head=head)
