"""The OpenAPI schema drawn from the views themselves: their queries, their idempotency, and problems everywhere."""

import inspect
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from portfolios.api.authentication import OWN_ACCOUNT

AMOUNT = r"^\d{1,12}(\.\d{1,6})?$"
SIGNED_AMOUNT = AMOUNT.replace("^", "^-?")
PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457. Branch on `code`; docs/api/problems.md lists them.",
    "required": ["type", "title", "status", "detail", "code", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                    "pointer": {"type": "string", "description": "JSON pointer into the body, as URI fragment"},
                    "parameter": {"type": "string", "description": "Name of the query parameter"},
                },
            },
        },
    },
}


class ApiSchema(AutoSchema):
    """Query parameters, headers and scope as an ApiView declares them; its own docstring describes it."""

    def get_description(self) -> str:  # type: ignore[override]  # its stubs are older than the library
        told = inspect.cleandoc(vars(type(self.view)).get("__doc__") or "")
        return f"{told}\n\n{self.told_scope()}".strip()

    def told_scope(self) -> str:
        needed = getattr(self.view, "scopes", {}).get(self.method)
        if needed == OWN_ACCOUNT:
            return "A session, or a token of staff with the scope `admin`."
        return f"Scope: `{needed}`." if needed else ""

    def get_override_parameters(self) -> list[Any]:
        parameters: list[Any] = []
        if query := getattr(self.view, "queries", {}).get(self.method):
            parameters.append(query)
        needs = getattr(self.view, "idempotent", {}).get(self.method)
        if needs:
            parameters.append(
                OpenApiParameter(
                    "Idempotency-Key",
                    location=OpenApiParameter.HEADER,
                    required=needs == "required",
                    description="1 to 255 visible ASCII characters; the same key again gets the first answer again.",
                )
            )
        conditional = getattr(self.view, "conditional", ())
        if conditional:
            parameters.append(OpenApiParameter("ETag", location=OpenApiParameter.HEADER, response=[200], required=True))
        if self.method in conditional:
            parameters.append(
                OpenApiParameter(
                    "If-Match",
                    location=OpenApiParameter.HEADER,
                    required=True,
                    description="The ETag of what you looked at: a change somebody else made since is not overwritten.",
                )
            )
        return parameters


def add_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Every operation may answer with a problem."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    media = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"]["default"] = {"description": "Why not", "content": media}
    return result


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "portfolios.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "Made by `manage.py create_token`."}


class ProviderScheme(OpenApiAuthenticationExtension):
    target_class = "portfolios.api.provider.ProviderAuthentication"
    name = "provider"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        words = "An access token of the identity provider, where one is configured."
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": words}


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "portfolios.api.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


class AmountSchema(OpenApiSerializerFieldExtension):
    target_class = "portfolios.api.amounts.AmountField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        text = {"type": "string", "example": "97.25"}
        if direction == "response":
            return text
        if self.target.low < 0:
            return {"oneOf": [text | {"pattern": SIGNED_AMOUNT}, {"type": "number"}]}
        return {"oneOf": [text | {"pattern": AMOUNT}, {"type": "number", "minimum": 0}]}
