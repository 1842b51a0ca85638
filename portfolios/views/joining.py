"""From an invitation's link to a membership, with or without an account."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, password_validation
from django.contrib.auth.forms import BaseUserCreationForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from portfolios.errors import Refused
from portfolios.identity.backend import INVITATION
from portfolios.models import Invitation, User
from portfolios.services.members import accept_invitation, find_invitation
from portfolios.views.owners import sentence
from portfolios.views.visitor import visitor

GONE = "registration/invitation_gone.html"
LOCAL = "django.contrib.auth.backends.ModelBackend"


class NewAccount(BaseUserCreationForm):
    """A name and a password; the e-mail address is the one the invitation went to."""

    class Meta(BaseUserCreationForm.Meta):
        model = User
        fields = ("username",)

    def __init__(self, invitation: Invitation, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.email = invitation.email

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        email = self.instance.email
        if email and User.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError("An account with this e-mail address exists. Sign in instead.")
        return cleaned


@require_safe
@never_cache
def follow(request: HttpRequest, secret: str) -> HttpResponse:
    """The secret leaves the address at once: it should be in no history and no log."""
    request.session[INVITATION] = secret
    return redirect("join")


@require_safe
@never_cache
def join(request: HttpRequest) -> HttpResponse:
    invitation = invitation_of(request)
    if invitation is None:
        return render(request, GONE, status=404)
    return shown(request, invitation, NewAccount(invitation))


def shown(request: HttpRequest, invitation: Invitation, form: NewAccount, status: int = 200) -> HttpResponse:
    context = {"invitation": invitation, "form": form, "rules": password_validation.password_validators_help_texts()}
    return render(request, "registration/join.html", context, status=status)


def invitation_of(request: HttpRequest) -> Invitation | None:
    return find_invitation(request.session.get(INVITATION, ""))


@require_POST
def accept(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect(settings.LOGIN_URL)
    try:
        membership = accept_invitation(secret=request.session.get(INVITATION, ""), user=visitor(request))
    except Refused as refusal:
        messages.error(request, sentence(refusal))
        return redirect("overview")
    del request.session[INVITATION]
    messages.success(request, f"Welcome to {membership.portfolio.name}. You may enter as {membership.role}.")
    return redirect("overview")


@require_POST
def register(request: HttpRequest) -> HttpResponse:
    """A new account for the holder of an invitation, who becomes a member with it, or neither."""
    invitation = invitation_of(request)
    if request.user.is_authenticated or invitation is None:
        return redirect("join")
    form = NewAccount(invitation, request.POST)
    if not form.is_valid():
        return shown(request, invitation, form, status=422)
    secret = request.session.pop(INVITATION)
    with transaction.atomic():
        user = form.save()
        membership = accept_invitation(secret=secret, user=user)
    login(request, user, backend=LOCAL)
    messages.success(request, f"Welcome to {membership.portfolio.name}. You may enter as {membership.role}.")
    return redirect("overview")
