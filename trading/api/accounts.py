"""Accounts at brokers. Their owner sees and acts; members of a portfolio on one see its name and state, nothing else.

Whatever changes an account takes a person in his browser (or a token of staff): a token that leaks must not.
"""

from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.access import portfolio_for, uuid_or_404
from portfolios.api.amounts import AmountField
from portfolios.api.answers import PageAnswer, PortfolioAnswer
from portfolios.api.authentication import OWN_ACCOUNT, actor_of, user_of
from portfolios.api.pagination import PageQuery
from portfolios.api.portfolios import show_portfolio
from portfolios.api.problems import Problem, not_found
from portfolios.api.requests import NameField, NoFields
from portfolios.api.serializers import Answer, NamedInSettings, StrictSerializer, StrictTextField
from portfolios.api.views import ApiView, paged, read_body
from portfolios.domain.amounts import MAX_AMOUNT
from portfolios.models import Account
from portfolios.services import accounts
from trading.api.requests import Reasoned
from trading.risk.selectors import why_untrusted
from trading.services.connections import connect_portfolio


class NewAccount(StrictSerializer):
    name = NameField(max_length=accounts.MAX_NAME)
    adapter = NamedInSettings("BROKERS")
    mode = serializers.ChoiceField(choices=Account.Mode.choices)


class AccountChange(StrictSerializer):
    """Left out: as it is."""

    name = NameField(max_length=accounts.MAX_NAME, required=False)
    latency_ms = serializers.IntegerField(min_value=0, max_value=accounts.MAX_LATENCY_MS, required=False)
    most_per_quote = AmountField(high=MAX_AMOUNT, required=False, help_text="Shares one quote can fill; 0 for all")


class NewCredentials(StrictSerializer):
    credentials = serializers.DictField(help_text="By name, as the adapter asks for them; they cannot be read again")


class Arming(Reasoned):
    name = StrictTextField(max_length=accounts.MAX_NAME, help_text="The account's, typed in once more")


class Connection(StrictSerializer):
    account_id = serializers.UUIDField()


class AccountAnswer(Answer):
    """What is null is for the owner's eyes. `untrusted`: why nothing is sent to it now; empty when orders may leave."""

    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=Account.Status.choices)
    owned = serializers.BooleanField(help_text="Whether it is yours")
    adapter = serializers.CharField(allow_null=True)
    mode = serializers.ChoiceField(choices=Account.Mode.choices, allow_null=True)
    untrusted = serializers.CharField(allow_null=True)
    has_credentials = serializers.BooleanField(allow_null=True)
    armed_at = serializers.DateTimeField(allow_null=True)
    reconciled_at = serializers.DateTimeField(allow_null=True)
    latency_ms = serializers.IntegerField(allow_null=True)
    most_per_quote = AmountField(allow_null=True)
    created_at = serializers.DateTimeField(allow_null=True)


class AccountPage(PageAnswer):
    results = AccountAnswer(many=True)


class SecretAnswer(Answer):
    secret = serializers.CharField(help_text="Shown now and never again; the one before it stays good until the next")


def visible_to(user: Any) -> QuerySet[Account]:
    """His own, and those that a portfolio he is a member of trades through."""
    return Account.objects.filter(Q(owner=user) | Q(portfolios__memberships__user=user)).distinct()


def account_for(request: Request, public_id: str, *, own: bool = False) -> Account:
    """Raises Problem: 404 account_not_found, 403 owners_only."""
    account = visible_to(request.user).filter(public_id=uuid_or_404(public_id, "account")).first()
    if account is None:
        raise not_found("account")
    if own and account.owner_id != request.user.pk:
        raise Problem(403, "owners_only", "Only the owner of this account may do this.")
    return account


def shown(request: Request, account: Account) -> dict[str, Any]:
    owned = account.owner_id == request.user.pk
    told: dict[str, Any] = {str(name): None for name in AccountAnswer().fields}
    told |= {"public_id": account.public_id, "owned": owned, "name": account.name, "state": account.state}
    if owned:
        told |= {name: getattr(account, name) for name in told if hasattr(account, name)}
        told |= {"untrusted": why_untrusted(account), "has_credentials": bool(account.sealed)}
    return dict(AccountAnswer(told).data)


def answered(request: Request, account: Account, status: int = 200) -> Response:
    return Response(shown(request, Account.objects.get(pk=account.pk)), status=status)


def account_door(name: str, summary: str, accepts: type[StrictSerializer], status: int = 200) -> Any:
    return extend_schema(operation_id=name, summary=summary, request=accepts, responses={status: AccountAnswer})


