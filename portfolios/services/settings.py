"""Settings: every change is a new immutable version, checked against every cell it will rule."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from portfolios.domain.settings import SettingError, merge_settings, parse_settings, written
from portfolios.errors import Refused
from portfolios.events import EventType
from portfolios.models import Portfolio, Position, SettingsVersion, User
from portfolios.selectors import given_in
from portfolios.services.journal import Journal

NOTE = 200


@transaction.atomic
def change_settings(
    *,
    portfolio_id: int,
    given: Mapping[str, Any],
    author: User,
    note: str,
    market_at: datetime,
    position_id: int | None = None,
    expected: int | None = None,
    expected_above: int | None = None,
    actor: str = "",
) -> SettingsVersion:
    """New settings for a portfolio, or overrides for one cell. Every cell they rule wakes up (by trigger).

    `expected` is the number of the version the author looked at, 0 for none: Refused (409) when it is no longer that.
    `expected_above` is that of the portfolio's settings, for a cell whose author saw what both together come to.
    `actor` names him in the log where that is more than his own name: a token of his.
    """
    if len(note) > NOTE or not note.isprintable():
        raise Refused("invalid_note", f"must be one line of at most {NOTE} characters", field="note")
    positions = Position.objects.locked().filter(portfolio_id=portfolio_id)
    cells = list(positions if position_id is None else positions.filter(pk=position_id))
    portfolio = Portfolio.objects.select_for_update(no_key=True).get(pk=portfolio_id)
    position = cells[0] if position_id is not None else None
    refuse_stale(position or portfolio, expected)
    if position is not None and expected_above not in (None, number_of(portfolio)):
        message = f"the portfolio's settings have become version {number_of(portfolio)} since; preview again"
        raise Refused("stale_above", message, status=409)
    version = write_settings(portfolio=portfolio, position=position, given=given, author=author, note=note)
    row = position or portfolio
    journal = Journal(row, market_at=market_at, actor=actor or f"user:{author.get_username()}")
    journal.add(
        EventType.SETTINGS_CHANGED,
        f"Settings version {version.number}: {note}" if note else f"Settings version {version.number}.",
        inputs={"given": version.given, "version": version.number},
    )
    journal.write()
    return version


def restore_version(
    *,
    portfolio_id: int,
    number: int,
    author: User,
    market_at: datetime,
    position_id: int | None = None,
    expected: int | None = None,
    actor: str = "",
) -> SettingsVersion:
    """What an earlier version gave, as a new one; number 0 is before the first: nothing given."""
    given: Mapping[str, Any] = {}
    if number:
        versions = SettingsVersion.objects.filter(portfolio=portfolio_id, position=position_id)
        version = versions.filter(number=number).first()
        if version is None:
            raise Refused("version_not_found", f"there is no version {number}", field="version", status=404)
        given = version.given
    return change_settings(
        portfolio_id=portfolio_id,
        position_id=position_id,
        given=given,
        author=author,
        note=f"restored from version {number}" if number else "back to nothing of its own",
        market_at=market_at,
        expected=expected,
        actor=actor,
    )


def refuse_stale(row: Portfolio | Position, expected: int | None) -> None:
    current = number_of(row)
    if expected is not None and expected != current:
        raise Refused("stale_version", f"somebody has saved version {current} since", field="version", status=409)


def number_of(row: Portfolio | Position) -> int:
    """Of the version in force; 0 for none."""
    return row.settings_version.number if row.settings_version else 0


def write_settings(
    *, portfolio: Portfolio, position: Position | None, given: Mapping[str, Any], author: User | None, note: str
) -> SettingsVersion:
    """The version row, and the pointer to it. Raises Refused naming the setting that cannot be accepted."""
    try:
        parsed = parse_settings(given)
        for upper, own in rulings(portfolio, position, parsed):
            merge_settings(upper, own)
    except SettingError as error:
        raise Refused("invalid_setting", error.message, field=f"settings/{error.field}") from error
    versions = SettingsVersion.objects.filter(portfolio=portfolio, position=position)
    version = SettingsVersion.objects.create(
        portfolio=portfolio,
        position=position,
        number=versions.count() + 1,
        given=written(parsed),
        author=author,
        note=note,
    )
    row = position or portfolio
    row.settings_version = version
    row.save(update_fields=["settings_version"])
    return version


def rulings(
    portfolio: Portfolio, position: Position | None, parsed: Mapping[str, int]
) -> list[tuple[Mapping[str, int], Mapping[str, int]]]:
    """The pairs (portfolio's, cell's) that the new settings would rule by."""
    if position is not None:
        return [(given_in(portfolio.settings_version), parsed)]
    cells = portfolio.positions.exclude(settings_version=None).select_related("settings_version")
    return [(parsed, {}), *((parsed, given_in(cell.settings_version)) for cell in cells)]
