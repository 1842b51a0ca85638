"""Members come and go: each action is a POST of an owner's, or of who leaves."""

from functools import partial
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from portfolios.errors import Refused
from portfolios.letters import invitation_link, send_invitation
from portfolios.models import Invitation, Membership, Portfolio
from portfolios.services import members
from portfolios.views.owners import deed_of_owner, sentence, visible
from portfolios.views.visitor import actor, visitor

owners_deed = partial(deed_of_owner, page="members")


def member(portfolio: Portfolio, membership_id: int) -> Membership:
    return get_object_or_404(portfolio.memberships.select_related("user"), pk=membership_id)


@login_required
@require_POST
@never_cache
def invite(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Shows the link, once. With an address a letter carries it there as well."""
    portfolio = visible(request, public_id)
    if not Portfolio.objects.owned_by(request.user).filter(pk=portfolio.pk).exists():
        raise PermissionDenied
    try:
        email = checked_email(request.POST.get("email", "").strip())
        invitation, secret = members.invite(
            portfolio_id=portfolio.pk, email=email, role=request.POST.get("role", ""), actor=actor(request)
        )
    except Refused as refusal:
        messages.error(request, sentence(refusal))
        return redirect("members", public_id=public_id)
    link = invitation_link(request, secret)
    sent = send_invitation(invitation, link=link, host=request.user.get_username())
    context = {"portfolio": portfolio, "invitation": invitation, "link": link, "sent": sent}
    return render(request, "registration/invited.html", context)


def checked_email(email: str) -> str:
    try:
        if email:
            validate_email(email)
    except ValidationError:
        raise Refused("invalid_fields", "this is no e-mail address", field="email") from None
    return email


@owners_deed
def withdraw(request: HttpRequest, portfolio: Portfolio, invitation_id: str) -> str:
    open_ones = Invitation.objects.open_at(timezone.now()).filter(portfolio=portfolio)
    invitation = get_object_or_404(open_ones, public_id=invitation_id)
    members.withdraw_invitation(invitation_id=invitation.pk, actor=actor(request))
    return "The invitation is withdrawn. Its link opens nothing."


@owners_deed
def change_role(request: HttpRequest, portfolio: Portfolio, membership_id: int) -> str:
    found = member(portfolio, membership_id)
    role = request.POST.get("role", "")
    members.change_role(portfolio_id=portfolio.pk, user_id=found.user_id, role=role, actor=actor(request))
    return f"{found.user.get_username()} may now enter as {role}."


@owners_deed
def remove(request: HttpRequest, portfolio: Portfolio, membership_id: int) -> str:
    found = member(portfolio, membership_id)
    members.remove_member(portfolio_id=portfolio.pk, user_id=found.user_id, actor=actor(request))
    return f"{found.user.get_username()} may no longer enter."


@owners_deed
def transfer(request: HttpRequest, portfolio: Portfolio) -> str:
    found = members.member_named(portfolio, request.POST.get("username", ""))
    members.transfer_ownership(portfolio_id=portfolio.pk, user_id=found.user_id, actor=actor(request))
    return f"{found.user.get_username()} owns the portfolio from now on; you stay as a trader."


@login_required
@require_POST
def leave(request: HttpRequest, public_id: UUID) -> HttpResponse:
    portfolio = visible(request, public_id)
    try:
        members.leave(portfolio_id=portfolio.pk, user=visitor(request))
    except Refused as refusal:
        messages.error(request, sentence(refusal))
        return redirect("members", public_id=public_id)
    messages.success(request, f"You left {portfolio.name}.")
    return redirect("overview")
