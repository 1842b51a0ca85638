"""The door of brokers: deliveries signed as Standard Webhooks says, stored, then worked on."""

import time
from typing import Any
from uuid import UUID

import structlog
from django.db import OperationalError
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portfolios.api.problems import Problem
from portfolios.api.throttling import DeliveryThrottle
from portfolios.models import Account
from portfolios.services.accounts import WEBHOOK_SECRETS, readable
from trading.domain.signatures import Delivery, is_signed
from trading.models import InboxMessage
from trading.services.inbox import process_message, receive
from trading.tasks import process_inbox, ring, ring_after

PATIENCE_MS = 2_000  # for a cell that is busy; then the message is worked on later
NOBODYS = ["whsec_bm8gYWNjb3VudCBoYXMgdGhpcyBzZWNyZXQuLi4u"]  # so that an unknown account takes as long as a known one
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
log = structlog.get_logger("trading.callback")


class DeliveryAnswer(serializers.Serializer[Any]):
    """What became of a delivery. `received`: not worked on yet."""

    message_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=InboxMessage.Status.choices)
    duplicate = serializers.BooleanField()


class OrderCallback(APIView):
    """Scope: none. For brokers, whose signature is the only credential; see docs/api/webhooks.md.

    200: booked, or delivered before. 202: kept and not booked, or not yet; `status` says which.
    """

    http_method_names = ["post"]
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (DeliveryThrottle,)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Whatever a broker says that it accepts, the answer is JSON."""
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        operation_id="receive_delivery",
        summary="A broker tells what became of orders",
        auth=[],
        parameters=[
            OpenApiParameter("account", str, required=True, description="The account's id"),
            *(OpenApiParameter(name, str, OpenApiParameter.HEADER, required=True) for name in HEADERS),
        ],
        request={"application/json": {"type": "object"}},
        responses={200: DeliveryAnswer, 202: DeliveryAnswer},
    )
    def post(self, request: Request) -> Response:
        delivery = Delivery(request._request.body, *(request.headers.get(name, "") for name in HEADERS))
        account_id, body = proved(request, delivery)
        channel = InboxMessage.Channel.WEBHOOK
        message, is_new = receive(account_id=account_id, channel=channel, delivery_id=delivery.id, body=body)
        if is_new:
            message = worked_on(message)
        done = not is_new or message.status == InboxMessage.Status.PROCESSED
        told = {"message_id": message.public_id, "status": message.status, "duplicate": not is_new}
        return Response(DeliveryAnswer(told).data, 200 if done else 202)


def proved(request: Request, delivery: Delivery) -> tuple[int, str]:
    """Account and text of a genuine delivery. Raises one and the same Problem for whatever is wrong with any other."""
    account = account_of(request)
    secrets = secrets_of(account) if account else NOBODYS
    text = text_of(delivery.body)
    if not is_signed(delivery, secrets, time.time()) or account is None or text is None:
        raise Problem(401, "invalid_signature", "This delivery is not signed as it has to be.")
    return account.pk, text


def account_of(request: Request) -> Account | None:
    """The one that the address names, and names alone."""
    named = request.query_params.getlist("account")
    if len(named) != 1 or len(request.query_params) != 1:
        return None
    try:
        public_id = UUID(named[0])
    except ValueError:
        return None
    return Account.objects.filter(public_id=public_id).first() if str(public_id) == named[0] else None


def secrets_of(account: Account) -> list[str]:
    """Newest first. What cannot be read opens nothing."""
    secrets = readable(account).get(WEBHOOK_SECRETS)
    if not secrets:
        log.warning("no webhook secret", account=str(account.public_id))
    return [secret for secret in secrets if isinstance(secret, str)] if isinstance(secrets, list) else []


def text_of(body: bytes) -> str | None:
    """None for bytes that are no text, or none that can be stored."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def worked_on(message: InboxMessage) -> InboxMessage:
    """At once, so that the answer can tell; where a cell is busy, a bell sees to it."""
    try:
        message = process_message(message_id=message.pk, patience_ms=PATIENCE_MS)
    except OperationalError as error:
        log.warning("delivery waits", message_id=message.pk, error=type(error).__name__)
        ring(process_inbox, message_id=message.pk)
        return message
    ring_after(message)
    return message
