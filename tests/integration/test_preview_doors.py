"""The doors of a preview: the form, with and without JavaScript, and the API; saving stores exactly what was seen."""

import re
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portfolios.models import Event, Position, SettingsVersion, User
from portfolios.services.settings import change_settings
from tests.at_once import at_once
from tests.factories import NOON, bearer, make_portfolio, make_position, make_quote, make_user
from tests.integration.problems import pointers, problem
from tests.integration.test_preview import lived, seen
from tests.integration.test_settings_pages import plain, signed_in

pytestmark = pytest.mark.django_db
JSON = "application/json"
CALMER = {"trigger_up": "8", "trigger_down": "8"}


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def cell(ann: User) -> Position:
    return lived(portfolio=make_portfolio(ann, bob="viewer"))


@pytest.fixture
def client(ann: User) -> Client:
    return signed_in(ann)


def tried(client: Client, cell: Position, htmx: bool = True, **typed: str) -> HttpResponse:
    headers = {"HX-Request": "true"} if htmx else {}
    return client.post(reverse("position-preview", args=[cell.public_id]), typed, headers=headers)


def seal_in(answer: HttpResponse) -> str:
    found = re.search(r'name="previewed" value="([^"]+)"', answer.content.decode())
    assert found
    return found[1]


def save(client: Client, cell: Position, seal: str, version: int = 0, **typed: str) -> HttpResponse:
    typed |= {"version": str(version), "previewed": seal}
    return client.post(reverse("position-save", args=[cell.public_id]), typed)


def test_both_sides_are_shown_with_the_orders_that_differ(client: Client, cell: Position) -> None:
    told = plain(tried(client, cell, **CALMER).content.decode())
    assert "after no order instead of 5: 5 removed." in told
    assert "9 prices from 3 Jan 2007 to 3 Jan 2007" in told
    assert re.search(r"Orders 5 0 −5|Orders 5 0 -5", told)
    assert "The log itself has no order of the robot and differs" in told
    same = plain(tried(client, cell).content.decode())
    assert "Nothing would have been different: 5 orders" in same


def test_without_javascript_the_whole_page_comes_back_as_typed(client: Client, cell: Position) -> None:
    answer = tried(client, cell, htmx=False, note="my note", **CALMER)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "<!doctype html>" in html
    assert 'value="8"' in html
    assert "my note" in html
    assert "5 removed" in plain(html)
    wrong = tried(client, cell, htmx=False, trigger_up="60")
    assert wrong.status_code == 422
    assert "see what does not fit" in plain(wrong.content.decode())
    assert "Must be from 0.01 % to 50 %" in plain(wrong.content.decode())


def test_a_part_that_does_not_fit_says_so(client: Client, cell: Position) -> None:
    told = plain(tried(client, cell, guardrail_low="80").content.decode())
    assert "must be below guardrail_high" in told
    assert "Save what was previewed" not in told


def test_a_cell_without_history_can_be_saved_all_the_same(client: Client, ann: User) -> None:
    cell = make_position(make_portfolio(ann, name="New"))
    told = plain(tried(client, cell, **CALMER).content.decode())
    assert "there is no history to preview on. The settings can be saved all the same." in told


def test_saving_stores_exactly_what_was_previewed(client: Client, cell: Position) -> None:
    seal = seal_in(tried(client, cell, trigger_up="8.00 %", trigger_down="8"))
    answer = save(client, cell, seal, trigger_up="8", trigger_down="8.0", note="calmer")
    assert answer.status_code == 302
    version = SettingsVersion.objects.get()
    assert (version.given, version.note) == ({"trigger_up": "0.08", "trigger_down": "0.08"}, "calmer")
    assert plain(tried(client, cell, **CALMER).content.decode()).count("Nothing would have been different")


