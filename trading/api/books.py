"""Books beside books: comparisons of an account with its broker, comparing now, releasing a frozen account."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.access import uuid_or_404
from portfolios.api.answers import PageAnswer
from portfolios.api.authentication import actor_of, user_of
from portfolios.api.pagination import PageQuery
from portfolios.api.problems import Problem, not_found
from portfolios.api.requests import NoFields
from portfolios.api.serializers import Answer
from portfolios.api.views import ApiView, paged, read_body
from portfolios.models import Account
from trading.api.requests import Reasoned
from trading.models import Reconciliation
from trading.services.books import unfreeze
from trading.tasks import reconcile_account, ring


class ReconciliationQuery(PageQuery):
    outcome = serializers.ChoiceField(choices=Reconciliation.Outcome.choices, required=False)


class BookLineAnswer(Answer):
    """Amounts as text; difference is theirs less ours."""

    kind = serializers.ChoiceField(choices=["shares", "traded", "cash", "order", "fill", "entry"])
    subject = serializers.CharField()
    ours = serializers.CharField()
    theirs = serializers.CharField()
    verdict = serializers.ChoiceField(choices=["equal", "differs", "repaired", "noted"])
    difference = serializers.CharField()
    note = serializers.CharField()


class ReconciliationAnswer(Answer):
    """`times` comparisons in a row found this, the last of them at `finished_at`."""

    id = serializers.UUIDField(source="public_id")
    why = serializers.CharField()
    outcome = serializers.ChoiceField(choices=Reconciliation.Outcome.choices)
    found = BookLineAnswer(many=True)
    times = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)
    settled_by = serializers.CharField()
    settled_how = serializers.CharField()


class ReconciliationPage(PageAnswer):
    results = ReconciliationAnswer(many=True)


class AskedAnswer(Answer):
    accepted = serializers.BooleanField()


class TrustAnswer(Answer):
    account_id = serializers.UUIDField(source="public_id")
    state = serializers.CharField()
    doubted_at = serializers.DateTimeField(allow_null=True)
    reconciled_at = serializers.DateTimeField(allow_null=True)


def own_account(request: Request, public_id: str) -> Account:
    """Raises Problem 404 account_not_found: an account shows what all its portfolios hold, so only its owner looks."""
    account = Account.objects.filter(owner=user_of(request), public_id=uuid_or_404(public_id, "account")).first()
    if account is None:
        raise not_found("account")
    return account


class AccountReconciliations(ApiView):
    scopes = {"GET": "read"}
    queries = {"GET": ReconciliationQuery}

    @extend_schema(
        operation_id="list_reconciliations",
        summary="How the broker's books compared with ours",
        responses=ReconciliationPage,
    )
    def get(self, request: Request, public_id: str) -> Response:
        found = own_account(request, public_id).reconciliations.all()
        if "outcome" in self.query:
            found = found.filter(outcome=self.query["outcome"])
        return paged(self, found, lambda page: list(ReconciliationAnswer(page, many=True).data))


class ReconcileAccount(ApiView):
    """The broker is asked in the background; its answer is the newest reconciliation."""

    scopes = {"POST": "trade"}

    @extend_schema(
        operation_id="reconcile_account",
        summary="Compare the broker's books with ours now",
        request=NoFields,
        responses={202: AskedAnswer},
    )
    def post(self, request: Request, public_id: str) -> Response:
        account = own_account(request, public_id)
        read_body(request, NoFields)
        rung = ring(reconcile_account, account_id=account.pk, why="person", actor=actor_of(request))
        if not rung:
            raise Problem(503, "queue_unavailable", "The queue does not answer; the next minute compares anyway.")
        return Response({"accepted": True}, status=202)


class UnfreezeAccount(ApiView):
    """Nothing trades before the books were found equal anew; a comparison is asked for at once."""

    scopes = {"POST": "trade"}

    @extend_schema(
        operation_id="unfreeze_account", summary="Release a frozen account", request=Reasoned, responses=TrustAnswer
    )
    def post(self, request: Request, public_id: str) -> Response:
        account = own_account(request, public_id)
        body: dict[str, Any] = read_body(request, Reasoned)
        released = unfreeze(account_id=account.pk, reason=body["reason"], actor=actor_of(request))
        ring(reconcile_account, account_id=account.pk, why="person", actor=actor_of(request))
        return Response(TrustAnswer(released).data)
