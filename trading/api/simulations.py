"""Runs of the past: asked for, looked at, stopped, thrown away. Whose they are sees them, and nobody else."""

from functools import partial

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from portfolios.api.access import uuid_or_404
from portfolios.api.amounts import AmountField
from portfolios.api.authentication import actor_of, user_of
from portfolios.api.pagination import PageQuery
from portfolios.api.problems import Problem, not_found
from portfolios.api.requests import NameField, NoFields
from portfolios.api.serializers import StrictSerializer, StrictTextField
from portfolios.api.views import ApiView, paged, read_body
from portfolios.domain.amounts import MICROS, PPM
from portfolios.services.idempotency import fingerprint_of, read_key
from trading.api.numbered import Numbered
from trading.api.run_answers import (
    PPM_IN_BPS,
    BpsField,
    RunAnswer,
    RunDayAnswer,
    RunDayPage,
    RunFillAnswer,
    RunFillPage,
    RunPage,
    RunRowAnswer,
)
from trading.bars.resolutions import DAILY, RESOLUTIONS
from trading.simulation.archive import Series, unpacked
from trading.simulation.kept import day_at, step_at, trade_numbers
from trading.simulation.models import SimulationRun, Work
from trading.simulation.selectors import runs_of
from trading.simulation.services import (
    MAX_CASH,
    MAX_SLIPPAGE,
    Asked,
    ask_once,
    cancel_work,
    create_run,
    delete_work,
)
from trading.simulation.stage import CLOSE, PATHS
from trading.tasks import ring, run_simulation

FILTERS = ("symbol", "resolution", "status")


