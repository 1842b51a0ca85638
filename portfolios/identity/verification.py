"""Whether a token of the provider's is what it says: signed by its key, meant for us, in time, for this very sign-in.

Neither the library nor PyJWT decides this alone: the library checks neither issuer nor audience.
"""

import hmac
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.conf import settings

from portfolios.identity.errors import SignInDenied
from portfolios.identity.provider import Key, Provider, keys_of, newer_keys_of

KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LEEWAY = 30
FRESH = 600
LONGEST = 16_384
SMALLEST_RSA = 2_048
Claims = dict[str, Any]


def id_token_claims(token: Any, *, nonce: str, provider: Provider) -> Claims:
    """Claims of somebody who signed in just now, for us. Raises SignInDenied."""
    claims = signed_claims(token, provider)
    client = settings.OIDC_RP_CLIENT_ID
    audience = audience_of(claims)
    if client not in audience or ("azp" in claims and claims["azp"] != client):
        raise refused("wrong_audience")
    if len(audience) > 1 and "azp" not in claims:
        raise refused("wrong_audience")
    if not nonce or not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise refused("wrong_nonce")
    if claims["iat"] < time.time() - FRESH:
        raise refused("stale")
    if claims.get("token_use", "id") != "id":
        raise refused("wrong_kind")
    return claims


def access_token_claims(token: Any, *, provider: Provider) -> Claims:
    """Claims of a bearer token meant for this API. Raises SignInDenied.

    AWS Cognito names the client in `client_id` and says `token_use`, where others name the API in `aud`.
    """
    claims = signed_claims(token, provider)
    if claims.get("token_use", "access") != "access" or "nonce" in claims or "at_hash" in claims:
        raise refused("wrong_kind")
    wanted = settings.OIDC_AUDIENCE or settings.OIDC_RP_CLIENT_ID
    if "aud" in claims:
        meant = wanted in audience_of(claims)
    else:
        meant = claims.get("token_use") == "access" and claims.get("client_id") == settings.OIDC_RP_CLIENT_ID
    if not meant:
        raise refused("wrong_audience")
    return claims


def signed_claims(token: Any, provider: Provider) -> Claims:
    """What every token must show: an allowed signature by a key of the provider, its issuer, a subject, its times."""
    if not isinstance(token, str) or len(token) > LONGEST:
        raise refused("malformed")
    try:
        header = jwt.get_unverified_header(token)
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS:
            raise refused("wrong_algorithm")
        claims: Claims = jwt.decode(
            token,
            key_for(header, provider),
            algorithms=[algorithm],
            issuer=provider.issuer,
            leeway=LEEWAY,
            options={"require": ["iss", "sub", "exp", "iat"], "verify_aud": False},
        )
    except jwt.ExpiredSignatureError:
        raise refused("expired") from None
    except jwt.InvalidIssuerError:
        raise refused("wrong_issuer") from None
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise refused(f"malformed_{type(error).__name__}") from None
    if not claims["sub"] or not isinstance(claims["sub"], str) or len(claims["sub"]) > 255:
        raise refused("malformed")
    return claims


def key_for(header: dict[str, Any], provider: Provider) -> Any:
    """The one key of the provider's that fits; an unknown name sends us to look for new ones, now and then."""
    fitting = fitting_keys(keys_of(provider), header) or fitting_keys(newer_keys_of(provider), header)
    if len(fitting) != 1:
        raise refused("unknown_key")
    key = jwt.PyJWK(fitting[0], algorithm=header["alg"]).key
    if isinstance(key, RSAPublicKey) and key.key_size < SMALLEST_RSA:
        raise refused("weak_key")
    return key


def fitting_keys(keys: list[Key], header: dict[str, Any]) -> list[Key]:
    algorithm, name = header["alg"], header.get("kid")
    return [
        key
        for key in keys
        if key.get("kty") == KINDS[algorithm[:2]]
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (name is None or key.get("kid") == name)
    ]


def audience_of(claims: Claims) -> list[Any]:
    audience = claims.get("aud")
    return audience if isinstance(audience, list) else [audience]


def refused(code: str) -> SignInDenied:
    return SignInDenied(code, "The sign-in service's answer could not be trusted, so nobody was signed in.")
