"""The next orders each way, before they happen."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.views import ApiView
from trading.api.access import position_for
from trading.api.answers import LadderAnswer
from trading.api.requests import LadderQuery
from trading.cards import position_ladder


class PositionLadder(ApiView):
    """Each rung as it would be were the price to move there and the order to fill there. Gates are taken as open."""

    scopes = {"GET": "read"}
    queries = {"GET": LadderQuery}

    @extend_schema(operation_id="get_ladder", summary="The next orders each way", responses=LadderAnswer)
    def get(self, request: Request, public_id: str) -> Response:
        position = position_for(request, public_id)
        return Response(LadderAnswer(position_ladder(position, self.query["rungs"])).data)