class NewRun(StrictSerializer):
    symbol = StrictTextField(max_length=12, help_text="Of recorded bars, as `GET /v1/market/series` has them")
    resolution = serializers.ChoiceField(
        choices=RESOLUTIONS, default=DAILY, help_text="How long a bar lasts, of those recorded for the symbol"
    )
    settings = serializers.DictField(default=dict, help_text="By name, as people write them; see docs/concepts/rule.md")
    cash = AmountField(low=MICROS, high=MAX_CASH, default=10_000 * MICROS)
    in_stock = AmountField(high=PPM, default=PPM // 2, help_text="Part of the cash that is stock at the first close")
    slippage_bps = BpsField(high=MAX_SLIPPAGE * MICROS // PPM_IN_BPS, default=0)
    first_day = serializers.DateField(required=False, allow_null=True, default=None, help_text="Left out: the first")
    last_day = serializers.DateField(required=False, allow_null=True, default=None, help_text="Left out: the last")
    path = serializers.ChoiceField(
        choices=PATHS, default=CLOSE, help_text="Looks at each close, or along a path inside each bar"
    )
    name = NameField(max_length=120, allow_blank=True, default="")


class RunQuery(PageQuery):
    symbol = serializers.CharField(required=False, max_length=12)
    resolution = serializers.ChoiceField(choices=RESOLUTIONS, required=False)
    status = serializers.ChoiceField(choices=Work.Status.choices, required=False)


class RowQuery(PageQuery):
    ordering = serializers.ChoiceField(choices=["number", "-number"], default="number")


def run_for(request: Request, public_id: str) -> SimulationRun:
    """Raises Problem: 404 run_not_found, for a stranger's as for an unknown one."""
    found = SimulationRun.objects.visible_to(request.user).defer("series")
    run: SimulationRun | None = found.filter(public_id=uuid_or_404(public_id, "run")).first()
    if run is None:
        raise not_found("run")
    return run


def series_for(request: Request, public_id: str) -> Series:
    """Raises Problem: 404 run_not_found, 409 run_not_done."""
    return series_in(run_for(request, public_id))


def series_in(run: SimulationRun) -> Series:
    if run.status != Work.Status.DONE or run.series is None:
        raise Problem(409, "run_not_done", f"This run is {run.status}: there are no rows of it.")
    return unpacked(bytes(run.series))


class RunList(ApiView):
    """Newest first. At most 10 of yours wait or are worked on, at most 200 are kept."""

    scopes = {"GET": "read", "POST": "simulate"}
    queries = {"GET": RunQuery}
    idempotent = {"POST": "optional"}

    @extend_schema(operation_id="list_simulations", summary="Your runs of the past", responses=RunPage)
    def get(self, request: Request) -> Response:
        named = {name: self.query[name] for name in FILTERS if name in self.query}
        rows = runs_of(request.user).filter(**named)
        return paged(self, rows, lambda page: list(RunRowAnswer(page, many=True).data))

    @extend_schema(
        operation_id="create_simulation",
        summary="Ask what settings would have done",
        description="A worker carries it out: `Location` is where it can be followed. Scope: `simulate`. The same "
        "Idempotency-Key with the same body answers 200 with the first run as it is by then; with another body, 409.",
        request=NewRun,
        responses={202: RunAnswer, 200: RunAnswer},
    )
    def post(self, request: Request) -> Response:
        asked = asked_once(request)
        if asked.is_first:
            transaction.on_commit(partial(ring, run_simulation, run_id=asked.run.pk))
        where = reverse("api-simulation", [str(asked.run.public_id)], request=request)
        status = 202 if asked.is_first else 200
        return Response(RunAnswer(asked.run).data, status=status, headers={"Location": where})


def asked_once(request: Request) -> Asked:
    """Once per Idempotency-Key; without one, once more each time."""
    header = request.headers.get("Idempotency-Key")
    if header is None:
        return Asked(asked_for(request), is_first=True)
    key, owner = read_key(header), user_of(request)
    fingerprint = fingerprint_of(method="POST", route="simulations", subject="", body=request.data)
    return ask_once(owner=owner, key=key, fingerprint=fingerprint, ask=partial(asked_for, request))


def asked_for(request: Request) -> SimulationRun:
    body = read_body(request, NewRun)
    slippage = body.pop("slippage_bps")
    return create_run(owner=user_of(request), slippage=slippage, **body)


class RunDetail(ApiView):
    scopes = {"GET": "read", "DELETE": "simulate"}

    @extend_schema(
        operation_id="get_simulation", summary="One run: how far it is, what came of it", responses=RunAnswer
    )
    def get(self, request: Request, public_id: str) -> Response:
        return Response(RunAnswer(run_for(request, public_id)).data)

    @extend_schema(
        operation_id="delete_simulation",
        summary="Throw a run away, finished or not",
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request, public_id: str) -> Response:
        delete_work(work=run_for(request, public_id))
        return Response(status=204)


class CancelRun(ApiView):
    """Twice is once. 409 `already_over` where it is done or has failed."""

    scopes = {"POST": "simulate"}

    @extend_schema(operation_id="cancel_simulation", summary="Stop a run", request=NoFields, responses=RunAnswer)
    def post(self, request: Request, public_id: str) -> Response:
        run = run_for(request, public_id)
        read_body(request, NoFields)
        return Response(RunAnswer(cancel_work(work=run, actor=actor_of(request))).data)


class RunFills(ApiView):
    """In order, each with what it left behind. 409 `run_not_done` while there are none."""

    scopes = {"GET": "read"}
    queries = {"GET": RowQuery}

    @extend_schema(operation_id="list_simulation_fills", summary="The trades of a run", responses=RunFillPage)
    def get(self, request: Request, public_id: str) -> Response:
        series = series_for(request, public_id)
        rows = Numbered(trade_numbers(series), partial(step_at, series))
        return paged(self, rows, lambda page: list(RunFillAnswer(page, many=True).data), key="number")


class RunDays(ApiView):
    """Beside what the same money was worth without the robot. 409 `run_not_done` while there are none."""

    scopes = {"GET": "read"}
    queries = {"GET": RowQuery}

    @extend_schema(operation_id="list_simulation_days", summary="A run session by session", responses=RunDayPage)
    def get(self, request: Request, public_id: str) -> Response:
        series = series_for(request, public_id)
        rows = Numbered(range(1, len(series.days) + 1), partial(day_at, series))
        return paged(self, rows, lambda page: list(RunDayAnswer(page, many=True).data), key="number")
