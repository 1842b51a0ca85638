from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from portfolios.identity.groups import read_grants
from portfolios.identity.transport import is_safe


class IdentityConfig(AppConfig):
    name = "portfolios.identity"
    label = "identity"

    def ready(self) -> None:
        """A provider that cannot be trusted, or roles nobody can read, stop the house at its door."""
        if settings.OIDC_ISSUER and not is_safe(settings.OIDC_ISSUER):
            raise ImproperlyConfigured("OIDC_ISSUER must begin with https:// (http:// only on loopback)")
        if settings.OIDC_ISSUER and not settings.OIDC_RP_CLIENT_ID:
            raise ImproperlyConfigured("OIDC_ISSUER is set, OIDC_CLIENT_ID is not")
        try:
            read_grants(settings.OIDC_ROLES)
        except ValueError as error:
            raise ImproperlyConfigured(f"OIDC_ROLES: {error}") from None
