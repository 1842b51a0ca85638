"""Sweeps: grids over settings, asked for, followed, ranked, mapped, and used where the verdict allows it."""

from functools import partial
from typing import Any, NamedTuple

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from portfolios.api.access import uuid_or_404
from portfolios.api.authentication import actor_of, user_of
from portfolios.api.problems import Fault, Problem, not_found
from portfolios.api.requests import NoFields
from portfolios.api.serializers import StrictSerializer, StrictTextField
from portfolios.api.views import ApiView, paged, read_body
from portfolios.domain.amounts import MICROS
from portfolios.domain.settings import written
from trading.api.access import position_for
from trading.api.numbered import Numbered
from trading.api.settings_answers import SettingsAnswer, Subject, show_settings
from trading.api.simulations import FILTERS, NewRun, RowQuery, RunQuery
from trading.api.sweep_answers import (
    MapAnswer,
    RankedAnswer,
    RankedPage,
    SweepAnswer,
    SweepPage,
    SweepRowAnswer,
    TrialAnswer,
    show_map,
)
from trading.market.selectors import market_now
from trading.simulation.applying import use_settings
from trading.simulation.grid import MOST_AXES, Grid
from trading.simulation.models import Sweep, Work
from trading.simulation.ranking import (
    AMOUNTS,
    Bound,
    Trial,
    grid_of,
    heat_map,
    ranked,
    sweeps_of,
    table_of,
    trial,
    verdict_on,
)
from trading.simulation.services import cancel_work, delete_work
from trading.simulation.sweeps import create_sweep
from trading.simulation.trials import METRICS
from trading.tasks import ring_sweep


class NewSweep(NewRun):
    path = None  # type: ignore[assignment]  # a sweep looks at each close
    axes = serializers.ListField(
        child=serializers.DictField(),
        min_length=1,
        max_length=MOST_AXES,
        help_text="Each name, from, to and step (exact, both ends included), or name and values",
    )


class MetricQuery(StrictSerializer):
    metric = serializers.ChoiceField(choices=METRICS, default="timing_sharpe")


class TrialQuery(RowQuery, MetricQuery):
    """`min_` and `max_` before a metric's name keep what is within, both included."""

    reverse = serializers.BooleanField(default=False, help_text="The worst first")

    def get_fields(self) -> dict[str, Any]:
        bounds = {f"{end}_{name}": serializers.FloatField(required=False) for name in METRICS for end in ("min", "max")}
        return super().get_fields() | bounds


class MapQuery(MetricQuery):
    x = serializers.CharField(max_length=40)
    y = serializers.CharField(max_length=40, required=False)


class Use(StrictSerializer):
    position_id = serializers.UUIDField()
    override = StrictTextField(
        max_length=200, allow_blank=True, default="", help_text="Why all the same, where the verdict withholds it"
    )


class Ranked(NamedTuple):
    """number: its rank, from 1."""

    number: int
    trial: Trial


class Looked(NamedTuple):
    """One combination with what is said on it."""

    trial: Trial
    settings: dict[str, str | bool | None]
    verdict: Any


def sweep_for(request: Request, public_id: str) -> Sweep:
    """Raises Problem: 404 sweep_not_found, for a stranger's as for an unknown one."""
    sweep = sweeps_of(request.user).filter(public_id=uuid_or_404(public_id, "sweep")).first()
    if sweep is None:
        raise not_found("sweep")
    return sweep


def combination(grid: Grid, number: int) -> int:
    """Raises Problem: 404 trial_not_found."""
    if number >= grid.size or grid.merged(number) is None:
        raise not_found("trial")
    return number


class SweepList(ApiView):
    """Newest first. At most 3 of yours wait or are worked on, at most 50 are kept."""

    scopes = {"GET": "read", "POST": "simulate"}
    queries = {"GET": RunQuery}

    @extend_schema(operation_id="list_sweeps", summary="Your sweeps", responses=SweepPage)
    def get(self, request: Request) -> Response:
        named = {name: self.query[name] for name in FILTERS if name in self.query}
        rows = sweeps_of(request.user).defer("result").filter(**named)
        return paged(self, rows, lambda page: list(SweepRowAnswer(page, many=True).data))

    @extend_schema(
        operation_id="create_sweep",
        summary="Ask what every combination of settings would have done",
        description="Workers share it: `Location` is where it can be followed. Scope: `simulate`.",
        request=NewSweep,
        responses={202: SweepAnswer},
    )
    def post(self, request: Request) -> Response:
        body = read_body(request, NewSweep)
        slippage = body.pop("slippage_bps")
        sweep = create_sweep(owner=user_of(request), slippage=slippage, **body)
        transaction.on_commit(partial(ring_sweep, sweep.pk))
        where = reverse("api-sweep", [str(sweep.public_id)], request=request)
        return Response(SweepAnswer(sweep).data, status=202, headers={"Location": where})


