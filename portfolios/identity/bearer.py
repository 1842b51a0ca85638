"""The provider's access tokens at the API's door, verified here without asking anybody."""

from typing import Any, NamedTuple

from django.conf import settings

from portfolios.identity.errors import SignInDenied
from portfolios.identity.provider import discovered, is_configured
from portfolios.identity.services import find_identity
from portfolios.identity.verification import access_token_claims
from portfolios.models import User
from portfolios.services.tokens import MARK, SCOPES


class ProviderToken(NamedTuple):
    """What a verified access token may do."""

    subject: str
    scopes: list[str]


def is_providers(token: str) -> bool:
    """Three parts and not a token of ours."""
    return is_configured() and token.count(".") == 2 and not token.startswith(MARK)


def bearer_of(token: str) -> tuple[User, ProviderToken]:
    """Raises SignInDenied, ProviderDown among them. Who never signed in on the pages is nobody here."""
    claims = access_token_claims(token, provider=discovered())
    identity = find_identity(claims["iss"], claims["sub"])
    if identity is None or not identity.user.is_active:
        raise SignInDenied("identity_unknown", "Nobody here is known by this token.", status=401)
    return identity.user, ProviderToken(claims["sub"], scopes_in(claims))


def scopes_in(claims: dict[str, Any]) -> list[str]:
    """Those of ours it names, with or without a prefix (`https://robot/trade`); if none, what the settings allow."""
    said = claims.get("scope")
    words = said.split() if isinstance(said, str) else []
    named = {word.rpartition("/")[2] for word in words}
    return [scope for scope in SCOPES if scope in named] or list(settings.OIDC_BEARER_SCOPES)
