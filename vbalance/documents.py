"""The API's schema, the two pages that show it, and the icon. Open to everybody: they say nothing about anybody."""

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView

READ_ONLY = ["get", "head"]


@require_safe
def favicon(_request: HttpRequest) -> HttpResponse:
    """Where browsers look that were told of no icon: in the admin, and beside the bare schema."""
    return redirect(static("favicon.svg"))


class Schema(SpectacularAPIView):
    """OpenAPI 3.0.3, as YAML or JSON."""

    http_method_names = READ_ONLY


class SwaggerPage(SpectacularSwaggerSplitView):
    """Try the API in the browser; its script comes from a second request, so that none is inline."""

    http_method_names = READ_ONLY
    template_name = "api/swagger.html"


@method_decorator(csp_update({"style-src": [SELF, UNSAFE_INLINE], "worker-src": ["blob:"]}), name="dispatch")
class RedocPage(SpectacularRedocView):
    """The API to read. Redoc writes its styles into the page and searches in a worker; scripts stay ours alone."""

    http_method_names = READ_ONLY
    template_name = "api/redoc.html"
