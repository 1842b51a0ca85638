"""Simulations as pages show them: somebody's list, the form of a new one, and what came of one."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F
from django.shortcuts import get_object_or_404

from portfolios.domain.amounts import as_text
from portfolios.domain.holding import Rules, total_value
from portfolios.domain.settings import merge_settings, parse_settings, rules_from
from portfolios.models import Position, SettingsPreset, User
from portfolios.presets import PRESETS
from portfolios.typed import GROUPS, WORDS, Typed, typed_from, with_unit
from reporting import run_charts, tearsheet
from reporting.effects import effects_of
from reporting.paging import Slice, slice_of
from reporting.selectors.settings import Field, field_of
from trading.domain.explanation import stock_share
from trading.run_form import PERCENT_IN_PPM, RunForm
from trading.sight import glance
from trading.simulation.archive import Series, unpacked
from trading.simulation.bars import Split
from trading.simulation.engine import EX
from trading.simulation.kept import day_of
from trading.simulation.models import SimulationRun
from trading.simulation.recorded import recorded_actions, series_key
from trading.simulation.selectors import runs_of

SALT = "simulations"
TRADES, CELLS = 20, 12
OPENED = ("When it trades", "How much")


class NewRun(NamedTuple):
    """The form with what fills it. like: words for where its figures come from, empty where nobody's.

    opened: the groups of settings that are shown from the start; cells: whose settings it may begin with.
    """

    form: RunForm
    groups: dict[str, list[Field]]
    effects: list[str]
    own: list[SettingsPreset]
    cells: list[Position]
    like: str
    opened: list[str]

    @property
    def errors(self) -> list[str]:
        return list(self.form.settings.errors)


class Actions(NamedTuple):
    """The splits on the way, with their days, and how many dividends were earned."""

    splits: list[tuple[date, str]]
    dividends: int


class Sheet(NamedTuple):
    """The tear sheet of a run that is done."""

    verdict: tearsheet.Verdict
    figures: list[tearsheet.Row]
    facts: list[tearsheet.Fact]
    skips: list[tuple[str, int]]
    years: list[run_charts.Year]
    lines: dict[str, Any]
    splits: bool
    actions: Actions
    ends: list[tearsheet.End]
    undecided: int | None
    bars: int
    sessions: int
    rules: Rules
    trades: list[tearsheet.Trade]
    page: int
    pages: int

    @property
    def levels(self) -> tuple[float, float]:
        """The guardrails, in per cent."""
        return self.rules.guardrail_low / 10_000, self.rules.guardrail_high / 10_000


def list_of(user: User, cursor: str) -> Slice[SimulationRun]:
    """With the returns of those that are done, and nothing long."""
    told = {"trades": "trades", "robot": "metrics__total_return"}
    told |= {"held": "baselines__buy_and_hold__total_return", "mixed": "baselines__constant_mix__total_return"}
    return slice_of(runs_of(user).annotate(**{name: F(f"result__{path}") for name, path in told.items()}), cursor, SALT)


def run_seen_by(user: User, public_id: UUID) -> SimulationRun:
    """Raises Http404 for a stranger as for an unknown id."""
    return get_object_or_404(SimulationRun.objects.visible_to(user), public_id=public_id)


def rules_of(run: SimulationRun) -> Rules:
    return rules_from(merge_settings(parse_settings(run.settings)), default_buffer=run.slippage)


def splits_of(run: SimulationRun) -> list[Split]:
    """Within its days."""
    return [split for split in recorded_actions(run.symbol)[1] if run.first_day < split.ex_date <= run.last_day]


def actions_of(series: Series) -> Actions:
    splits = [(day_of(day), ratio) for day, ratio in run_charts.splits_in(series)]
    return Actions(splits, int((series.steps[:, 1] == EX).sum()))


def settings_told(run: SimulationRun) -> list[tuple[str, str]]:
    """Those that are not the default, in words."""
    usual, own = merge_settings(), parse_settings(run.settings)
    return [
        (WORDS[name].label, with_unit(name, own[name]))
        for name in WORDS
        if name in own and own[name] != usual.get(name)
    ]


def sheet_of(run: SimulationRun, page: int) -> Sheet:
    """`page` of its trades, from 1."""
    series, result = unpacked(bytes(run.series or b"")), run.result or {}
    pages = max(-(-result["trades"] // TRADES), 1)
    page, rules, splits = min(max(page, 1), pages), rules_of(run), splits_of(run)
    return Sheet(
        tearsheet.verdict_of(result, series, run.cash),
        tearsheet.figures_of(result, series, run.cash),
        tearsheet.facts_of(result, series),
        tearsheet.skips_told(result),
        run_charts.months_of(series.days, series.daily[:, 0], series.start),
        run_charts.drawn(series, rules, splits),
        bool(splits),
        actions_of(series),
        tearsheet.ends_told(result),
        result.get("undecided_bars"),
        result["bars"],
        len(series.days),
        rules,
        tearsheet.trades_of(series, (page - 1) * TRADES, TRADES),
        page,
        pages,
    )


def new_run(user: User, asked: Mapping[str, str], position: Position | None, like: SimulationRun | None) -> NewRun:
    """Filled with what was typed, else as that run or that cell has it, else with the usual."""
    own = list(SettingsPreset.objects.filter(owner=user).order_by("name"))
    fields, words = filled(asked, own, position, like)
    form = RunForm(fields)
    form.is_bound = "typed" in asked  # a form nobody has filled in yet complains of nothing
    read, usual = form.settings, merge_settings()
    groups = {
        title: [field_of(name, group[name], fields, usual, read) for name in group] for title, group in GROUPS.items()
    }
    return NewRun(
        form,
        groups,
        [] if read.errors else effects_on(read),
        own,
        list(Position.objects.visible_to(user).select_related("portfolio").order_by("symbol", "pk")[:CELLS]),
        words,
        [title for title, group in groups.items() if title in OPENED or any(field.value for field in group)],
    )


def filled(
    asked: Mapping[str, str], own: list[SettingsPreset], position: Position | None, like: SimulationRun | None
) -> tuple[dict[str, str], str]:
    """The fields, and where they come from. What was typed stays where a preset or a cell says nothing of it."""
    typed = "typed" in asked
    names = asked if typed else (*RunForm.base_fields, "resolution")
    fields = {name: asked[name][:200] for name in names if name in asked}
    words = ""
    if like:
        fields, words = fields_of_run(like) | fields, f"the simulation {like}"
    elif position:
        cell, words = fields_of_cell(position), f"the cell {position.symbol} in {position.portfolio.name}"
        fields = fields | cell if typed else cell | fields
    kept = {name: preset.given for name, preset in PRESETS.items()} | {f"own-{row.pk}": row.given for row in own}
    return fields | typed_from(kept.get(asked.get("preset", ""), {})), words


def fields_of_run(run: SimulationRun) -> dict[str, str]:
    return typed_from(run.settings) | {
        "symbol": series_key(run.symbol, run.resolution),
        "first": run.first_day.isoformat(),
        "last": run.last_day.isoformat(),
        "cash": as_text(run.cash),
        "in_stock": as_text(run.in_stock * 100),
        "slippage": as_text(run.slippage * 10_000),
        "path": run.path,
        "name": run.name,
    }


def fields_of_cell(position: Position) -> dict[str, str]:
    """Its settings with its portfolio's, its worth, and the part of it that is stock now."""
    versions = position.portfolio.settings_version, position.settings_version
    fields = {"symbol": position.symbol, "slippage": as_text(position.portfolio.paper_slippage * 10_000)}
    for version in versions:
        fields |= typed_from(version.given if version else {})
    sight = glance(position.symbol, position.source)
    if sight is None:
        return fields
    worth, share = total_value(position.holding, sight.price), stock_share(position.holding, sight.price)
    whole = share // PERCENT_IN_PPM
    return fields | {"cash": as_text(worth // 10_000 * 10_000), "in_stock": str(whole)} if worth else fields


def effects_on(read: Typed) -> list[str]:
    return effects_of(rules_from(merge_settings(parse_settings(read.given)), default_buffer=0), None, 0)


def drawn(run: SimulationRun) -> dict[str, Any]:
    """All that the charts draw."""
    return run_charts.drawn(unpacked(bytes(run.series or b"")), rules_of(run), splits_of(run))
