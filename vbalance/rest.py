"""The API's part of the settings: who is asked, in which order, and how the schema is written."""

from typing import Any

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "portfolios.api.provider.ProviderAuthentication",
        "portfolios.api.authentication.TokenAuthentication",
        "portfolios.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["portfolios.api.authentication.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["portfolios.api.parsing.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "portfolios.api.pagination.SignedCursorPagination",
    "DEFAULT_FILTER_BACKENDS": [],
    "DEFAULT_SCHEMA_CLASS": "portfolios.api.schema.ApiSchema",
    "DEFAULT_THROTTLE_CLASSES": [
        "portfolios.api.throttling.ReadThrottle",
        "portfolios.api.throttling.WriteThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {"read": "1200/min", "write": "300/min", "delivery": "6000/min"},
    "EXCEPTION_HANDLER": "portfolios.api.problems.problem_response",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Volatility Balancing",
    "DESCRIPTION": "A rules-based trading robot that explains every decision. See docs/api/OPENAPI_README.md.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.0.3",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/v1",
    "ENUM_NAME_OVERRIDES": {
        "CellStateEnum": "portfolios.models.Position.Status",
        "PortfolioStateEnum": "portfolios.models.Portfolio.Status",
        "WorkStatusEnum": "trading.simulation.models.Work.Status",
    },
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "portfolios.api.schema.add_problems"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
