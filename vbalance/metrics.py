"""The door of the metrics: JSON for programs, text for scrapers, the whole house for the one with its own token."""

import hmac
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portfolios.api.authentication import SCHEMES, TokenAuthentication
from portfolios.api.views import ApiView
from reporting.api.metrics import MetricsAnswer, MetricsQuery, answer_of, asked_report
from vbalance.exposition import told_to, told_to_the_scraper

KEPT_FOR = 10  # seconds: several scrapers ask at once, and none needs it fresher


class Scraper(AnonymousUser):
    """Nobody's account: sees the house, belongs to no portfolio."""

    is_authenticated = True  # type: ignore[assignment]


class ScrapeAuthentication(TokenAuthentication):
    """`Authorization: Bearer <VBALANCE_SCRAPE_TOKEN>`; anything else is left to the others."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        wanted = settings.SCRAPE_TOKEN
        if scheme.lower() not in SCHEMES or not wanted:
            return None
        return (Scraper(), "scraper") if hmac.compare_digest(secret.strip().encode(), wanted.encode()) else None


class ScrapeScheme(OpenApiAuthenticationExtension):
    target_class = "vbalance.metrics.ScrapeAuthentication"
    name = "scrape"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "The scraper's own: VBALANCE_SCRAPE_TOKEN."}


class TextRenderer(JSONRenderer):
    """Text is written by the view; what passes here is a problem, and stays JSON."""

    media_type = "text/plain"
    format = "text"


class Metrics(ApiView):
    """With `Accept: text/plain`: the same six as `vb_...` over 90 days, by portfolio, for Prometheus."""

    authentication_classes = [ScrapeAuthentication, *APIView.authentication_classes]
    renderer_classes = [JSONRenderer, TextRenderer]
    scopes = {"GET": "read"}
    queries = {"GET": MetricsQuery}

    @extend_schema(
        operation_id="metrics",
        summary="The six metrics and what belongs to them, over what you may see",
        responses={(200, "application/json"): MetricsAnswer, (200, "text/plain"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        if isinstance(request.user, Scraper):
            return text(cache.get_or_set("scrape", told_to_the_scraper, KEPT_FOR))
        if request.accepted_renderer.format == TextRenderer.format:
            return text(told_to(request.user))
        return Response(answer_of(asked_report(request.user, self.query)))


def text(exposition: Any) -> HttpResponse:
    return HttpResponse(exposition, content_type=CONTENT_TYPE_LATEST)
