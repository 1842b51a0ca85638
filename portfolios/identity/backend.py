"""mozilla-django-oidc, hardened: its code flow with our verification, and people known by (issuer, subject) alone."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from django.urls import reverse
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.utils import absolutify
from requests.auth import HTTPBasicAuth

from portfolios.identity.errors import SignInDenied
from portfolios.identity.provider import Provider, discovered
from portfolios.identity.services import link_identity, person_in, sign_in
from portfolios.identity.transport import ask
from portfolios.identity.verification import Claims, id_token_claims
from portfolios.models import User
from portfolios.services.members import find_invitation

INVITATION = "invitation"  # where a session keeps the secret of the link its visitor followed


def holds_invitation(request: HttpRequest) -> bool:
    return find_invitation(request.session.get(INVITATION, "")) is not None


class ProviderBackend(OIDCAuthenticationBackend):
    """Takes the place of every step of the library's that trusts too much; never returns nobody: it says why."""

    def __init__(self) -> None:
        """Loaded on every request of a session: nothing is asked of the provider here."""
        self.UserModel = get_user_model()

    def authenticate(self, request: HttpRequest, *, nonce: str, code_verifier: str) -> User:
        provider = discovered()
        answer = self.get_token(self.question(request, code_verifier), provider)
        claims = id_token_claims(answer.get("id_token"), nonce=nonce, provider=provider)
        person = person_in(self.get_userinfo(answer.get("access_token"), claims, provider) | claims)
        if (user := getattr(request, "linking", None)) is not None:
            return link_identity(user=user, person=person).user
        return sign_in(person, invited=holds_invitation(request))

    def question(self, request: HttpRequest, code_verifier: str) -> dict[str, str]:
        return {
            "grant_type": "authorization_code",
            "code": request.GET["code"],
            "redirect_uri": absolutify(request, reverse("oidc_authentication_callback")),
            "code_verifier": code_verifier,
            "client_id": settings.OIDC_RP_CLIENT_ID,
        }

    def get_token(self, payload: dict[str, str], provider: Provider) -> dict[str, Any]:
        """Raises ProviderDown. The secret goes the way the provider asks for; a public client has none."""
        secret, auth = settings.OIDC_RP_CLIENT_SECRET, None
        if secret and provider.takes_basic:
            auth = HTTPBasicAuth(payload.pop("client_id"), secret)
        elif secret:
            payload = payload | {"client_secret": secret}
        return ask("POST", provider.token, data=payload, auth=auth)

    def get_userinfo(self, access_token: Any, claims: Claims, provider: Provider) -> Claims:
        """What the ID token leaves out. It speaks of the same subject or not at all."""
        if not provider.userinfo or not isinstance(access_token, str):
            return {}
        said = ask("GET", provider.userinfo, headers={"Authorization": f"Bearer {access_token}"})
        if said.get("sub") != claims["sub"]:
            raise SignInDenied("wrong_subject", "The sign-in service spoke of somebody else.")
        return said

    def get_user(self, user_id: Any) -> User | None:
        """The library would let a closed account stay signed in."""
        user: User | None = ModelBackend.get_user(self, user_id)
        return user
