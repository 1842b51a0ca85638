"""Letters to people. One that cannot be sent says so and breaks nothing."""

import structlog
from django.core.mail import send_mail
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from portfolios.models import Invitation

log = structlog.get_logger("portfolios.letters")


def invitation_link(request: HttpRequest, secret: str) -> str:
    return request.build_absolute_uri(reverse("follow-invitation", args=[secret]))


def send_invitation(invitation: Invitation, *, link: str, host: str) -> bool:
    """Whether it was handed over, which needs an address. The link is a secret: it is in the letter and in no log."""
    if not invitation.email:
        return False
    text = render_to_string("letters/invitation.txt", {"invitation": invitation, "link": link, "host": host})
    try:
        return bool(send_mail("You are invited", text, None, [invitation.email]))
    except OSError as error:  # refused connections, time-outs and every SMTPException
        log.warning("letter not sent", error=type(error).__name__)
        return False
