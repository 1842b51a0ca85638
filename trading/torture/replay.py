"""The log once more, from its first event: it gives back the rows, and every decision in it is made again."""

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

from portfolios.domain.amounts import micros
from portfolios.domain.chain import canonical_text
from portfolios.domain.fold import NOTHING, Change, State, after
from portfolios.domain.holding import Holding, in_lots
from portfolios.models import Event, Portfolio, Position, SettingsVersion
from portfolios.selectors import default_buffer, rules_of, text_in
from portfolios.services.verification import verify_portfolios
from trading.services.account import inputs_of, outputs_of
from trading.simulation.retold import decided_again, sight_in

LONGEST = 2_000  # events of the house and of one run


class Replay:
    """One portfolio's. `decisions` is how many were made again."""

    def __init__(self, portfolio: Portfolio) -> None:
        self.portfolio = portfolio
        self.decisions = 0
        versions = portfolio.settings_versions.order_by("pk")
        self.versions = {(version.position_id, version.number): version for version in versions}

    def differences(self) -> Iterator[str]:
        pk, account_id = self.portfolio.pk, self.portfolio.account_id
        checked = verify_portfolios(portfolio_ids=[pk], account_ids=[account_id], most=LONGEST)
        for finding in checked.verified.findings:
            yield f"event {finding.seq} of {finding.stream_id} {finding.problem}"
        cells = {cell.public_id: cell for cell in self.portfolio.positions.order_by("pk")}
        events = Event.objects.filter(stream_id__in=cells).order_by("stream_id", "seq")
        for public_id, stream in groupby(events, key=attrgetter("stream_id")):
            yield from self.walk(cells[public_id], list(stream))

    def walk(self, cell: Position, stream: list[Event]) -> Iterator[str]:
        state = NOTHING
        for event in stream:
            content = event.content
            if "price" in content["inputs"] and content["outputs"]:
                yield from self.decide_again(cell, state, f"event {event.seq} of {cell.public_id}", content)
            state = after(state, Change(*(getattr(event, name) for name in Change._fields)))
        if state != cell.folded:
            yield f"{cell.public_id}: its events come to {state}, its row is {cell.folded}"

    def decide_again(self, cell: Position, state: State, name: str, content: dict[str, Any]) -> Iterator[str]:
        """From what the event says was known, and from nothing else."""
        self.decisions += 1
        inputs, outputs, named = content["inputs"], content["outputs"], content["settings"]
        upper, own = (None, int(named["portfolio_version"])), (cell.pk, int(named["cell_version"]))
        rules, _, sha256 = rules_of(self.text(*upper), self.text(*own), default_buffer(self.portfolio))
        rules = in_lots(rules, micros(named.get("lot", "0.000001")))
        sight = sight_in(inputs, cell.symbol, rules)
        holding = Holding(*state[:6])
        again = decided_again(holding, rules, sight, outputs)
        for what, told, found in (
            ("settings", {"sha256": named["sha256"]}, {"sha256": sha256}),
            ("inputs", inputs, inputs_of(holding, sight)),
            ("decision", outputs, outputs_of(holding, rules, sight, again, outputs["gates"])),
        ):
            if canonical_text(told) != canonical_text(found):
                yield f"{name}: replayed, its {what} is {found}, it says {told}"

    def text(self, position_id: int | None, number: int) -> str:
        version: SettingsVersion | None = self.versions[position_id, number] if number else None
        return text_in(version)