class AccountList(ApiView):
    scopes = {"GET": "read", "POST": OWN_ACCOUNT}
    queries = {"GET": PageQuery}

    @extend_schema(operation_id="list_accounts", summary="Your accounts at brokers", responses=AccountPage)
    def get(self, request: Request) -> Response:
        return paged(self, visible_to(request.user), lambda page: [shown(request, account) for account in page])

    @account_door("open_account", "Open an account", NewAccount, 201)
    def post(self, request: Request) -> Response:
        body = read_body(request, NewAccount)
        account = accounts.create_account(owner=user_of(request), actor=actor_of(request), **body)
        return answered(request, account, 201)


class AccountDetail(ApiView):
    scopes = {"GET": "read", "PATCH": OWN_ACCOUNT}

    @extend_schema(operation_id="get_account", summary="One account", responses=AccountAnswer)
    def get(self, request: Request, public_id: str) -> Response:
        return answered(request, account_for(request, public_id))

    @account_door(
        "change_account", "Rename an account, or say how its paper venue fills; its owner only", AccountChange
    )
    def patch(self, request: Request, public_id: str) -> Response:
        account = account_for(request, public_id, own=True)
        body = read_body(request, AccountChange)
        actor = actor_of(request)
        terms = {name: body.pop(name) for name in ("latency_ms", "most_per_quote") if name in body}
        if terms:
            now = {"latency_ms": account.latency_ms, "most_per_quote": account.most_per_quote}
            accounts.set_paper_terms(account_id=account.pk, actor=actor, **(now | terms))
        if body:
            accounts.rename_account(account_id=account.pk, actor=actor, **body)
        return answered(request, account)


class AccountCredentials(ApiView):
    """Written, never read: whoever lost them gives them anew. The books are compared and live trading armed anew."""

    scopes = {"PUT": OWN_ACCOUNT}

    @account_door("set_credentials", "Give an account its broker's credentials; its owner only", NewCredentials)
    def put(self, request: Request, public_id: str) -> Response:
        account = account_for(request, public_id, own=True)
        given = read_body(request, NewCredentials)["credentials"]
        accounts.seal_credentials(account_id=account.pk, given=given, actor=actor_of(request))
        return answered(request, account)


class WebhookSecret(ApiView):
    scopes = {"POST": OWN_ACCOUNT}

    @extend_schema(
        operation_id="rotate_webhook_secret",
        summary="Make a new secret for what the broker delivers; its owner only",
        request=NoFields,
        responses={201: SecretAnswer},
    )
    def post(self, request: Request, public_id: str) -> Response:
        account = account_for(request, public_id, own=True)
        read_body(request, NoFields)
        secret = accounts.rotate_webhook_secret(account_id=account.pk, actor=actor_of(request))
        return Response({"secret": secret}, status=201)


class ArmAccount(ApiView):
    """Needs equal books, credentials that can be read, a guarded log, a reason, and the account's name typed in."""

    scopes = {"POST": OWN_ACCOUNT}

    @account_door("arm_account", "Let orders leave for real; its owner only", Arming)
    def post(self, request: Request, public_id: str) -> Response:
        account = account_for(request, public_id, own=True)
        body = read_body(request, Arming)
        accounts.arm_account(account_id=account.pk, actor=actor_of(request), **body)
        return answered(request, account)


class DisarmAccount(ApiView):
    scopes = {"POST": OWN_ACCOUNT}

    @account_door("disarm_account", "Let no order leave any more; its owner only", Reasoned)
    def post(self, request: Request, public_id: str) -> Response:
        account = account_for(request, public_id, own=True)
        reason = read_body(request, Reasoned)["reason"]
        accounts.disarm_account(account_id=account.pk, reason=reason, actor=actor_of(request))
        return answered(request, account)


class CloseAccount(ApiView):
    """For good, and only once no open portfolio trades through it: until then 409."""

    scopes = {"POST": OWN_ACCOUNT}

    @account_door("close_account", "Close an account; its owner only", NoFields)
    def post(self, request: Request, public_id: str) -> Response:
        account = account_for(request, public_id, own=True)
        read_body(request, NoFields)
        accounts.close_account(account_id=account.pk, actor=actor_of(request))
        return answered(request, account)


class PortfolioAccount(ApiView):
    scopes = {"PUT": OWN_ACCOUNT}

    @extend_schema(
        operation_id="connect_portfolio",
        summary="Send a portfolio's orders to another account of yours; owners only",
        request=Connection,
        responses=PortfolioAnswer,
    )
    def put(self, request: Request, public_id: str) -> Response:
        portfolio = portfolio_for(request, public_id, own=True)
        named = read_body(request, Connection)["account_id"]
        account = account_for(request, str(named))
        connect_portfolio(portfolio_id=portfolio.pk, account_id=account.pk, actor=actor_of(request))
        return Response(show_portfolio(request, portfolio))
