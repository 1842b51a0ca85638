"""Settings of a portfolio and overrides of a cell: read, replaced, changed, and brought back from an earlier version.

On this floor because a change carries market time. A writer names the version he looked at (`If-Match`).
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

from django.utils.http import parse_etags
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.access import portfolio_for
from portfolios.api.authentication import actor_of, user_of
from portfolios.api.pagination import PageQuery
from portfolios.api.problems import Problem
from portfolios.api.requests import NoFields
from portfolios.api.views import ApiView, paged, read_body
from portfolios.domain.settings import SettingError, overlaid
from portfolios.errors import Refused
from portfolios.models import SettingsVersion
from portfolios.services.settings import change_settings, number_of, restore_version
from trading.api.access import position_for
from trading.api.requests import NewSettings
from trading.api.settings_answers import SettingsAnswer, Subject, VersionPage, show_settings, show_versions
from trading.market.selectors import market_now


def portfolio_subject(request: Request, public_id: str, *, steer: bool = False) -> Subject:
    return Subject(portfolio_for(request, public_id, steer=steer))


def cell_subject(request: Request, public_id: str, *, steer: bool = False) -> Subject:
    position = position_for(request, public_id, steer=steer)
    return Subject(position.portfolio, position)


class SettingsDoor(ApiView):
    """What the doors of portfolios and of cells share."""

    find: ClassVar[Callable[..., Subject]]

    def current(self, request: Request, public_id: str) -> Subject:
        """What a writer is about to change. Raises Problem: 400 if_match_missing, 412 stale_version."""
        subject = self.find(request, public_id, steer=True)
        if "If-Match" not in request.headers:
            raise Problem(400, "if_match_missing", "This needs the header If-Match: the ETag of what you looked at.")
        if not {"*", subject.etag} & set(parse_etags(request.headers["If-Match"])):
            raise stale()
        return subject

    def saved(self, subject: Subject, save: Callable[..., SettingsVersion]) -> Response:
        """The service compares once more, under its lock."""
        request = self.request
        try:
            save(
                portfolio_id=subject.portfolio.pk,
                position_id=subject.position.pk if subject.position else None,
                author=user_of(request),
                actor=actor_of(request),
                market_at=market_now(subject.portfolio.source),
                expected=subject.number,
            )
        except Refused as refused:
            raise stale() if refused.code in ("stale_version", "stale_above") else refused from None
        return self.shown(self.find(request, self.kwargs["public_id"]))

    def shown(self, subject: Subject) -> Response:
        return Response(show_settings(subject), headers={"ETag": subject.etag})


def stale() -> Problem:
    return Problem(412, "stale_version", "Somebody has saved another version since; read it and decide again.")


class Settings(SettingsDoor):
    scopes = {"GET": "read", "PUT": "trade", "PATCH": "trade"}
    conditional = ("PUT", "PATCH")

    def get(self, request: Request, public_id: str) -> Response:
        return self.shown(self.find(request, public_id))

    def put(self, request: Request, public_id: str) -> Response:
        subject = self.current(request, public_id)
        body = read_body(request, NewSettings)
        return self.change(subject, body["settings"], body["note"])

    def patch(self, request: Request, public_id: str) -> Response:
        subject = self.current(request, public_id)
        body = read_body(request, NewSettings)
        try:
            given = overlaid(subject.version.given if subject.version else {}, body["settings"])
        except SettingError as error:
            raise Refused("invalid_setting", error.message, field=f"settings/{error.field}") from error
        return self.change(subject, given, body["note"])

    def change(self, subject: Subject, given: Mapping[str, Any], note: str) -> Response:
        above = number_of(subject.portfolio) if subject.position else None
        return self.saved(subject, partial(change_settings, given=given, note=note, expected_above=above))


class Versions(SettingsDoor):
    scopes = {"GET": "read"}
    queries = {"GET": PageQuery}

    def get(self, request: Request, public_id: str) -> Response:
        subject = self.find(request, public_id)
        found = SettingsVersion.objects.filter(portfolio=subject.portfolio, position=subject.position)
        return paged(self, found.select_related("author"), show_versions)


class Restore(SettingsDoor):
    scopes = {"POST": "trade"}
    conditional = ("POST",)

    def post(self, request: Request, public_id: str, number: int) -> Response:
        subject = self.current(request, public_id)
        read_body(request, NoFields)
        return self.saved(subject, partial(restore_version, number=number))


def documented(name: str, summary: str, **more: Any) -> Any:
    return extend_schema(operation_id=name, summary=summary, **{"responses": SettingsAnswer} | more)


REPLACED = "Replace them: what is not named goes back to the floor above"
CHANGED = "Change some: null takes one back"
RESTORED = "What an earlier version gave, as a new one; 0 is before the first"
VERSIONS = "Every version with its author and what it changed"


@extend_schema_view(
    get=documented("get_portfolio_settings", "A portfolio's settings as they rule, with units and limits"),
    put=documented("replace_portfolio_settings", REPLACED, request=NewSettings),
    patch=documented("change_portfolio_settings", CHANGED, request=NewSettings),
)
class PortfolioSettings(Settings):
    """What all its cells live by unless they override it. Every change is a new version; all cells wake."""

    find = staticmethod(portfolio_subject)


@extend_schema_view(get=documented("list_portfolio_settings_versions", VERSIONS, responses=VersionPage))
class PortfolioVersions(Versions):
    find = staticmethod(portfolio_subject)


@extend_schema_view(post=documented("restore_portfolio_settings", RESTORED, request=NoFields))
class RestorePortfolioSettings(Restore):
    find = staticmethod(portfolio_subject)


@extend_schema_view(
    get=documented("get_position_settings", "A cell's settings as they rule, with where each comes from"),
    put=documented("replace_position_settings", REPLACED, request=NewSettings),
    patch=documented("change_position_settings", CHANGED, request=NewSettings),
)
class PositionSettings(Settings):
    """Overrides of one cell. Its ETag moves with the portfolio's settings too, because both rule together."""

    find = staticmethod(cell_subject)


@extend_schema_view(get=documented("list_position_settings_versions", VERSIONS, responses=VersionPage))
class PositionVersions(Versions):
    find = staticmethod(cell_subject)


@extend_schema_view(post=documented("restore_position_settings", RESTORED, request=NoFields))
class RestorePositionSettings(Restore):
    find = staticmethod(cell_subject)
