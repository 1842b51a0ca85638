"""Portfolios: open one, list them, look at one, rename it, close it."""

from typing import Any

from django.db.models import Count, F, Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.access import portfolio_for
from portfolios.api.answers import PortfolioAnswer, PortfolioPage
from portfolios.api.authentication import actor_of, user_of
from portfolios.api.requests import NewPortfolio, NoFields, PortfolioQuery, RenamedPortfolio
from portfolios.api.views import ApiView, paged, read_body
from portfolios.models import Portfolio, Position
from portfolios.services.portfolios import close_portfolio, create_portfolio, rename_portfolio


def shown_to(user: Any) -> QuerySet[Portfolio]:
    """His portfolios with his role and the number of cells that are not closed."""
    still_open = Count("positions", filter=~Q(positions__state=Position.Status.CLOSED))
    return (
        Portfolio.objects.visible_to(user)
        .select_related("account")
        .annotate(role=F("memberships__role"), open_cells=still_open)
    )


def show_portfolio(request: Request, portfolio: Portfolio) -> dict[str, Any]:
    return dict(PortfolioAnswer(shown_to(request.user).get(pk=portfolio.pk)).data)


class PortfolioList(ApiView):
    """A new portfolio is on paper, and yours."""

    scopes = {"GET": "read", "POST": "trade"}
    queries = {"GET": PortfolioQuery}

    @extend_schema(
        operation_id="list_portfolios", summary="The portfolios you are a member of", responses=PortfolioPage
    )
    def get(self, request: Request) -> Response:
        found = shown_to(request.user)
        if "state" in self.query:
            found = found.filter(state=self.query["state"])
        return paged(self, found, lambda page: list(PortfolioAnswer(page, many=True).data))

    @extend_schema(
        operation_id="open_portfolio",
        summary="Open a portfolio",
        request=NewPortfolio,
        responses={201: PortfolioAnswer},
    )
    def post(self, request: Request) -> Response:
        body = read_body(request, NewPortfolio)
        portfolio = create_portfolio(owner=user_of(request), name=body["name"], source=body["source"])
        return Response(show_portfolio(request, portfolio), status=201)


class PortfolioDetail(ApiView):
    scopes = {"GET": "read", "PATCH": "trade"}

    @extend_schema(operation_id="get_portfolio", summary="One portfolio", responses=PortfolioAnswer)
    def get(self, request: Request, public_id: str) -> Response:
        return Response(show_portfolio(request, portfolio_for(request, public_id)))

    @extend_schema(
        operation_id="rename_portfolio",
        summary="Give a portfolio another name; owners only",
        request=RenamedPortfolio,
        responses=PortfolioAnswer,
    )
    def patch(self, request: Request, public_id: str) -> Response:
        portfolio = portfolio_for(request, public_id, own=True)
        body = read_body(request, RenamedPortfolio)
        rename_portfolio(portfolio_id=portfolio.pk, name=body["name"], actor=actor_of(request))
        return Response(show_portfolio(request, portfolio))


class ClosePortfolio(ApiView):
    """For good, and only once every cell in it is closed: until then 409."""

    scopes = {"POST": "trade"}

    @extend_schema(
        operation_id="close_portfolio",
        summary="Close a portfolio; owners only",
        request=NoFields,
        responses=PortfolioAnswer,
    )
    def post(self, request: Request, public_id: str) -> Response:
        portfolio = portfolio_for(request, public_id, own=True)
        read_body(request, NoFields)
        close_portfolio(portfolio_id=portfolio.pk, actor=actor_of(request))
        return Response(show_portfolio(request, portfolio))
