"""Passwords: changed by who knows the old one, or reset by a letter."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import views
from django.contrib.auth.forms import PasswordResetForm
from django.core.cache import cache
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.views.decorators.http import require_http_methods
from redis import RedisError

from portfolios.identity.services import end_other_sessions
from portfolios.models import User

LETTERS = 3
WINDOW = 900


METHODS = ["get", "head", "post"]


class ChangePassword(views.PasswordChangeView):
    """Every other session of this person ends with it."""

    http_method_names = METHODS
    template_name = "registration/password_change.html"
    success_url = reverse_lazy("profile")

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        end_other_sessions(user=form.user, but=self.request.session.session_key or "")
        messages.success(self.request, "Your password is changed, and you are signed out everywhere else.")
        return response


class ResetForm(PasswordResetForm):
    def save(self, *args: Any, **kwargs: Any) -> None:
        """The answer is the same whether the address is known, asked for too often, or the letter got lost."""
        if is_asked_too_often(self.cleaned_data["email"]):
            return
        super().save(*args, **kwargs)


def is_asked_too_often(email: str) -> bool:
    key = f"reset:{email.casefold()}"
    try:
        cache.add(key, 0, WINDOW)
        return int(cache.incr(key)) > LETTERS
    except (RedisError, ValueError):
        return False


class AskForReset(views.PasswordResetView):
    http_method_names = METHODS
    form_class = ResetForm
    template_name = "registration/password_reset.html"
    email_template_name = "letters/password_reset.txt"
    subject_template_name = "letters/password_reset_subject.txt"
    success_url = reverse_lazy("password-reset-sent")


class ResetSent(views.PasswordResetDoneView):
    http_method_names = METHODS
    template_name = "registration/password_reset_sent.html"


class SetPassword(views.PasswordResetConfirmView):
    """Whoever had the old password is signed out; signing in with the new one is left to its owner."""

    template_name = "registration/password_set.html"
    success_url = reverse_lazy("login")

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        user: User = form.user
        end_other_sessions(user=user, but="")
        messages.success(self.request, "Your new password is set. Sign in with it.")
        return response


set_password = require_http_methods(("GET", "HEAD", "POST"))(SetPassword.as_view())  # the library answers any method
