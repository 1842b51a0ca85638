"""The kill switch: stop a cell, a portfolio, an account or the house, see what is stopped, let it go on again.

Halting what is halted already answers with the halt in force, and lifting what is lifted changes nothing.
"""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.access import portfolio_for, read_only, uuid_or_404
from portfolios.api.answers import PageAnswer
from portfolios.api.authentication import STAFF_SCOPE, actor_of, scopes_of, user_of
from portfolios.api.pagination import PageQuery
from portfolios.api.problems import Problem, not_found
from portfolios.api.serializers import Answer, StrictBooleanField
from portfolios.api.views import ApiView, paged, read_body
from portfolios.models import Account
from trading.api.access import position_for
from trading.api.requests import Reasoned
from trading.risk.models import Halt
from trading.services import halts
from trading.tasks import ring_for_halt

RELATED = ("portfolio", "account", "position")


class NewHalt(Reasoned):
    cancel_working = StrictBooleanField(default=False, help_text="Ask the broker to take back what rests there")


class HaltQuery(PageQuery):
    in_force = serializers.BooleanField(required=False)


class HaltAnswer(Answer):
    """`scope` says which of the three ids is given; none for the house."""

    id = serializers.UUIDField(source="public_id")
    scope = serializers.CharField(help_text="global, portfolio, account or position")
    portfolio_id = serializers.UUIDField(source="portfolio.public_id", default=None, allow_null=True)
    account_id = serializers.UUIDField(source="account.public_id", default=None, allow_null=True)
    position_id = serializers.UUIDField(source="position.public_id", default=None, allow_null=True)
    reason = serializers.CharField()
    cancel_working = serializers.BooleanField(source="cancels")
    halted_by = serializers.CharField()
    halted_at = serializers.DateTimeField()
    rearmed_by = serializers.CharField()
    rearmed_at = serializers.DateTimeField(allow_null=True)
    rearm_reason = serializers.CharField()


class HaltPage(PageAnswer):
    results = HaltAnswer(many=True)


def seen_by(request: Request) -> QuerySet[Halt]:
    return Halt.objects.visible_to(request.user).select_related(*RELATED)


def halted(request: Request, scope: str, target_id: int | None) -> Response:
    body = read_body(request, NewHalt)
    known = halts.halt(
        scope=scope,
        target_id=target_id,
        reason=body["reason"],
        actor=actor_of(request),
        cancels=body["cancel_working"],
    )
    ring_for_halt(known)
    return shown(known)


def rearmed(request: Request, known: Halt) -> Response:
    body = read_body(request, Reasoned)
    return shown(halts.rearm(halt_id=known.pk, reason=body["reason"], actor=actor_of(request)))


def shown(known: Halt) -> Response:
    return Response(HaltAnswer(Halt.objects.select_related(*RELATED).get(pk=known.pk)).data)


def in_force_on(**target: Any) -> Halt:
    """Raises Problem 409 not_halted."""
    known = Halt.objects.in_force().filter(**target).first()
    if known is None:
        raise Problem(409, "not_halted", "It is not halted itself.")
    return known


def refuse_but_superuser(request: Request) -> None:
    if not (user_of(request).is_superuser and STAFF_SCOPE in scopes_of(request)):
        raise Problem(403, "superusers_only", "Only a superuser, with the scope admin, may do this to the whole house.")


def halt_door(name: str, summary: str) -> Any:
    return extend_schema(operation_id=name, summary=summary, request=NewHalt, responses=HaltAnswer)


def rearm_door(name: str, summary: str) -> Any:
    return extend_schema(operation_id=name, summary=summary, request=Reasoned, responses=HaltAnswer)


class HaltPortfolio(ApiView):
    scopes = {"POST": "trade"}

    @halt_door("halt_portfolio", "Stop all trading in a portfolio")
    def post(self, request: Request, public_id: str) -> Response:
        return halted(request, Halt.Scope.PORTFOLIO, portfolio_for(request, public_id, steer=True).pk)


class ResumePortfolio(ApiView):
    """Lifts the portfolio's own halt: what stops the house or one cell still stops it."""

    scopes = {"POST": "trade"}

    @rearm_door("resume_portfolio", "Let a halted portfolio trade again")
    def post(self, request: Request, public_id: str) -> Response:
        return rearmed(request, in_force_on(portfolio=portfolio_for(request, public_id, steer=True)))


class HaltPosition(ApiView):
    scopes = {"POST": "trade"}

    @halt_door("halt_position", "Stop all trading in a cell, a person's as well as the robot's")
    def post(self, request: Request, public_id: str) -> Response:
        return halted(request, Halt.Scope.POSITION, position_for(request, public_id, steer=True).pk)


class RearmPosition(ApiView):
    """Lifts the cell's own halt: what stops the house, its portfolio or its account still stops it."""

    scopes = {"POST": "trade"}

    @rearm_door("rearm_position", "Let a halted cell trade again")
    def post(self, request: Request, public_id: str) -> Response:
        return rearmed(request, in_force_on(position=position_for(request, public_id, steer=True)))


class HaltAccount(ApiView):
    scopes = {"POST": "trade"}

    @halt_door("halt_account", "Stop all trading through an account of yours, in every portfolio connected to it")
    def post(self, request: Request, public_id: str) -> Response:
        mine = Account.objects.filter(owner=user_of(request), public_id=uuid_or_404(public_id, "account")).first()
        if mine is None:
            raise not_found("account")
        return halted(request, Halt.Scope.ACCOUNT, mine.pk)


class HaltList(ApiView):
    scopes = {"GET": "read", "POST": STAFF_SCOPE}
    queries = {"GET": HaltQuery}

    @extend_schema(operation_id="list_halts", summary="Halts over anything you can see", responses=HaltPage)
    def get(self, request: Request) -> Response:
        found = seen_by(request)
        if "in_force" in self.query:
            found = found.filter(rearmed_at__isnull=self.query["in_force"])
        return paged(self, found, lambda page: list(HaltAnswer(page, many=True).data))

    @halt_door("halt_everything", "Stop all trading in the house; superusers only")
    def post(self, request: Request) -> Response:
        refuse_but_superuser(request)
        return halted(request, Halt.Scope.GLOBAL, None)


class RearmHalt(ApiView):
    scopes = {"POST": "trade"}

    @rearm_door("rearm_halt", "Lift one halt")
    def post(self, request: Request, public_id: str) -> Response:
        known = seen_by(request).filter(public_id=uuid_or_404(public_id, "halt")).first()
        if known is None:
            raise not_found("halt")
        if known.scope == Halt.Scope.GLOBAL:
            refuse_but_superuser(request)
        elif not Halt.objects.steered_by(request.user).filter(pk=known.pk).exists():
            raise read_only()
        return rearmed(request, known)
