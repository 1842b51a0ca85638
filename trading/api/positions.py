"""Cells: open one, list them, look at one."""

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.access import portfolio_for
from portfolios.api.authentication import actor_of, user_of
from portfolios.api.views import ApiView, once, paged, read_body
from portfolios.errors import Refused
from portfolios.models import Portfolio, Position
from portfolios.services.portfolios import default_portfolio
from trading.api.access import position_for
from trading.api.acts import ETAG, etag
from trading.api.answers import PositionAnswer, PositionPage, show_positions
from trading.api.past import AsOfQuery, PastAnswer
from trading.api.requests import NewPosition, PositionQuery
from trading.cards import RELATED, position_card, position_cards
from trading.past import past_of
from trading.services import opening


class PositionList(ApiView):
    """A cell opens with its own shares and cash, in the portfolio named or the first you may act in."""

    scopes = {"GET": "read", "POST": "trade"}
    queries = {"GET": PositionQuery}
    idempotent = {"POST": "optional"}

    @extend_schema(operation_id="list_positions", summary="Your cells", responses=PositionPage)
    def get(self, request: Request) -> Response:
        found = Position.objects.visible_to(request.user).select_related(*RELATED)
        filters = {"portfolio_id": "portfolio__public_id", "ticker": "symbol", "state": "state"}
        wanted = {column: self.query[name] for name, column in filters.items() if name in self.query}
        return paged(self, found.filter(**wanted), lambda page: show_positions(position_cards(page)))

    @extend_schema(
        operation_id="open_position", summary="Open a cell", request=NewPosition, responses={201: PositionAnswer}
    )
    def post(self, request: Request) -> Response:
        portfolio = self.portfolio(request)

        def opened() -> dict[str, Any]:
            position = open_position(request, portfolio)
            return dict(PositionAnswer(position_card(position)).data)

        answer = once(self, portfolio_id=portfolio.pk, subject=str(portfolio.public_id), answer=opened)
        return Response(answer.body, status=201 if answer.is_first else 200)

    def portfolio(self, request: Request) -> Portfolio:
        named = named_portfolio(request.data)
        if named is None:
            return default_portfolio(user=user_of(request))
        return portfolio_for(request, named, steer=True)


def named_portfolio(body: Any) -> str | None:
    """By either of its two names. Raises Refused where they name two portfolios."""
    given = [body[name] for name in ("portfolio", "portfolio_id") if name in body] if isinstance(body, dict) else []
    named = [name for name in given if isinstance(name, str)]
    if len({name.lower() for name in named}) > 1:
        raise Refused("invalid_fields", "another portfolio than `portfolio` names; give one", field="portfolio_id")
    return named[0] if named else None


def open_position(request: Request, portfolio: Portfolio) -> Position:
    body = read_body(request, NewPosition)
    return opening.open_position(
        portfolio=portfolio,
        symbol=body["ticker"],
        shares=body["qty"],
        cash=body["cash"],
        anchor=body.get("anchor") or 0,
        given_settings=body.get("settings"),
        actor=actor_of(request),
        author=user_of(request),
    )


NOW_OR_THEN = PolymorphicProxySerializer("PositionNowOrThen", [PositionAnswer, PastAnswer], None)


class PositionDetail(ApiView):
    """With `as_of` as it was then, without as it is now."""

    scopes = {"GET": "read"}
    queries = {"GET": AsOfQuery}

    @extend_schema(
        operation_id="get_position",
        summary="One cell: price, worth, next action both ways; or as it was at a past instant",
        responses=NOW_OR_THEN,
        parameters=[ETAG],
    )
    def get(self, request: Request, public_id: str) -> Response:
        position = position_for(request, public_id)
        if "as_of" in self.query:
            return Response(PastAnswer(past_of(position, self.query["as_of"])).data)
        return Response(PositionAnswer(position_card(position)).data, headers={"ETag": etag(position.event_seq)})
