"""What a sweep found becomes a cell's settings, or does not: the verdict stands at the door, and may be overruled.

Overruling leaves its reason in the cell's own log for good, beside what the verdict said.
"""

from datetime import datetime
from typing import Any

from portfolios.domain.settings import overlaid, written
from portfolios.errors import Refused
from portfolios.models import Position, SettingsVersion, User
from portfolios.services.settings import NOTE, change_settings
from trading.simulation.models import Sweep, Work
from trading.simulation.ranking import grid_of, table_of, verdict_on


def use_settings(
    *,
    sweep: Sweep,
    number: int,
    position: Position,
    author: User,
    market_at: datetime,
    override: str = "",
    expected: int | None = None,
    actor: str = "",
) -> SettingsVersion:
    """What the sweep named (its base and this combination) over the cell's own; all else stays as the cell has it.

    Raises Refused: not_done_yet, withheld (409) with the verdict's reason where it is not offered and nobody says why
    all the same, invalid_trial, invalid_note (422), and what `change_settings` raises.
    """
    if sweep.status != Work.Status.DONE:
        raise Refused("not_done_yet", f"the sweep is {sweep.status}: there is no verdict on it", status=409)
    grid = grid_of(sweep)
    if not 0 <= number < grid.size or grid.merged(number) is None:
        raise Refused("invalid_trial", "is no combination that was tried", field="number")
    verdict = verdict_on(sweep, grid, table_of(sweep), number)
    override = " ".join(override.split())
    if not verdict.is_offered and not override:
        raise Refused("withheld", verdict.sentence, status=409)
    given: dict[str, Any] = written(grid.settings(number))
    own = position.settings_version.given if position.settings_version else {}
    return change_settings(
        portfolio_id=position.portfolio_id,
        position_id=position.pk,
        given=overlaid(own, given),
        author=author,
        note=note_of(sweep, number, "" if verdict.is_offered else override),
        market_at=market_at,
        expected=expected,
        actor=actor,
    )


def note_of(sweep: Sweep, number: int, override: str) -> str:
    """Raises Refused where the reason leaves no room for what has to be said with it."""
    found = f"from sweep {sweep.public_id}, setting {number}"
    if not override:
        return found
    note = f"{found}, against its verdict: {override}"
    if len(note) > NOTE or not note.isprintable():
        most = NOTE - len(note) + len(override)
        raise Refused("invalid_note", f"must be one line of at most {most} characters", field="override")
    return note
