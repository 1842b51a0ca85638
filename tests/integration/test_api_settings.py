"""Settings through the door: what rules and why, changed by whoever saw the newest version, brought back."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from portfolios.models import Event, Position, SettingsVersion
from tests.at_once import at_once
from tests.factories import bearer, make_portfolio, make_position, make_user
from tests.integration.problems import pointers, problem

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def cell() -> Position:
    return make_position()


@pytest.fixture
def client(cell: Position) -> Client:
    return Client(headers=bearer(cell.portfolio.owner))


def url_of(row: Any) -> str:
    return f"/v1/{'positions' if isinstance(row, Position) else 'portfolios'}/{row.public_id}/settings"


def change(client: Client, row: Any, settings: dict[str, Any], *, method: str = "patch", **body: Any) -> HttpResponse:
    """As an honest client does: read, then write against what was read."""
    tag = client.get(url_of(row))["ETag"]
    return getattr(client, method)(url_of(row), {"settings": settings} | body, JSON, headers={"If-Match": tag})


def setting(answer: HttpResponse, name: str) -> dict[str, Any]:
    return next(row for row in answer.json()["settings"] if row["name"] == name)


def test_every_setting_is_told_with_its_unit_limits_and_origin(client: Client, cell: Position) -> None:
    answer = client.get(url_of(cell.portfolio))
    assert (answer["ETag"], answer.json()["version"], answer.json()["given"]) == ('"0"', 0, {})
    assert len(answer.json()["settings"]) == 24
    assert setting(answer, "trigger_up") == {
        "name": "trigger_up",
        "unit": "rate",
        "value": "0.03",
        "given_by": "default",
        "default": "0.03",
        "low": "0.0001",
        "high": "0.5",
        "choices": [],
    }
    assert setting(answer, "sizing")["choices"][0] == "anchor_ratio"
    assert setting(answer, "fractional")["value"] is True
    assert setting(answer, "max_trade")["value"] is None
    assert setting(answer, "rebalance_ratio")["default"] == "0.05"


def test_a_cell_says_which_floor_each_value_comes_from(client: Client, cell: Position) -> None:
    change(client, cell.portfolio, {"trigger_up": "0.05", "min_notional": "50"})
    answer = change(client, cell, {"trigger_up": "0.02"})
    origins = {name: setting(answer, name)["given_by"] for name in ("trigger_up", "min_notional", "drift_bps")}
    assert origins == {"trigger_up": "cell", "min_notional": "portfolio", "drift_bps": "default"}
    assert answer.json()["given"] == {"trigger_up": "0.02"}
    assert answer["ETag"] == '"1-1"'


def test_a_ratio_of_another_sizing_is_not_passed_off_as_given(client: Client, cell: Position) -> None:
    change(client, cell.portfolio, {"rebalance_ratio": "0.5"})
    answer = change(client, cell, {"sizing": "proportional"})
    ratio = setting(answer, "rebalance_ratio")
    assert (ratio["value"], ratio["given_by"], ratio["default"]) == ("1.6667", "default", "1.6667")


def test_a_patch_changes_some_and_null_takes_one_back(client: Client, cell: Position) -> None:
    change(client, cell, {"tau": "0.05", "max_trade": "0.2"}, method="put", note="calmer")
    answer = change(client, cell, {"trigger_up": None, "max_trade": "none"})
    assert answer.json()["given"] == {"trigger_down": "0.05", "max_trade": None}
    assert setting(answer, "trigger_up")["value"] == "0.03"
    again = change(client, cell, answer.json()["given"], method="put")
    assert again.json()["given"] == answer.json()["given"]
    assert change(client, cell, {}, method="put").json()["given"] == {}


def test_a_change_is_an_event_that_names_its_author_and_his_token(client: Client, cell: Position) -> None:
    answer = change(client, cell, {"trigger_up": "0.05"}, note="calmer")
    assert {name: answer.json()[name] for name in ("version", "author", "note")} == {
        "version": 1,
        "author": "ann",
        "note": "calmer",
    }
    event = Event.objects.of(cell).last()
    assert event is not None
    assert (event.type, event.content["inputs"]["given"]) == ("settings_changed", {"trigger_up": "0.05"})
    assert event.actor.startswith("token:")


def test_what_somebody_else_saved_meanwhile_is_not_overwritten(client: Client, cell: Position) -> None:
    for row in (cell.portfolio, cell):
        tag = client.get(url_of(row))["ETag"]
        assert change(client, row, {"trigger_up": "0.05"}).status_code == 200
        for method in ("put", "patch"):
            body = {"settings": {"trigger_up": "0.07"}}
            stale = getattr(client, method)(url_of(row), body, JSON, headers={"If-Match": tag})
            assert problem(stale) == (412, "stale_version")
    assert SettingsVersion.objects.count() == 2


def test_a_portfolios_change_makes_what_was_read_of_its_cells_stale(client: Client, cell: Position) -> None:
    tag = client.get(url_of(cell))["ETag"]
    change(client, cell.portfolio, {"trigger_up": "0.05"})
    stale = client.patch(url_of(cell), {"settings": {}}, JSON, headers={"If-Match": tag})
    assert problem(stale) == (412, "stale_version")


@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_at_once_one_is_told(cell: Position) -> None:
    headers = bearer(cell.portfolio.owner) | {"If-Match": '"0"'}

    def save(value: str) -> int:
        body = {"settings": {"trigger_up": value}}
        return Client(headers=headers).put(url_of(cell.portfolio), body, JSON).status_code

    statuses = at_once(lambda: save("0.05"), lambda: save("0.07"))
    assert sorted(statuses) == [200, 412]
    assert SettingsVersion.objects.count() == 1


@pytest.mark.parametrize("tag", ['"7"', 'W/"0"', "0", '"0', "x", ""])
def test_another_tag_is_stale_and_none_at_all_is_a_mistake(client: Client, cell: Position, tag: str) -> None:
    url = url_of(cell.portfolio)
    assert problem(client.put(url, {"settings": {}}, JSON)) == (400, "if_match_missing")
    assert problem(client.put(url, {"settings": {}}, JSON, headers={"If-Match": tag})) == (412, "stale_version")
    assert client.put(url, {"settings": {}}, JSON, headers={"If-Match": '"5", "0"'}).status_code == 200
    assert client.put(url, {"settings": {}}, JSON, headers={"If-Match": "*"}).status_code == 200


def test_versions_tell_what_each_changed_and_can_be_brought_back(client: Client, cell: Position) -> None:
    change(client, cell, {"trigger_up": "0.05"}, note="calmer")
    change(client, cell, {"trigger_up": "0.07", "fractional": False})
    url = f"{url_of(cell)}/versions"
    newest, oldest = client.get(url).json()["results"]
    assert newest["changes"] == [
        {"name": "trigger_up", "before": "0.05", "after": "0.07"},
        {"name": "fractional", "before": None, "after": "false"},
    ]
    assert (oldest["version"], oldest["note"], oldest["author"]) == (1, "calmer", "ann")
    assert oldest["changes"] == [{"name": "trigger_up", "before": None, "after": "0.05"}]
    restored = client.post(f"{url}/1/restore", {}, JSON, headers={"If-Match": client.get(url_of(cell))["ETag"]})
    assert (restored.json()["version"], restored.json()["given"]) == (3, {"trigger_up": "0.05"})
    assert problem(client.post(f"{url}/1/restore", {}, JSON)) == (400, "if_match_missing")
    stale = client.post(f"{url}/1/restore", {}, JSON, headers={"If-Match": '"0-2"'})
    assert problem(stale) == (412, "stale_version")
    nowhere = client.post(f"{url}/9/restore", {}, JSON, headers={"If-Match": "*"})
    assert problem(nowhere) == (404, "version_not_found")
    assert client.get(f"{url_of(cell.portfolio)}/versions").json()["results"] == []


def test_a_viewer_reads_settings_and_does_not_change_them() -> None:
    portfolio = make_portfolio(eve="viewer")
    viewer = Client(headers=bearer(portfolio.memberships.get(role="viewer").user))
    for row in (portfolio, make_position(portfolio)):
        assert viewer.get(url_of(row)).status_code == 200
        assert problem(viewer.put(url_of(row), {"settings": {}}, JSON)) == (403, "read_only")
        assert problem(viewer.post(f"{url_of(row)}/versions/1/restore", {}, JSON)) == (403, "read_only")


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        ({}, "invalid_fields", "#/settings"),
        ({"settings": []}, "invalid_fields", "#/settings"),
        ({"settings": None}, "invalid_fields", "#/settings"),
        ({"settings": {}, "version": 1}, "invalid_fields", "#/version"),
        ({"settings": {}, "note": 7}, "invalid_fields", "#/note"),
        ({"settings": {}, "note": "x" * 201}, "invalid_fields", "#/note"),
        ({"settings": {}, "note": "two\nlines"}, "invalid_note", "#/note"),
        ({"settings": {"colour": "red"}}, "invalid_setting", "#/settings/colour"),
        ({"settings": {"colour": None}}, "invalid_setting", "#/settings/colour"),
        ({"settings": {"trigger_up": "9"}}, "invalid_setting", "#/settings/trigger_up"),
        ({"settings": {"trigger_up": True}}, "invalid_setting", "#/settings/trigger_up"),
        ({"settings": {"trigger_up": {"a": []}}}, "invalid_setting", "#/settings/trigger_up"),
        ({"settings": {"trigger_up": "0.03", "tau": "0.03"}}, "invalid_setting", "#/settings/tau"),
        ({"settings": {"sizing": ["proportional"]}}, "invalid_setting", "#/settings/sizing"),
        ({"settings": {"max_trade": "lots"}}, "invalid_setting", "#/settings/max_trade"),
        ({"settings": {"max_trade": ["none"]}}, "invalid_setting", "#/settings/max_trade"),
        ({"settings": {"guardrail_low": "0.9"}}, "invalid_setting", "#/settings/guardrail_low"),
        ({"settings": {"fractional": "yes"}}, "invalid_setting", "#/settings/fractional"),
    ],
)
def test_settings_that_cannot_be_are_named_and_make_no_version(
    client: Client, cell: Position, body: dict[str, Any], code: str, place: str
) -> None:
    for row in (cell.portfolio, cell):
        for method in ("put", "patch"):
            refused = getattr(client, method)(url_of(row), body, JSON, headers={"If-Match": "*"})
            assert problem(refused) == (422, code)
            assert pointers(refused) == {place}
    assert not SettingsVersion.objects.exists()


def test_a_longer_history_asks_the_database_no_more_often(
    client: Client, cell: Position, django_assert_num_queries: Any
) -> None:
    url = f"{url_of(cell)}/versions"
    change(client, cell, {"trigger_up": "0.05"})
    with django_assert_num_queries(4):  # who, which cell, the page, the versions before
        client.get(url)
    for number in range(4):
        change(client, cell, {"trigger_up": f"0.0{number + 1}"})
    with django_assert_num_queries(4):
        assert len(client.get(url).json()["results"]) == 5


def test_a_strangers_settings_are_as_unknown_as_none(cell: Position) -> None:
    stranger = Client(headers=bearer(make_user("stranger")))
    theirs, nobodys = (stranger.get(f"/v1/positions/{name}/settings") for name in (cell.public_id, cell.pk))
    assert (theirs.status_code, theirs.content) == (nobodys.status_code, nobodys.content) == (404, theirs.content)
