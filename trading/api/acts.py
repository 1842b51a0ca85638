"""Acts on one cell: its cash, its shares put right, its anchor, its state. Each is an event with actor and reason.

Whoever looked first may name what he saw (`If-Match`): the act is refused when the cell has moved on since.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.authentication import actor_of
from portfolios.api.problems import Problem
from portfolios.api.serializers import StrictSerializer
from portfolios.api.views import ApiView, once, read_body
from portfolios.models import Position
from portfolios.services import positions
from trading.api.access import position_for
from trading.api.answers import PositionAnswer
from trading.api.requests import Adjustment, NewAnchor, Reasoned, Transfer
from trading.cards import position_card
from trading.market.selectors import market_now
from trading.services.closing import close_position
from trading.services.quarantine import release_cell

IF_MATCH = OpenApiParameter(
    "If-Match",
    location=OpenApiParameter.HEADER,
    description="The ETag of the cell as it was looked at. Left out: whatever happened since.",
)
ETAG = OpenApiParameter("ETag", location=OpenApiParameter.HEADER, response=[200], description="For If-Match.")


def act(accepts: type[StrictSerializer], name: str, summary: str) -> Any:
    """How an act is drawn in the schema."""
    return extend_schema(
        operation_id=f"{name}_position",
        summary=summary,
        request=accepts,
        responses=PositionAnswer,
        parameters=[IF_MATCH, ETAG],
    )


class Act(ApiView):
    """What the doors below share: found, locked, compared with what was seen, done once per key, shown."""

    scopes = {"POST": "trade"}
    idempotent = {"POST": "optional"}

    def acted(self, public_id: str, accepts: type[StrictSerializer], service: Callable[..., object]) -> Response:
        position = position_for(self.request, public_id, steer=True)

        @transaction.atomic
        def answer() -> dict[str, Any]:
            body = read_body(self.request, accepts)
            refuse_stale(self.request, Position.objects.locked().get(pk=position.pk))
            service(position_id=position.pk, actor=actor_of(self.request), **body)
            return dict(PositionAnswer(position_card(position_for(self.request, public_id))).data)

        subject = str(position.public_id)
        shown = once(self, portfolio_id=position.portfolio_id, subject=subject, answer=answer).body
        return Response(shown, headers={"ETag": etag(shown["last_seq"])})

    def acted_now(self, public_id: str, accepts: type[StrictSerializer], service: Callable[..., object]) -> Response:
        """The same for the services of the ground floor, which do not know what time it is on the market."""

        def at_market_time(*, position_id: int, **rest: Any) -> None:
            source = Position.objects.values_list("source", flat=True).get(pk=position_id)
            service(position_id=position_id, market_at=market_now(source), **rest)

        return self.acted(public_id, accepts, at_market_time)


def etag(last_seq: int) -> str:
    """A cell changes with its log only; the price beside it has its own time."""
    return f'"{last_seq}"'


def refuse_stale(request: Request, position: Position) -> None:
    header = request.headers.get("If-Match")
    if header is not None and not {"*", etag(position.event_seq)} & set(parse_etags(header)):
        raise Problem(412, "stale_position", "Something happened to this cell since you looked; look again.")


class Deposit(Act):
    @act(Transfer, "deposit_into", "Add cash")
    def post(self, request: Request, public_id: str) -> Response:
        return self.acted_now(public_id, Transfer, positions.deposit)


class Withdraw(Act):
    """Settled cash that no open order is promised; also out of a closed cell."""

    @act(Transfer, "withdraw_from", "Take cash out")
    def post(self, request: Request, public_id: str) -> Response:
        return self.acted_now(public_id, Transfer, positions.withdraw)


class Adjust(Act):
    """For what happened outside: a transfer of shares, a correction by the broker. Never below what is reserved."""

    @act(Adjustment, "adjust", "Put shares and cash right by hand")
    def post(self, request: Request, public_id: str) -> Response:
        return self.acted_now(public_id, Adjustment, adjust)


def adjust(*, qty: int, cash: int, **rest: Any) -> None:
    positions.adjust(d_shares=qty, d_cash=cash, **rest)


class Anchor(Act):
    @act(NewAnchor, "anchor", "Set the price the triggers measure from")
    def post(self, request: Request, public_id: str) -> Response:
        return self.acted_now(public_id, NewAnchor, positions.set_anchor)


class Pause(Act):
    """The robot leaves the cell alone; people may still act."""

    @act(Reasoned, "pause", "Pause the robot")
    def post(self, request: Request, public_id: str) -> Response:
        return self.acted_now(public_id, Reasoned, positions.pause)


class Resume(Act):
    @act(Reasoned, "resume", "Let the robot go on")
    def post(self, request: Request, public_id: str) -> Response:
        return self.acted_now(public_id, Reasoned, positions.resume)


class Release(Act):
    """Refused (409) while shares or cash are below zero, or an order is open or its fate unknown."""

    @act(Reasoned, "release", "Release a quarantined cell")
    def post(self, request: Request, public_id: str) -> Response:
        return self.acted(public_id, Reasoned, release_cell)


class Close(Act):
    """The end of a cell without an open order. Shares and cash stay where they are; cash can still be withdrawn."""

    @act(Reasoned, "close", "Close the cell")
    def post(self, request: Request, public_id: str) -> Response:
        return self.acted(public_id, Reasoned, close_position)