class SweepDetail(ApiView):
    scopes = {"GET": "read", "DELETE": "simulate"}

    @extend_schema(operation_id="get_sweep", summary="One sweep: how far it is, and its verdict", responses=SweepAnswer)
    def get(self, request: Request, public_id: str) -> Response:
        return Response(SweepAnswer(sweep_for(request, public_id)).data)

    @extend_schema(
        operation_id="delete_sweep", summary="Throw a sweep away, finished or not", request=None, responses={204: None}
    )
    def delete(self, request: Request, public_id: str) -> Response:
        delete_work(work=sweep_for(request, public_id))
        return Response(status=204)


class CancelSweep(ApiView):
    """Twice is once. 409 `already_over` where it is done or has failed."""

    scopes = {"POST": "simulate"}

    @extend_schema(operation_id="cancel_sweep", summary="Stop a sweep", request=NoFields, responses=SweepAnswer)
    def post(self, request: Request, public_id: str) -> Response:
        sweep = sweep_for(request, public_id)
        read_body(request, NoFields)
        return Response(SweepAnswer(cancel_work(work=sweep, actor=actor_of(request))).data)


class SweepTrials(ApiView):
    """Best first by the metric; while the sweep runs, what is done so far."""

    scopes = {"GET": "read"}
    queries = {"GET": TrialQuery}

    @extend_schema(
        operation_id="list_sweep_trials", summary="The combinations of a sweep, ranked", responses=RankedPage
    )
    def get(self, request: Request, public_id: str) -> Response:
        sweep = sweep_for(request, public_id)
        grid, table = grid_of(sweep), table_of(sweep)
        order = ranked(table, self.query["metric"], bounds=bounds_in(self.query), reverse=self.query["reverse"])

        def show(rank: int) -> Ranked:
            return Ranked(rank, trial(grid, table, int(order[rank - 1])))

        rows = Numbered(range(1, len(order) + 1), show)
        return paged(self, rows, lambda page: list(RankedAnswer(page, many=True).data), key="number")


def bounds_in(query: dict[str, Any]) -> list[Bound]:
    return [
        Bound(name, scaled(name, query.get(f"min_{name}")), scaled(name, query.get(f"max_{name}")))
        for name in METRICS
        if {f"min_{name}", f"max_{name}"} & set(query)
    ]


def scaled(name: str, value: float | None) -> float | None:
    """Amounts are kept in micros."""
    return value * MICROS if value is not None and name in AMOUNTS else value


class SweepTrial(ApiView):
    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="get_sweep_trial", summary="One combination, and what is said on it", responses=TrialAnswer
    )
    def get(self, request: Request, public_id: str, number: int) -> Response:
        sweep = sweep_for(request, public_id)
        grid = grid_of(sweep)
        table, number = table_of(sweep), combination(grid, number)
        is_over = sweep.status == Work.Status.DONE
        verdict = verdict_on(sweep, grid, table, number).plain if is_over else None
        return Response(TrialAnswer(Looked(trial(grid, table, number), written(grid.settings(number)), verdict)).data)


class SweepMap(ApiView):
    scopes = {"GET": "read"}
    queries = {"GET": MapQuery}

    @extend_schema(operation_id="map_sweep", summary="One metric over any two axes", responses=MapAnswer)
    def get(self, request: Request, public_id: str) -> Response:
        sweep = sweep_for(request, public_id)
        grid = grid_of(sweep)
        names = {axis.name for axis in grid.axes}
        if self.query["x"] not in names:
            raise no_axis("x", names)
        if "y" in self.query and self.query["y"] not in names - {self.query["x"]}:
            raise no_axis("y", names - {self.query["x"]})
        found = heat_map(grid, table_of(sweep), self.query["metric"], self.query["x"], self.query.get("y"))
        return Response(show_map(found))


def no_axis(parameter: str, names: set[str]) -> Problem:
    fault = Fault("no_axis", f"Must be one of these: {', '.join(sorted(names))}.", parameter=parameter)
    return Problem(400, "invalid_parameters", "This grid has no such axis.", faults=[fault])


class UseTrial(ApiView):
    """409 `withheld` with the verdict's reason, unless `override` says why all the same: it stays in the cell's log."""

    scopes = {"POST": "trade"}

    @extend_schema(
        operation_id="use_sweep_trial", summary="Make it a cell's settings", request=Use, responses=SettingsAnswer
    )
    def post(self, request: Request, public_id: str, number: int) -> Response:
        sweep = sweep_for(request, public_id)
        number = combination(grid_of(sweep), number)
        body = read_body(request, Use)
        position = position_for(request, str(body["position_id"]), steer=True)
        use_settings(
            sweep=sweep,
            number=number,
            position=position,
            author=user_of(request),
            actor=actor_of(request),
            market_at=market_now(position.portfolio.source),
            override=body["override"],
        )
        position = position_for(request, str(body["position_id"]))
        return Response(show_settings(Subject(position.portfolio, position)))
