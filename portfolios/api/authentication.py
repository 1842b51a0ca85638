"""Who asks, and what a credential may do: API tokens with scopes, browser sessions with CSRF; deny by default."""

from typing import Any, cast

from rest_framework import authentication, exceptions
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from portfolios.api.problems import Problem
from portfolios.models import ApiToken, User
from portfolios.services.tokens import SCOPES, find_token

SCHEMES = ("bearer", "token")
STAFF_SCOPE = "admin"
OWN_ACCOUNT = "account"  # not a scope to grant: what a person in his browser may do, and a token of staff
WANTING = {OWN_ACCOUNT: "This is done in a browser session, or with a token of staff that has the scope admin."}


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer <token>` (or `Token <token>`)."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() not in SCHEMES:
            return None
        token = find_token(secret.strip())
        if token is None:
            raise exceptions.AuthenticationFailed("This token is unknown, expired or revoked.")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="volatility balancing"'


class SessionAuthentication(authentication.SessionAuthentication):
    """A browser's session; every write proves with a CSRF token that a page of ours sent it."""

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied:
            raise Problem(403, "csrf_failed", "The CSRF token is missing or wrong.") from None


class HasScope(BasePermission):
    """A view says which scope each method needs (`scopes = {"GET": "read"}`); what it does not say is denied."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        method = "GET" if request.method == "HEAD" else request.method
        if method not in view.allowed_methods:
            return True  # the view answers 405
        needed = getattr(view, "scopes", {}).get(method)
        if needed not in scopes_of(request):
            words = WANTING.get(str(needed), f"This needs a token with the scope {needed}.")
            raise Problem(403, "insufficient_scope", words)
        return True


def scopes_of(request: Request) -> set[str]:
    """A token's own scopes, to trade being also to propose; a session has all. Nobody but staff administers."""
    granted = set(getattr(request.auth, "scopes", SCOPES))
    if "trade" in granted:
        granted.add("propose")
    if not request.user.is_staff:
        granted.discard(STAFF_SCOPE)
    return granted | {OWN_ACCOUNT} if request.auth is None or STAFF_SCOPE in granted else granted


def user_of(request: Request) -> User:
    """Whoever asks, behind a view that lets nobody anonymous in."""
    return cast(User, request.user)


def actor_of(request: Request) -> str:
    """How the log names whoever asks."""
    if isinstance(request.auth, ApiToken):
        return f"token:{request.auth.prefix} {request.user.get_username()}"
    return f"user:{request.user.get_username()}"
