"""The market as the robot sees it: what time it is there, newest prices, recorded sessions. The same for all."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.problems import not_found
from portfolios.api.views import ApiView, paged
from portfolios.services.positions import SYMBOL
from trading.api.market_answers import BarAnswer, BarPage, MarketAnswer, QuoteAnswer
from trading.api.requests import BarQuery, SourceQuery
from trading.market.calendars import DEFAULT_EXCHANGE, calendar_for
from trading.market.models import Bar, Instrument
from trading.market.selectors import clock_of, latest_quote, market_day, market_now


class MarketStatus(ApiView):
    """A replayed market has a clock of its own; every other keeps the time of day."""

    scopes = {"GET": "read"}
    queries = {"GET": SourceQuery}

    @extend_schema(operation_id="get_market_status", summary="What time it is in a market", responses=MarketAnswer)
    def get(self, request: Request) -> Response:
        source, calendar = self.query["source"], calendar_for(DEFAULT_EXCHANGE)
        at = market_now(source)
        status = {
            "source": source,
            "exchange": calendar.exchange,
            "at": at,
            "day": market_day(source),
            "phase": calendar.phase(at),
            "next_open": calendar.next_open(at),
            "replay": clock_of(source),
        }
        return Response(MarketAnswer(status).data)


class NewestQuote(ApiView):
    scopes = {"GET": "read"}
    queries = {"GET": SourceQuery}

    @extend_schema(operation_id="get_quote", summary="The newest price of a symbol", responses=QuoteAnswer)
    def get(self, request: Request, symbol: str) -> Response:
        source = self.query["source"]
        quote = latest_quote(symbol_or_404(symbol), source)
        if quote is None:
            raise not_found("symbol")
        age = max(int((market_now(source) - quote.at).total_seconds() * 1000), 0)
        return Response(QuoteAnswer({"quote": quote, "age_ms": age}).data)


class BarList(ApiView):
    """Raw as traded: a split shows as a jump. The whole record, whatever the day a replay stands at."""

    scopes = {"GET": "read"}
    queries = {"GET": BarQuery}

    @extend_schema(operation_id="list_bars", summary="Recorded sessions of a symbol", responses=BarPage)
    def get(self, request: Request, symbol: str) -> Response:
        if not Instrument.objects.filter(symbol=symbol_or_404(symbol)).exists():
            raise not_found("symbol")
        filters = {"from": "day__gte", "to": "day__lte"}
        wanted = {column: self.query[name] for name, column in filters.items() if name in self.query}
        found = Bar.objects.filter(symbol=symbol, **wanted)
        return paged(self, found, lambda page: list(BarAnswer(page, many=True).data), key="day")


def symbol_or_404(text: str) -> str:
    if not SYMBOL.fullmatch(text):
        raise not_found("symbol")
    return text