@pytest.mark.parametrize(
    "change",
    [{"trigger_up": "9"}, {"min_notional": "50"}, {"seal": ""}, {"seal": "0.0.x"}, {"seal": f"0.0.{'0' * 64}"},
     {"seal": f"0.9999999999.{'0' * 64}"}, {"seal": "<script>"}],
)  # fmt: skip
def test_what_was_not_previewed_is_not_saved_as_such(client: Client, cell: Position, change: dict[str, str]) -> None:
    seal = seal_in(tried(client, cell, **CALMER))
    answer = save(client, cell, **({"seal": seal} | CALMER | change))
    assert answer.status_code == 422
    assert "what is typed is not what was previewed; preview it again" in plain(answer.content.decode())
    assert "<script>" not in answer.content.decode().split("<main")[1]
    assert not SettingsVersion.objects.exists()


def test_the_preview_of_another_cell_is_not_this_ones(client: Client, cell: Position) -> None:
    other = make_position(cell.portfolio, anchor="100")
    assert save(client, other, seal_in(tried(client, cell, **CALMER)), **CALMER).status_code == 422


def test_settings_that_changed_meanwhile_refuse_it(client: Client, cell: Position, ann: User) -> None:
    words = {"portfolio_id": cell.portfolio_id, "author": ann, "note": "", "market_at": NOON}
    seal = seal_in(tried(client, cell, **CALMER))
    change_settings(**words, given={"min_notional": "50"})
    above = save(client, cell, seal, **CALMER)
    assert above.status_code == 422
    assert "the portfolio's settings have become version 1 since" in plain(above.content.decode()).replace(
        "&#x27;", "'"
    )
    seal = seal_in(tried(client, cell, **CALMER))
    change_settings(**words, position_id=cell.pk, given={"min_notional": "60"})
    assert save(client, cell, seal, **CALMER).status_code == 409
    assert save(client, cell, seal, version=1, **CALMER).status_code == 409  # a younger form than its preview
    assert SettingsVersion.objects.filter(position=cell).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_a_preview_and_a_change_above_at_once_never_both_unseen(ann: User) -> None:
    """Whoever saves what was previewed either comes before the change above, or is refused."""
    for number in range(6):
        cell = lived(("97",), portfolio=make_portfolio(ann, name=f"P{number}")) if number == 0 else make_position(
            make_portfolio(ann, name=f"P{number}"), anchor="100"
        )  # fmt: skip
        seal = seal_in(tried(signed_in(ann), cell, **CALMER))
        words = {"portfolio_id": cell.portfolio_id, "author": ann, "note": "", "market_at": NOON}
        answers = at_once(
            lambda cell=cell, seal=seal: save(signed_in(ann), cell, seal, **CALMER).status_code,
            lambda words=words: change_settings(**words, given={"min_notional": "50"}).pk,
        )
        own = SettingsVersion.objects.filter(position=cell).first()
        assert answers[0] == (302 if own else 422)
        if own:
            assert own.pk < answers[1]


def test_who_may_only_look_may_preview_and_not_save(cell: Position) -> None:
    bob = signed_in(User.objects.get(username="bob"))
    answer = tried(bob, cell, **CALMER)
    assert "5 removed" in plain(answer.content.decode())
    assert "Save what was previewed" not in answer.content.decode()
    assert save(bob, cell, "x", **CALMER).status_code == 403


def test_a_stranger_finds_nothing(cell: Position) -> None:
    assert tried(signed_in(make_user("eve")), cell, **CALMER).status_code == 404
    stranger = Client(headers=bearer(make_user("stranger")))
    theirs, nobodys = (
        stranger.post(f"/v1/positions/{name}/settings/preview", {"settings": {}}, JSON)
        for name in (cell.public_id, cell.pk)
    )
    assert (theirs.status_code, theirs.content) == (nobodys.status_code, nobodys.content) == (404, theirs.content)


def asked(client: Client, cell: Position, settings: Any, **body: Any) -> HttpResponse:
    return client.post(f"/v1/positions/{cell.public_id}/settings/preview", {"settings": settings} | body, JSON)


@pytest.fixture
def api(ann: User) -> Client:
    return Client(headers=bearer(ann, ["read"]))


