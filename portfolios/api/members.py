"""Who may enter a portfolio: its members, and the invitations by which others become members.

Letting others in takes a person in his browser (or a token of staff): a trading token that leaks must not.
"""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.access import portfolio_for
from portfolios.api.answers import InvitationAnswer, InvitationPage, MemberAnswer, MemberPage, NewInvitationAnswer
from portfolios.api.authentication import OWN_ACCOUNT, actor_of, user_of
from portfolios.api.pagination import PageQuery
from portfolios.api.problems import not_found
from portfolios.api.requests import Acceptance, Heir, NewInvitation, NewRole
from portfolios.api.views import ApiView, paged, read_body
from portfolios.letters import invitation_link, send_invitation
from portfolios.services import members


class MemberList(ApiView):
    scopes = {"GET": "read"}
    queries = {"GET": PageQuery}

    @extend_schema(operation_id="list_members", summary="Who may enter a portfolio, and as what", responses=MemberPage)
    def get(self, request: Request, public_id: str) -> Response:
        found = portfolio_for(request, public_id).memberships.select_related("user")
        return paged(self, found, lambda page: list(MemberAnswer(page, many=True).data))


class MemberDetail(ApiView):
    """An owner changes and removes others; anybody but the owner may remove himself."""

    scopes = {"PATCH": OWN_ACCOUNT, "DELETE": OWN_ACCOUNT}

    @extend_schema(
        operation_id="change_member", summary="Give a member another role", request=NewRole, responses=MemberAnswer
    )
    def patch(self, request: Request, public_id: str, username: str) -> Response:
        portfolio = portfolio_for(request, public_id, own=True)
        member = members.member_named(portfolio, username)
        role = read_body(request, NewRole)["role"]
        membership = members.change_role(
            portfolio_id=portfolio.pk, user_id=member.user_id, role=role, actor=actor_of(request)
        )
        return Response(MemberAnswer(membership).data)

    @extend_schema(operation_id="remove_member", summary="Send a member away, or leave", responses={204: None})
    def delete(self, request: Request, public_id: str, username: str) -> Response:
        leaves = username == request.user.get_username()
        portfolio = portfolio_for(request, public_id, own=not leaves)
        member = members.member_named(portfolio, username)
        members.remove_member(portfolio_id=portfolio.pk, user_id=member.user_id, actor=actor_of(request))
        return Response(status=204)


class TransferPortfolio(ApiView):
    """The old owner stays as a trader; the invitations he left open end."""

    scopes = {"POST": OWN_ACCOUNT}

    @extend_schema(
        operation_id="transfer_portfolio",
        summary="Make another member the owner",
        request=Heir,
        responses=MemberAnswer,
    )
    def post(self, request: Request, public_id: str) -> Response:
        portfolio = portfolio_for(request, public_id, own=True)
        heir = members.member_named(portfolio, read_body(request, Heir)["username"])
        members.transfer_ownership(portfolio_id=portfolio.pk, user_id=heir.user_id, actor=actor_of(request))
        heir.refresh_from_db()
        return Response(MemberAnswer(heir).data)


class InvitationList(ApiView):
    """The secret is in the first answer and nowhere else; whoever holds it may accept, once, within a week."""

    scopes = {"GET": OWN_ACCOUNT, "POST": OWN_ACCOUNT}
    queries = {"GET": PageQuery}

    @extend_schema(operation_id="list_invitations", summary="Open invitations; owners only", responses=InvitationPage)
    def get(self, request: Request, public_id: str) -> Response:
        found = (
            portfolio_for(request, public_id, own=True).invitations.open_at(timezone.now()).select_related("portfolio")
        )
        return paged(self, found, lambda page: list(InvitationAnswer(page, many=True).data))

    @extend_schema(
        operation_id="invite_member",
        summary="Invite somebody as trader or viewer; owners only",
        request=NewInvitation,
        responses={201: NewInvitationAnswer},
    )
    def post(self, request: Request, public_id: str) -> Response:
        portfolio = portfolio_for(request, public_id, own=True)
        body = read_body(request, NewInvitation)
        invitation, secret = members.invite(portfolio_id=portfolio.pk, actor=actor_of(request), **body)
        link = invitation_link(request._request, secret)
        sent = send_invitation(invitation, link=link, host=user_of(request).get_username())
        told = InvitationAnswer(invitation).data | {"secret": secret, "link": link, "letter_sent": sent}
        return Response(told, status=201)


class InvitationDetail(ApiView):
    scopes = {"DELETE": OWN_ACCOUNT}

    @extend_schema(
        operation_id="withdraw_invitation", summary="Withdraw an invitation; owners only", responses={204: None}
    )
    def delete(self, request: Request, public_id: str, invitation_id: UUID) -> Response:
        portfolio = portfolio_for(request, public_id, own=True)
        invitation = portfolio.invitations.open_at(timezone.now()).filter(public_id=invitation_id).first()
        if invitation is None:
            raise not_found("invitation")
        members.withdraw_invitation(invitation_id=invitation.pk, actor=actor_of(request))
        return Response(status=204)


class AcceptInvitation(ApiView):
    scopes = {"POST": OWN_ACCOUNT}

    @extend_schema(
        operation_id="accept_invitation",
        summary="Become a member by an invitation's secret",
        request=Acceptance,
        responses={201: MemberAnswer},
    )
    def post(self, request: Request) -> Response:
        secret = read_body(request, Acceptance)["secret"]
        membership = members.accept_invitation(secret=secret, user=user_of(request))
        return Response(MemberAnswer(membership).data, status=201)
