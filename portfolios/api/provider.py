"""The identity provider's bearer tokens at the door of the API."""

from rest_framework import authentication, exceptions
from rest_framework.request import Request

from portfolios.api.problems import Problem
from portfolios.identity.bearer import ProviderToken, bearer_of, is_providers
from portfolios.identity.errors import ProviderDown, SignInDenied
from portfolios.models import User


class ProviderAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer <access token>`, verified here without asking the provider."""

    def authenticate(self, request: Request) -> tuple[User, ProviderToken] | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not is_providers(token.strip()):
            return None
        try:
            return bearer_of(token.strip())
        except ProviderDown:
            text = "The identity provider does not answer, and its keys are not known yet."
            raise Problem(503, "provider_unavailable", text, headers={"Retry-After": "60"}) from None
        except SignInDenied:
            raise exceptions.AuthenticationFailed("This token is unknown, expired or not meant for this API.") from None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="volatility balancing"'
