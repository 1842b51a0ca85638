"""API tokens: list yours, make one, revoke one. For people in their browser, and tokens of staff."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.answers import NewTokenAnswer, TokenAnswer, TokenPage
from portfolios.api.authentication import OWN_ACCOUNT, scopes_of, user_of
from portfolios.api.pagination import PageQuery
from portfolios.api.problems import Fault, Problem, not_found
from portfolios.api.requests import NewToken
from portfolios.api.views import ApiView, paged, read_body
from portfolios.models import ApiToken
from portfolios.services.tokens import create_token, revoke_token


class TokenList(ApiView):
    """A token can do at most what its maker can. Its secret is in the first answer and nowhere else."""

    scopes = {"GET": OWN_ACCOUNT, "POST": OWN_ACCOUNT}
    queries = {"GET": PageQuery}

    @extend_schema(operation_id="list_tokens", summary="Your API tokens, without their secrets", responses=TokenPage)
    def get(self, request: Request) -> Response:
        found = ApiToken.objects.filter(user=user_of(request))
        return paged(self, found, lambda page: list(TokenAnswer(page, many=True).data))

    @extend_schema(
        operation_id="create_token", summary="Make an API token", request=NewToken, responses={201: NewTokenAnswer}
    )
    def post(self, request: Request) -> Response:
        body = read_body(request, NewToken)
        refuse_more_than_own(request, body["scopes"])
        token, secret = create_token(user=user_of(request), **body)
        return Response(TokenAnswer(token).data | {"secret": secret}, status=201)


def refuse_more_than_own(request: Request, scopes: list[str]) -> None:
    beyond = sorted(set(scopes) - scopes_of(request))
    if beyond:
        sentence = f"You cannot grant what you have not: {', '.join(beyond)}."
        raise Problem(403, "insufficient_scope", sentence, faults=[Fault("beyond", sentence, pointer="#/scopes")])


class TokenDetail(ApiView):
    scopes = {"DELETE": OWN_ACCOUNT}

    @extend_schema(operation_id="revoke_token", summary="Revoke one of your API tokens, at once", responses={204: None})
    def delete(self, request: Request, prefix: str) -> Response:
        token = ApiToken.objects.filter(user=user_of(request), prefix=prefix, revoked_at=None).first()
        if token is None:
            raise not_found("token")
        revoke_token(token_id=token.pk)
        return Response(status=204)
