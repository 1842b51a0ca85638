"""Books that differ: shown side by side to the account's owner, settled by him with a reason, and compared anew."""

import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portfolios.domain.amounts import micros
from portfolios.errors import Refused
from portfolios.models import Account, Event, Position
from tests.factories import bearer, make_portfolio, make_position, make_quote, make_user
from tests.fake_broker import FAKE, VENUE, Venue
from tests.market import assert_sound, make_fallen_cell, story, tick
from trading.brokers.base import Holdings
from trading.models import AccountHolding, Order, Reconciliation
from trading.services.books import adopt_difference, confirm_outside, unfreeze
from trading.services.ordering import cancel_order
from trading.services.quarantine import quarantine, release_cell
from trading.services.reconciliation import reconcile_account

pytestmark = pytest.mark.django_db
WHY = {"reason": "the broker is right"}
TWO_LINES = "a\nb"


@pytest.fixture
def venue(settings: Any) -> Venue:
    settings.BROKERS = FAKE
    VENUE.open_again()
    return VENUE


def hold(venue: Venue, shares: str, cash: str = "10000", **others: str) -> None:
    held = {"IBM": micros(shares)} | {symbol: micros(amount) for symbol, amount in others.items()}
    venue.held = Holdings(held, micros(cash), since_opening=False)


def compare(account: Account) -> str:
    outcome = reconcile_account(account_id=account.pk, why="beat", patience=0).outcome
    account.refresh_from_db()
    return outcome


@pytest.fixture
def cell(venue: Venue) -> Position:
    return make_position()


@pytest.fixture
def account(cell: Position) -> Account:
    return cell.portfolio.account


def owner(cell: Position) -> Client:
    client = Client()
    client.force_login(cell.portfolio.owner)
    return client


