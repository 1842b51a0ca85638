"""The provider as it describes itself, and its keys: fetched once, kept in the cache all processes share."""

import hashlib
from typing import Any, NamedTuple

from django.conf import settings
from django.core.cache import cache
from redis import RedisError

from portfolios.identity.errors import ProviderDown, SignInDenied
from portfolios.identity.transport import ask, is_safe

KEPT_FOR = 3_600
REFETCH_AFTER = 60
Key = dict[str, Any]


class Provider(NamedTuple):
    issuer: str
    authorization: str
    token: str
    keys: str
    userinfo: str
    logout: str
    takes_basic: bool
    names_itself: bool


def is_configured() -> bool:
    return bool(settings.OIDC_ISSUER)


def discovered() -> Provider:
    """Raises SignInDenied when there is no provider, ProviderDown when it does not answer."""
    if not is_configured():
        raise SignInDenied("not_configured", "There is no single sign-on here.", status=404)
    return Provider(*remembered("provider", discover))


def discover() -> tuple[Any, ...]:
    issuer = settings.OIDC_ISSUER
    said = ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if said.get("issuer") != issuer:
        raise ProviderDown("describes another issuer")
    needed = [said.get(f"{name}_endpoint", "") for name in ("authorization", "token")] + [said.get("jwks_uri", "")]
    optional = [said.get(f"{name}_endpoint") or "" for name in ("userinfo", "end_session")]
    if not all(isinstance(url, str) and is_safe(url) for url in [*needed, *filter(None, optional)]):
        raise ProviderDown("describes unsafe addresses")
    takes_basic = "client_secret_basic" in said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    names_itself = said.get("authorization_response_iss_parameter_supported") is True
    return (issuer, *needed, *optional, takes_basic, names_itself)


def keys_of(provider: Provider) -> list[Key]:
    return list(remembered("keys", lambda: fetch_keys(provider)))


def newer_keys_of(provider: Provider) -> list[Key]:
    """Asked for when a token names a key we do not know; at most once a minute, whatever tokens come."""
    try:
        if not cache.add(name_of("asked"), 1, REFETCH_AFTER):
            return []
        fetched = fetch_keys(provider)
        cache.set(name_of("keys"), fetched, KEPT_FOR)
    except RedisError as error:
        raise ProviderDown("the cache is down") from error
    return fetched


def fetch_keys(provider: Provider) -> list[Key]:
    keys = ask("GET", provider.keys).get("keys")
    if not isinstance(keys, list):
        raise ProviderDown("has no keys")
    return [key for key in keys if isinstance(key, dict)]


def remembered(what: str, fetch: Any) -> Any:
    try:
        found = cache.get(name_of(what))
        if found is None:
            found = fetch()
            cache.set(name_of(what), found, KEPT_FOR)
    except RedisError as error:
        raise ProviderDown("the cache is down") from error
    return found


def name_of(what: str) -> str:
    return f"oidc:{hashlib.sha256(settings.OIDC_ISSUER.encode()).hexdigest()[:16]}:{what}"