def test_the_api_tells_both_sides_and_what_saves_them(api: Client, ann: User, cell: Position) -> None:
    told = asked(api, cell, {"tau": "0.08"}).json()
    assert (told["now"]["orders"], told["new"]["orders"]) == (5, 0)
    assert told["counts"] == {"added": 0, "removed": 5, "resized": 0, "same": 0}
    assert [row["what"] for row in told["changed"]] == ["removed"] * 5
    assert (told["changed"][0]["side"], told["changed"][0]["after"], told["unlisted"]) == ("BUY", None, 0)
    assert told["given"] == {"trigger_down": "0.08", "trigger_up": "0.08"}
    assert (told["quotes"], told["logged"]["agrees"]) == (9, False)
    url = f"/v1/positions/{cell.public_id}/settings"
    writer = Client(headers=bearer(ann))
    saved = writer.put(url, {"settings": told["given"]}, JSON, headers={"If-Match": told["etag"]})
    assert saved.status_code == 200
    late = writer.put(url, {"settings": told["given"]}, JSON, headers={"If-Match": told["etag"]})
    assert problem(late) == (412, "stale_version")
    more = asked(api, cell, {"min_notional": "50"}, patch=True).json()
    assert more["given"] == told["given"] | {"min_notional": "50"}
    assert asked(api, cell, {"trigger_up": None}, patch=True).json()["given"] == {"trigger_down": "0.08"}
    assert Event.objects.filter(type="settings_changed").count() == 1


@pytest.mark.parametrize(
    ("body", "status", "code", "place"),
    [
        ({}, 422, "invalid_fields", "#/settings"),
        ({"settings": []}, 422, "invalid_fields", "#/settings"),
        ({"settings": {}, "note": "x"}, 422, "invalid_fields", "#/note"),
        ({"settings": {}, "patch": "yes"}, 422, "invalid_fields", "#/patch"),
        ({"settings": {"colour": "red"}}, 422, "invalid_setting", "#/settings/colour"),
        ({"settings": {"trigger_up": "9"}}, 422, "invalid_setting", "#/settings/trigger_up"),
        ({"settings": {"guardrail_low": "0.9"}}, 422, "invalid_setting", "#/settings/guardrail_low"),
        (
            {"settings": {"tau": "0.1", "trigger_up": "0.1"}, "patch": True},
            422,
            "invalid_setting",
            "#/settings/trigger_up",
        ),
        ({"settings": {"<script>": "1"}}, 422, "invalid_setting", "#/settings/<script>"),
    ],
)
def test_what_cannot_be_is_named_as_in_saving(
    api: Client, cell: Position, body: dict[str, Any], status: int, code: str, place: str
) -> None:
    answer = api.post(f"/v1/positions/{cell.public_id}/settings/preview", body, JSON)
    assert problem(answer) == (status, code)
    assert pointers(answer) == {place}
    assert not SettingsVersion.objects.exists()


def test_the_api_says_where_there_is_nothing_to_tell(api: Client, ann: User) -> None:
    cell = make_position(make_portfolio(ann, name="New"))
    assert problem(asked(api, cell, {})) == (409, "cannot_preview")


def test_a_longer_history_asks_the_database_no_more_often(client: Client, api: Client, cell: Position) -> None:
    def queries(ask: Any) -> int:
        ask()
        with CaptureQueriesContext(connection) as captured:
            assert ask().status_code == 200
        return len(captured)

    doors = [lambda: tried(client, cell, **CALMER), lambda: asked(api, cell, {"tau": "0.08"})]
    before = [queries(door) for door in doors]
    seen(tuple(str(90 + number % 20) for number in range(300)), first=20)
    assert [queries(door) for door in doors] == before
    assert before[0] <= 24
    assert before[1] <= 14


def test_a_price_of_another_cell_is_not_shown(client: Client, cell: Position) -> None:
    make_quote("MSFT", "5")
    assert "9 prices" in plain(tried(client, cell).content.decode())
