"""Single sign-on as the browser walks it: to the provider, back, connected to an account, and out again."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import structlog
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from portfolios.errors import Refused
from portfolios.identity.errors import SignInDenied
from portfolios.identity.provider import discovered
from portfolios.identity.services import unlink_identity

log = structlog.get_logger("portfolios.identity")
BY_PROVIDER = "signed_in_by_provider"
PATIENCE = 600
View = Callable[..., HttpResponseBase]


def friendly(view: View) -> View:
    """A refusal becomes a page that says what to do; why, in one word, goes to the log."""

    @never_cache
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except SignInDenied as refusal:
            log.warning("sign-in refused", code=refusal.code, why=getattr(refusal, "why", ""))
            return render(request, "registration/refused.html", {"refusal": refusal}, status=refusal.status)

    return answer


class Departure(OIDCAuthenticationRequestView):
    """To the provider, with state, nonce and PKCE; the addresses are the ones it published."""

    http_method_names = ["get", "head"]

    def __init__(self, **kwargs: Any) -> None:
        super(OIDCAuthenticationRequestView, self).__init__(**kwargs)
        self.OIDC_OP_AUTH_ENDPOINT = discovered().authorization
        self.OIDC_RP_CLIENT_ID = settings.OIDC_RP_CLIENT_ID


class Arrival(OIDCAuthenticationCallbackView):
    """Back from the provider. Whoever did not leave from this browser, and lately, does not arrive."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponseBase:
        began = began_here(request)
        check_answer(request)
        if "link" in began:
            if request.user.pk != began["link"]:
                raise SignInDenied("other_account", "You are no longer signed in as the one who began this.")
            request.linking = request.user  # type: ignore[attr-defined]
        response: HttpResponseBase = super().get(request)
        return response

    def login_failure(self) -> HttpResponse:
        raise SignInDenied("refused", "The sign-in did not work.")

    def login_success(self) -> HttpResponseBase:
        if hasattr(self.request, "linking"):
            messages.success(self.request, "Connected. From now on you can sign in either way.")
            return redirect("profile")
        self.request.session.meet(self.request)
        response: HttpResponseBase = super().login_success()
        self.request.session[BY_PROVIDER] = True
        return response


def began_here(request: HttpRequest) -> dict[str, Any]:
    """What was noted when this browser left. A state is good once, also when the sign-in fails."""
    states = request.session.get("oidc_states", {})
    began = states.get(request.GET.get("state", ""))
    if began is None or began["added_on"] < time.time() - PATIENCE:
        raise SignInDenied("state_unknown", "This sign-in did not begin here, or too long ago. Please try again.")
    if "code" not in request.GET or "error" in request.GET:
        del states[request.GET["state"]]
        request.session.modified = True
        raise SignInDenied("provider_declined", "The sign-in service did not let you in.")
    return dict(began)


def check_answer(request: HttpRequest) -> None:
    """RFC 9207: an answer that says whose it is must be the provider's; one that always says so must say so."""
    provider = discovered()
    issuer = request.GET.get("iss")
    if issuer != provider.issuer and (issuer is not None or provider.names_itself):
        raise SignInDenied("wrong_issuer", "The answer did not come from the sign-in service.")


@login_required
@require_POST
def link(request: HttpRequest) -> HttpResponseBase:
    """Off to the provider, to come back with an identity for the account that is signed in here."""
    response = Departure.as_view()(plain_get(request))
    state = parse_qs(urlsplit(response["Location"]).query)["state"][0]
    request.session["oidc_states"][state]["link"] = request.user.pk
    request.session.modified = True
    return leave_for(request, response["Location"])


def plain_get(request: HttpRequest) -> HttpRequest:
    request.method = "GET"
    return request


@login_required
@require_POST
def unlink(request: HttpRequest, identity_id: int) -> HttpResponse:
    try:
        unlink_identity(user=request.user, identity_id=identity_id)  # type: ignore[arg-type]
        messages.success(request, "Disconnected.")
    except Refused as refusal:
        messages.error(request, refusal.message.capitalize() + ".")
    return redirect("profile")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Here, and at the provider for who came from there."""
    there = address_of_sign_out(request) if request.session.get(BY_PROVIDER) else ""
    logout(request)
    return leave_for(request, there) if there else redirect(settings.LOGOUT_REDIRECT_URL)


def address_of_sign_out(request: HttpRequest) -> str:
    """With the words of OpenID Connect and of AWS Cognito (`logout_uri`); each ignores the other's."""
    try:
        address = settings.OIDC_LOGOUT_URL or discovered().logout
    except SignInDenied:
        return ""
    back = request.build_absolute_uri(resolve_url(settings.LOGOUT_REDIRECT_URL))
    words = {"client_id": settings.OIDC_RP_CLIENT_ID, "post_logout_redirect_uri": back, "logout_uri": back}
    return f"{address}{'&' if '?' in address else '?'}{urlencode(words)}" if address else ""


def leave_for(request: HttpRequest, address: str) -> HttpResponse:
    """By way of a page: a form may post to us alone (form-action), so its answer must not redirect elsewhere."""
    return render(request, "registration/leaving.html", {"address": address})


depart = friendly(lambda request: Departure.as_view()(request))
arrive = friendly(Arrival.as_view())
begin_link = friendly(link)
