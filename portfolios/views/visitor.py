"""Who is at the door."""

from typing import cast

from django.http import HttpRequest

from portfolios.models import User


def visitor(request: HttpRequest) -> User:
    """Whoever asks, behind a view that lets nobody anonymous in."""
    return cast(User, request.user)


def actor(request: HttpRequest) -> str:
    """How the log names whoever asks."""
    return f"user:{request.user.get_username()}"
