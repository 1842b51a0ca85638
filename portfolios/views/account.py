"""What a person does about his own account: ends sessions, makes and revokes tokens."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from portfolios.errors import Refused
from portfolios.identity.services import end_other_sessions, end_session
from portfolios.models import ApiToken
from portfolios.services.tokens import create_token, revoke_token
from portfolios.views.visitor import visitor

JUST_MADE = "just_made"
DAYS = ("7", "30", "90", "365")


@login_required
@require_POST
def end_one_session(request: HttpRequest, session_id: UUID) -> HttpResponse:
    if not end_session(user=visitor(request), public_id=str(session_id)):
        raise Http404
    messages.success(request, "That session is over.")
    return redirect("profile")


@login_required
@require_POST
def end_the_others(request: HttpRequest) -> HttpResponse:
    ended = end_other_sessions(user=visitor(request), but=request.session.session_key or "")
    messages.success(request, f"Signed out everywhere else: {ended} session{'' if ended == 1 else 's'} ended.")
    return redirect("profile")


@login_required
@require_POST
def make_token(request: HttpRequest) -> HttpResponse:
    """The secret waits in the session for the page that shows it, so that a refresh makes no second token."""
    name, days = request.POST.get("name", "").strip()[:80], request.POST.get("days", "")
    try:
        if not name or "\x00" in name:
            raise Refused("invalid_fields", "a token needs a name, to be told from others", field="name")
        if days not in DAYS:
            raise Refused("out_of_range", "choose how long it is to live", field="days")
        token, secret = create_token(
            user=visitor(request), name=name, scopes=request.POST.getlist("scopes"), days=int(days)
        )
    except Refused as refusal:
        messages.error(request, f"No token was made: {refusal.message}.")
        return redirect("profile")
    request.session[JUST_MADE] = {"prefix": token.prefix, "secret": secret}
    return redirect("new-token")


@login_required
@require_safe
@never_cache
def new_token(request: HttpRequest) -> HttpResponse:
    """Takes the secret out of the session as it shows it: once. A HEAD shows nothing and takes nothing."""
    made = request.session.get(JUST_MADE)
    if request.method == "GET":
        request.session.pop(JUST_MADE, None)
    token = ApiToken.objects.filter(user=visitor(request), prefix=made["prefix"]).first() if made else None
    if made is None or token is None:
        messages.info(request, "A token's secret is shown once. If yours is lost, revoke it and make another.")
        return redirect("profile")
    return render(request, "registration/token.html", {"token": token, "secret": made["secret"]})


@login_required
@require_POST
def end_token(request: HttpRequest, prefix: str) -> HttpResponse:
    token = get_object_or_404(ApiToken.objects.filter(user=visitor(request), revoked_at=None), prefix=prefix)
    revoke_token(token_id=token.pk)
    messages.success(request, f"{token.name} opens nothing from now on.")
    return redirect("profile")
