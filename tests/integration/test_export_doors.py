"""Exports over HTTP: to whom, of what, under which name; the page that offers them."""

import csv
import io

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portfolios.models import Position, User
from reporting.exports.files import FORMATS
from reporting.exports.kinds import KINDS
from tests.factories import bearer, make_portfolio, make_position, make_user
from tests.integration.problems import problem
from tests.market import make_fallen_cell, tick

pytestmark = pytest.mark.django_db


@pytest.fixture
def cell() -> Position:
    """Bought 10.4687 shares at 97."""
    position = make_fallen_cell()
    tick(position)
    return position


@pytest.fixture
def ann(cell: Position) -> Client:
    return signed_in(cell.portfolio.owner)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def positions_in(client: Client, kind: str, **wishes: object) -> set[str]:
    answer = client.get(f"/v1/exports/{kind}.csv", wishes)
    assert answer.status_code == 200
    rows = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
    return {row["position"] for row in rows if row["position"]}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_comes_in_every_format(kind: str, form: str, ann: Client) -> None:
    answer = ann.get(f"/v1/exports/{kind}.{form}", headers={"Accept": FORMATS[form].media_type})
    assert answer.status_code == 200
    assert answer["Content-Type"] == FORMATS[form].media_type
    assert answer["Content-Disposition"] == f'attachment; filename="{kind}_all.{form}"'
    assert (answer["X-Content-Type-Options"], answer["Cache-Control"]) == ("nosniff", "private, no-store")
    assert answer.getvalue()
    head = ann.head(f"/v1/exports/{kind}.{form}")
    assert (head.status_code, head["Content-Disposition"]) == (200, answer["Content-Disposition"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_stranger_gets_his_own_and_nothing_else(kind: str, cell: Position) -> None:
    eve = signed_in(make_user("eve"))
    assert positions_in(eve, kind) == set()
    own = make_position(make_portfolio(make_user("mallory")))
    assert positions_in(signed_in(own.portfolio.owner), kind) <= {str(own.public_id)}


def test_a_strangers_cell_is_as_unknown_as_one_that_never_was(cell: Position) -> None:
    eve = signed_in(make_user("eve"))
    unknown = "00000000-0000-0000-0000-000000000000"
    for name, theirs in (("position_id", cell.public_id), ("portfolio_id", cell.portfolio.public_id)):
        answers = [eve.get("/v1/exports/events.csv", {name: str(some)}) for some in (theirs, unknown)]
        assert problem(answers[0]) == (404, f"{name.removesuffix('_id')}_not_found")
        assert answers[0].content == answers[1].content
        assert eve.get("/exports", {"kind": "events", name: str(theirs)}).status_code == 404


@pytest.mark.usefixtures("empty_cache")
def test_too_many_exports_are_told_when_to_come_back(ann: Client, cell: Position, settings: LazySettings) -> None:
    settings.EXPORTS_A_MINUTE = 3
    token = Client(headers=bearer(cell.portfolio.owner))
    asked = [(ann, "/v1/exports/events.csv"), (token, "/v1/exports/orders.csv"), (ann, "/exports?kind=orders")]
    refused = [(ann, "/v1/exports/events.pdf"), (ann, "/v1/exports/events.csv?from=never"), (ann, "/exports?kind=x")]
    assert [client.head(url).status_code for client, url in asked] == [200] * 3  # reads nothing, counts nothing
    assert [client.get(url).status_code for client, url in refused] == [404, 400, 400]
    assert [client.get(url).status_code for client, url in asked] == [200] * 3
    late = token.get("/v1/exports/events.csv")
    assert problem(late) == (429, "too_many_requests")
    page = ann.get("/exports?kind=orders")
    assert (page.status_code, "many exports" in page.content.decode()) == (429, True)
    assert all(1 <= int(answer["Retry-After"]) <= 60 for answer in (late, page))
    assert signed_in(make_user("eve")).get("/v1/exports/events.csv").status_code == 200


def test_who_may_look_may_take_it_along(cell: Position) -> None:
    viewer = signed_in(make_portfolio_viewer(cell))
    assert positions_in(viewer, "events") == {str(cell.public_id)}
    token = Client(headers=bearer(cell.portfolio.owner, scopes=["read"]))
    assert positions_in(token, "events") == {str(cell.public_id)}
    writer = Client(headers=bearer(cell.portfolio.owner, scopes=["trade"]))
    assert problem(writer.get("/v1/exports/events.csv")) == (403, "insufficient_scope")


def make_portfolio_viewer(cell: Position) -> User:
    bob = make_user("bob")
    cell.portfolio.memberships.create(user=bob, role="viewer")
    return bob


def test_a_cell_of_another_portfolio_is_not_in_this_one(cell: Position, ann: Client) -> None:
    other = make_portfolio(cell.portfolio.owner, name="Other")
    own = make_position(other)
    assert positions_in(ann, "events") == {str(cell.public_id), str(own.public_id)}
    assert positions_in(ann, "events", portfolio_id=other.public_id) == {str(own.public_id)}
    wishes = {"portfolio_id": str(other.public_id), "position_id": str(cell.public_id)}
    assert problem(ann.get("/v1/exports/events.csv", wishes)) == (404, "position_not_found")


BAD = [
    ("portfolio_id=x", 400, "invalid_parameters"),
    ("position_id=", 400, "invalid_parameters"),
    ("position_id=%00", 400, "invalid_parameters"),
    ("from=1", 400, "invalid_parameters"),
    ("from=2007-01-03T00:00:00Z", 400, "invalid_parameters"),
    ("from=2007-01-05&to=2007-01-04", 400, "invalid_parameters"),
    ("to=9999-12-31", 400, "invalid_parameters"),
    ("preset=week", 400, "invalid_parameters"),
    ("preset=30&to=2007-01-04", 400, "invalid_parameters"),
    ("only=skips", 400, "invalid_parameters"),
    ("only=trades&only=trades", 400, "invalid_parameters"),
    ("colour=red", 400, "invalid_parameters"),
]


@pytest.mark.parametrize(("query", "status", "code"), BAD)
def test_what_cannot_be_asked_is_refused(query: str, status: int, code: str, ann: Client) -> None:
    assert problem(ann.get(f"/v1/exports/events.csv?{query}")) == (status, code)


@pytest.mark.parametrize(
    "path", ["everything.csv", "events.pdf", "events", ".csv", "events.csv.csv", "EVENTS.csv", "%00.csv"]
)
def test_a_kind_or_format_that_is_not_there_is_a_404(path: str, ann: Client) -> None:
    answer = ann.get(f"/v1/exports/{path}")
    assert answer.status_code == 404
    assert problem(answer)[1] in ("export_not_found", "not_found")


def test_dividends_have_no_trades_to_choose(ann: Client) -> None:
    assert problem(ann.get("/v1/exports/dividends.csv?only=trades")) == (400, "invalid_parameters")


def test_the_name_of_a_file_says_what_is_in_it(cell: Position, ann: Client) -> None:
    cell.symbol = 'A"/\r\nB'
    cell.save()
    answer = ann.get("/v1/exports/orders.csv", {"position_id": str(cell.public_id), "preset": "30"})
    name = f"orders_A----B_{cell.public_id.hex[:8]}_2006-12-05_2007-01-03.csv"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'


def test_the_page_offers_the_form_and_answers_with_the_file(cell: Position, ann: Client) -> None:
    html = ann.get(f"/exports?position_id={cell.public_id}").content.decode()
    assert f'<option value="{cell.public_id}" selected>IBM in Savings</option>' in html
    wishes = {"kind": "orders", "format": "csv", "portfolio_id": "", "position_id": str(cell.public_id), "from": ""}
    answer = ann.get("/exports", wishes)
    assert answer["Content-Disposition"] == f'attachment; filename="orders_IBM_{cell.public_id.hex[:8]}.csv"'
    assert b"10.4687" in answer.getvalue()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("kind=everything", "Choose what to export"),
        ("kind=events&format=pdf", "Choose what to export"),
        ("kind=events&from=2007-01-05&to=2007-01-04", "Ends before it begins."),
        ("kind=events&preset=30&from=2007-01-05", "Either a preset, or days of your own."),
        ("kind=dividends&only=trades", "There are no trades among these rows"),
        ("kind=events&colour=%3Cscript%3E", "There is no such field."),
    ],
)
def test_the_page_says_what_is_wrong_and_keeps_what_was_chosen(query: str, words: str, ann: Client) -> None:
    answer = ann.get(f"/exports?{query}")
    html = answer.content.decode()
    assert (answer.status_code, words in html, "<script>" in html) == (400, True, False)
    if "kind=dividends" in query:
        assert '<option value="dividends" selected>' in html


def test_the_page_costs_the_same_for_one_cell_and_for_many(cell: Position, ann: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert ann.get("/exports").status_code == 200
        return len(captured)

    few = queries()
    for _ in range(5):
        make_position(cell.portfolio)
    assert queries() == few <= 8


def test_the_page_shows_nobody_elses_cells(cell: Position) -> None:
    html = signed_in(make_user("eve")).get("/exports").content.decode()
    assert str(cell.public_id) not in html
    assert str(cell.portfolio.public_id) not in html