def without_secret(answer: Any) -> str:
    """A page without the secret of its forms, which is another on each."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"|csrf-token[^>]+', "", answer.content.decode())


def person(**more: Any) -> dict[str, Any]:
    return {"reason": "looked", "actor": "user:ann"} | more


def test_shares_held_outside_are_confirmed_once_and_expected_from_then_on(
    venue: Venue, cell: Position, account: Account
) -> None:
    hold(venue, "130", ZIM="5")
    assert compare(account) == "frozen"
    for symbol in ("IBM", "ZIM"):
        confirm_outside(account_id=account.pk, subject=symbol, **person())
    with pytest.raises(Refused, match="no such difference"):
        confirm_outside(account_id=account.pk, subject="IBM", **person())
    assert dict(AccountHolding.objects.values_list("symbol", "outside")) == {"IBM": micros("30"), "ZIM": micros("5")}
    assert (compare(account), account.state) == ("matched", "frozen")
    unfreeze(account_id=account.pk, **person())
    assert (compare(account), account.state) == ("matched", "active")
    hold(venue, "129", ZIM="5")
    assert compare(account) == "frozen"


def test_the_brokers_figure_is_adopted_in_a_cell(venue: Venue, cell: Position, account: Account) -> None:
    hold(venue, "90", "9000")
    assert compare(account) == "frozen"
    for subject in ("IBM", "cash"):
        adopt_difference(account_id=account.pk, position_id=cell.pk, subject=subject, **person())
    cell.refresh_from_db()
    assert (cell.shares, cell.cash) == (micros("90"), micros("9000"))
    assert story(cell) == ["adjusted", "adjusted"]
    assert compare(account) == "matched"
    assert_sound()


def test_a_released_account_freezes_again_while_the_books_differ(
    venue: Venue, cell: Position, account: Account
) -> None:
    hold(venue, "90")
    assert compare(account) == "frozen"
    released = unfreeze(account_id=account.pk, **person())
    assert (released.state, released.doubted_at is not None) == ("active", True)
    assert (compare(account), account.state) == ("frozen", "frozen")
    settled = Reconciliation.objects.filter(settled_by="user:ann").get()
    assert settled.settled_how == "looked"
    kinds = Event.objects.filter(stream_id=account.public_id).order_by("seq").values_list("type", flat=True)
    assert list(kinds) == ["account_created", "frozen", "released", "frozen"]


def test_an_order_the_broker_denies_ends_when_a_person_has_looked(venue: Venue) -> None:
    venue.open_again("rests")
    order = tick(make_fallen_cell())
    assert order
    account = order.position.portfolio.account
    venue.book.clear()
    assert compare(account) == "frozen"
    unfreeze(account_id=account.pk, **person())
    order.refresh_from_db()
    assert (order.status, order.reserved_cash) == ("cancelled", 0)
    assert (compare(account), account.state) == ("matched", "active")
    assert_sound()


def test_an_order_nobody_wrote_is_settled_once(venue: Venue) -> None:
    venue.open_again("rests")
    order = tick(make_fallen_cell())
    assert order
    account = order.position.portfolio.account
    venue.book["vb-nobody"] = venue.book[order.client_order_id]
    assert compare(account) == "frozen"
    unfreeze(account_id=account.pk, **person())
    assert (compare(account), account.state) == ("matched", "active")


@pytest.mark.parametrize(
    ("does", "given", "code"),
    [
        (confirm_outside, {"subject": "IBM", "reason": ""}, "invalid_reason"),
        (confirm_outside, {"subject": "IBM", "reason": TWO_LINES}, "invalid_reason"),
        (confirm_outside, {"subject": "ZIM"}, "no_difference"),
        (confirm_outside, {"subject": "cash"}, "no_difference"),
        (adopt_difference, {"subject": "IBM", "position_id": 0}, "wrong_cell"),
        (adopt_difference, {"subject": "ZIM", "position_id": 0}, "no_difference"),
        (unfreeze, {"reason": "x" * 201}, "invalid_reason"),
    ],
)
def test_what_does_not_fit_is_refused(
    venue: Venue, cell: Position, account: Account, does: Any, given: dict[str, Any], code: str
) -> None:
    hold(venue, "90", "9000")
    compare(account)
    with pytest.raises(Refused) as refused:
        does(account_id=account.pk, **person(**given))
    assert refused.value.code == code
    account.refresh_from_db()
    assert account.state == "frozen"


def test_a_cell_of_another_account_adopts_nothing(venue: Venue, cell: Position, account: Account) -> None:
    hold(venue, "90")
    compare(account)
    stranger = make_position(make_portfolio(make_user("bob")))
    with pytest.raises(Refused, match="a cell of this account"):
        adopt_difference(account_id=account.pk, position_id=stranger.pk, subject="IBM", **person())


def test_the_page_shows_both_books_and_settles_them(venue: Venue, cell: Position, account: Account) -> None:
    hold(venue, "90")
    compare(account)
    client, page = owner(cell), f"/accounts/{account.public_id}/books"
    shown = client.get(page).content.decode()
    assert all(words in shown for words in ("The books differ", ">100<", ">90<", ">-10<", "Adopt theirs", "release it"))
    answer = client.post(f"{page}/adopt", {"subject": "IBM", "cell": str(cell.public_id), "reason": "sold there"})
    assert (answer.status_code, answer["Location"]) == (302, page)
    cell.refresh_from_db()
    assert cell.shares == micros("90")
    assert client.post(f"{page}/release", WHY).status_code == 302
    account.refresh_from_db()
    assert account.state == "active"


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("outside", {}, 422),
        ("outside", {"subject": "IBM", "reason": " "}, 422),
        ("outside", {"subject": "<b>", "reason": "so"}, 422),
        ("adopt", {"subject": "IBM", "reason": "so"}, 404),
        ("adopt", {"subject": "IBM", "reason": "so", "cell": "x"}, 404),
        ("adopt", {"subject": "IBM", "reason": "so", "cell": str(uuid.uuid4())}, 404),
        ("release", {}, 422),
        ("release", {"reason": TWO_LINES}, 422),
        ("release", {"reason": "x" * 201}, 422),
    ],
)
def test_what_is_typed_wrong_is_answered_with_the_page(
    venue: Venue, cell: Position, account: Account, action: str, body: dict[str, str], status: int
) -> None:
    hold(venue, "90")
    compare(account)
    answer = owner(cell).post(f"/accounts/{account.public_id}/books/{action}", body)
    assert answer.status_code == status
    account.refresh_from_db()
    assert account.state == "frozen"


def test_a_strangers_books_are_nobodys(venue: Venue, cell: Position, account: Account) -> None:
    stranger = Client()
    stranger.force_login(make_user("bob"))
    real = stranger.get(f"/accounts/{account.public_id}/books")
    unknown = stranger.get(f"/accounts/{uuid.uuid4()}/books")
    assert (real.status_code, without_secret(real)) == (404, without_secret(unknown))
    headers = bearer(make_user("eve"))
    for door in ("reconciliations", "reconcile", "unfreeze"):
        call = stranger.get if door == "reconciliations" else stranger.post
        bodies = {
            call(f"/v1/accounts/{key}/{door}", headers=headers).content for key in (account.public_id, uuid.uuid4())
        }
        assert len(bodies) == 1


def test_the_page_costs_the_same_however_long_its_history(venue: Venue, cell: Position, account: Account) -> None:
    client, page = owner(cell), f"/accounts/{account.public_id}/books"
    compare(account)
    client.get(page)

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(page).status_code == 200
        return len(captured)

    one = cost()
    now = timezone.now()
    for _ in range(60):
        account.reconciliations.create(why="beat", outcome="matched", started_at=now, finished_at=now)
    make_position(cell.portfolio, symbol="ZIM")
    assert cost() == one


def test_the_api_lists_comparisons_and_releases(venue: Venue, cell: Position, account: Account, client: Client) -> None:
    hold(venue, "90")
    compare(account)
    headers = bearer(cell.portfolio.owner)
    door = f"/v1/accounts/{account.public_id}"
    (row,) = client.get(f"{door}/reconciliations", {"outcome": "frozen"}, headers=headers).json()["results"]
    assert row["found"][0] | {"note": ""} == {
        "kind": "shares",
        "subject": "IBM",
        "ours": "100",
        "theirs": "90",
        "verdict": "differs",
        "difference": "-10",
        "note": "",
    }
    assert client.post(f"{door}/reconcile", {}, "application/json", headers=headers).status_code == 202
    answer = client.post(f"{door}/unfreeze", WHY, "application/json", headers=headers)
    assert (answer.status_code, answer.json()["state"]) == (200, "active")


@pytest.mark.parametrize(
    ("door", "body", "status", "code"),
    [
        ("unfreeze", {}, 422, "invalid_fields"),
        ("unfreeze", {"reason": ""}, 422, "invalid_fields"),
        ("unfreeze", {"reason": 1}, 422, "invalid_fields"),
        ("unfreeze", {"reason": TWO_LINES}, 422, "invalid_fields"),
        ("unfreeze", {"reason": "x" * 201}, 422, "invalid_fields"),
        ("unfreeze", {"reason": "so", "more": 1}, 422, "invalid_fields"),
        ("unfreeze", [], 422, "invalid_fields"),
        ("reconcile", {"why": "now"}, 422, "invalid_fields"),
        ("reconciliations?outcome=odd", None, 400, "invalid_parameters"),
        ("reconciliations?limit=0", None, 400, "invalid_parameters"),
        ("reconciliations?cursor=x", None, 400, "invalid_parameters"),
        ("reconciliations?more=1", None, 400, "invalid_parameters"),
    ],
)
def test_bad_input_has_its_status_and_code(
    venue: Venue, cell: Position, account: Account, client: Client, door: str, body: Any, status: int, code: str
) -> None:
    headers, address = bearer(cell.portfolio.owner), f"/v1/accounts/{account.public_id}/{door}"
    if body is None:
        answer = client.get(address, headers=headers)
    else:
        answer = client.post(address, body, "application/json", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("public_id", ["x", "00000000-0000-0000-0000-000000000000"])
def test_an_account_that_is_not_there(client: Client, cell: Position, public_id: str) -> None:
    answer = client.get(f"/v1/accounts/{public_id}/reconciliations", headers=bearer(cell.portfolio.owner))
    assert (answer.status_code, answer.json()["code"]) == (404, "account_not_found")


def test_a_person_releases_a_quarantined_cell(client: Client) -> None:
    cell = make_position()
    quarantine(position_id=cell.pk, why="a test")
    page = owner(cell).get(f"/positions/{cell.public_id}").content.decode()
    assert "act-release" in page
    door, headers = f"/v1/positions/{cell.public_id}/release", bearer(cell.portfolio.owner)
    answer = client.post(door, WHY, "application/json", headers=headers)
    assert (answer.status_code, answer.json()["state"]) == (200, "active")
    assert story(cell) == ["quarantined", "released"]
    assert client.post(door, WHY, "application/json", headers=headers).status_code == 200
    assert story(cell) == ["quarantined", "released"]
    assert_sound()


@pytest.mark.parametrize(
    ("state", "traits", "reason", "code"),
    [
        ("quarantined", {"cash": -1}, "so", "below_zero"),
        ("quarantined", {"shares": -1}, "so", "below_zero"),
        ("quarantined", {}, "", "invalid_reason"),
        ("quarantined", {}, TWO_LINES, "invalid_reason"),
        ("paused", {}, "so", "wrong_state"),
        ("closed", {}, "so", "wrong_state"),
    ],
)
def test_a_cell_that_is_not_right_stays_where_it_is(state: str, traits: dict[str, int], reason: str, code: str) -> None:
    cell = make_position()
    Position.objects.filter(pk=cell.pk).update(state=state, **traits)
    with pytest.raises(Refused) as refused:
        release_cell(position_id=cell.pk, reason=reason, actor="user:ann")
    assert refused.value.code == code


def test_a_cell_with_an_open_order_stays_quarantined(venue: Venue) -> None:
    venue.open_again("rests")
    order = tick(make_fallen_cell())
    assert order
    quarantine(position_id=order.position_id, why="a test")
    with pytest.raises(Refused, match="open order"):
        release_cell(position_id=order.position_id, reason="so", actor="user:ann")
    cancel_order(order_id=order.pk, actor="user:ann")
    compare(order.position.portfolio.account)  # it carries on what the sweeper leaves alone
    assert Order.objects.get(pk=order.pk).status == "cancelled"
    release_cell(position_id=order.position_id, reason="so", actor="user:ann")
    make_quote("IBM", "96")
