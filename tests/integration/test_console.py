"""The console and what other pages say of halts: who sees them, who pulls the plug, who arms again."""

import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from portfolios.models import Account, Event, Portfolio, Position, User
from tests.factories import make_portfolio, make_position, make_quote, make_user
from tests.integration.browsing import page, queries, signed_in
from tests.market import make_fallen_cell
from trading.models import InboxMessage
from trading.risk.models import Halt
from trading.services.halts import halt, rearm

pytestmark = pytest.mark.django_db


@pytest.fixture
def cell() -> Position:
    return make_fallen_cell(portfolio=make_portfolio(make_user("ann"), eve="viewer", tom="trader"))


def as_(name: str) -> Client:
    return signed_in(User.objects.get(username=name))


def over(row: Any) -> str:
    return f"{type(row)._meta.model_name}:{row.public_id}"


def pull(client: Client, what: str, reason: str = "the news are bad", **more: str) -> Any:
    return client.post(reverse("halt"), {"over": what, "reason": reason, **more})


def arm(client: Client, known: Halt, reason: str = "all is well") -> Any:
    return client.post(reverse("rearm", args=[known.public_id]), {"reason": reason})


def targets(cell: Position) -> list[Position | Portfolio | Account]:
    return [cell, cell.portfolio, cell.portfolio.account]


def stop(cell: Position, reason: str = "so") -> Halt:
    return halt(scope="position", target_id=cell.pk, reason=reason, actor="user:ann")


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def without_token(answer: Any) -> str:
    """The CSRF token is masked anew in every answer."""
    return re.sub(r'value="[A-Za-z0-9]{64}"', "", answer.content.decode())


@pytest.mark.parametrize("number", range(3))
def test_the_plug_is_pulled_and_put_back_in_from_the_console(cell: Position, number: int) -> None:
    ann = as_("ann")
    assert pull(ann, over(targets(cell)[number]), cancels="on").status_code == 302
    known = Halt.objects.in_force().get()
    assert (known.reason, known.cancels, known.halted_by) == ("the news are bad", True, "user:ann")
    html = page(ann, "console")
    assert "the news are bad" in html
    assert arm(ann, known).status_code == 302
    assert "Nothing is halted" in page(ann, "console")
    assert "all is well" in page(ann, "console")
    assert (
        list(Event.objects.filter(type__in=("halted", "rearmed")).values_list("actor", flat=True)) == ["user:ann"] * 2
    )


def test_every_page_says_what_is_halted_and_who_does_not_see_it_is_not_told(cell: Position) -> None:
    make_user("bob")
    pages = ["overview", "orders", "audit", "reports", "console", "profile"]
    halt(scope="portfolio", target_id=cell.portfolio_id, reason="the news are bad", actor="user:ann")
    for name in pages:
        told = text(page(as_("eve"), name))
        assert "Trading is halted over the portfolio Savings" in told
        assert "the news are bad" in told
        assert "the news are bad" not in page(as_("bob"), name)
    assert "Halted" in page(as_("eve"), "cockpit", cell)
    rearm(halt_id=Halt.objects.get().pk, reason="over", actor="user:ann")
    assert "Trading is halted" not in page(as_("eve"), "overview")


def test_the_badge_is_on_the_halted_cell_only(cell: Position) -> None:
    other = make_position(cell.portfolio, symbol="AAPL")
    stop(cell)
    assert 'id="to-halt"' in page(as_("ann"), "cockpit", cell)
    assert 'id="to-halt"' not in page(as_("ann"), "cockpit", other)


def test_a_page_that_is_open_learns_of_a_halt(cell: Position) -> None:
    ann = as_("ann")
    for address in (reverse("overview-live"), reverse("cockpit-live", args=[cell.public_id])):
        seen = ann.get(address)
        assert ann.get(address, headers={"If-None-Match": seen["ETag"]}).status_code == 304
        known = halt(scope="account", target_id=cell.portfolio.account_id, reason="so", actor="user:ann")
        fresh = ann.get(address, headers={"If-None-Match": seen["ETag"]})
        assert fresh.status_code == 200
        assert "Trading is halted" in fresh.content.decode()
        rearm(halt_id=known.pk, reason="over", actor="user:ann")


def test_a_trader_halts_cells_and_portfolios_and_the_owner_his_account(cell: Position) -> None:
    tom = as_("tom")
    assert [pull(tom, over(row)).status_code for row in targets(cell)] == [302, 302, 404]
    assert pull(as_("ann"), over(cell.portfolio.account)).status_code == 302
    lifted = [arm(tom, known).status_code for known in Halt.objects.order_by("pk")]
    assert lifted == [302, 302, 403]


def test_a_viewer_sees_and_never_acts(cell: Position) -> None:
    eve = as_("eve")
    known = stop(cell)
    html = page(eve, "console")
    assert "the cell IBM" in html
    assert "Arm again" not in html
    assert "<optgroup" not in html
    assert [pull(eve, over(row)).status_code for row in targets(cell)] == [403, 403, 404]
    assert arm(eve, known).status_code == 403
    for name, row in (("cockpit", cell), ("portfolio", cell.portfolio)):
        assert "Halt this" not in page(eve, name, row)


def test_a_strangers_things_are_as_unknown_as_what_never_was(cell: Position) -> None:
    bob = signed_in(make_user("bob"))
    known = stop(cell)
    for row in targets(cell):
        kind = over(row).partition(":")[0]
        theirs, nobodys = pull(bob, over(row)), pull(bob, f"{kind}:{uuid.uuid4()}")
        assert (theirs.status_code, nobodys.status_code) == (404, 404)
        assert without_token(theirs) == without_token(nobodys)
    theirs, nobodys = arm(bob, known), bob.post(reverse("rearm", args=[uuid.uuid4()]), {"reason": "x"})
    assert (theirs.status_code, without_token(theirs)) == (404, without_token(nobodys))


def test_only_a_superuser_halts_the_house(cell: Position) -> None:
    root, staff = make_user("root", is_superuser=True, is_staff=True), make_user("staff", is_staff=True)
    for refused in (as_("ann"), signed_in(staff)):
        assert "Everything, for everybody" not in page(refused, "console")
        assert pull(refused, "global:").status_code == 403
    boss = signed_in(root)
    assert "Everything, for everybody" in page(boss, "console")
    assert pull(boss, "global:").status_code == 302
    known = Halt.objects.in_force().get()
    assert "Trading is halted over the whole house" in page(as_("eve"), "overview")
    assert arm(as_("ann"), known).status_code == 403
    assert arm(boss, known).status_code == 302
    assert pull(boss, over(cell)).status_code == 404  # other people's money is theirs


BAD = [
    ({"over": "", "reason": "so"}, "Choose what to halt"),
    ({"over": "everything", "reason": "so"}, "Choose one of these"),
    ({"over": "portfolio:1", "reason": "so"}, "Choose one of these"),
    ({"over": "position:" + "g" * 36, "reason": "so"}, "Choose one of these"),
    ({"over": "order:" + str(uuid.UUID(int=0)), "reason": "so"}, "Choose one of these"),
    ({"over": "cell", "reason": ""}, "Say why, in one line"),
    ({"over": "cell", "reason": "   "}, "Say why, in one line"),
    ({"over": "cell", "reason": "two\nlines"}, "One line of plain text"),
    ({"over": "cell", "reason": "x" * 201}, "At most 200 characters"),
    ({}, "Say why, in one line"),
]


@pytest.mark.parametrize(("typed", "words"), BAD)
def test_a_bad_form_comes_back_as_it_was_typed(cell: Position, typed: dict[str, str], words: str) -> None:
    typed = typed | ({"over": over(cell)} if typed.get("over") == "cell" else {}) | {"cancels": "on"}
    answer = as_("ann").post(reverse("halt"), typed)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert words in html
    assert "checked" in html
    if typed.get("over") == over(cell):
        assert f'<option value="{over(cell)}" selected>' in html
    if typed.get("reason") == "so":
        assert 'value="so"' in html
    assert not Halt.objects.exists()


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "x" * 201])
def test_arming_without_a_reason_is_refused_beside_its_field(cell: Position, reason: str) -> None:
    known = stop(cell)
    answer = arm(as_("ann"), known, reason)
    assert answer.status_code == 422
    assert "Say why, in one line" in answer.content.decode()
    assert Halt.objects.in_force().get() == known


@pytest.mark.parametrize("query", ["before=x", "earlier=x", "over=x", "over=position:x", "tried=x&why=y", "tried=halt"])
def test_odd_questions_get_a_page(cell: Position, query: str) -> None:
    assert as_("ann").get(f"{reverse('console')}?{query}").status_code == 200


def test_the_buttons_lead_to_the_form_with_its_choice_made(cell: Position) -> None:
    ann = as_("ann")
    for name, row in (("cockpit", cell), ("portfolio", cell.portfolio)):
        link = f"{reverse('console')}?over={over(row)}#halt"
        assert link in page(ann, name, row)
        assert f'<option value="{over(row)}" selected>' in page(ann, "console", over=over(row))


def test_what_is_well_and_what_is_not_is_shown(cell: Position) -> None:
    account = cell.portfolio.account
    for number, status in enumerate(("received", "parked", "parked", "processed")):
        InboxMessage.objects.create(
            account=account, channel="webhook", delivery_id=str(number), body="{}", status=status
        )
    told = text(page(as_("ann"), "console"))
    assert "1 waiting, 2 parked" in told
    assert "IBM replay" in told
    assert "price-events" in told
    assert "Database answers" in told
    Account.objects.filter(pk=account.pk).update(state="frozen")
    assert "the account is frozen" in text(page(as_("ann"), "console"))
    eve = text(page(as_("eve"), "console"))
    assert "You own no account" in eve
    assert "parked" not in eve


def test_staff_see_what_came_in_over_all_accounts_and_nobody_else(cell: Position) -> None:
    boss = signed_in(make_user("boss", is_staff=True))
    for number, status in enumerate(("received", "parked", "parked", "refused", "refused", "refused", "processed")):
        InboxMessage.objects.create(
            account=cell.portfolio.account, channel="webhook", delivery_id=str(number), body="{}", status=status
        )
    html = page(boss, "console")
    told = text(html)
    for words in ("not yet worked on 1", "nobody knows 2", "unreadable 3", "Done 1"):
        assert words in told, words
    assert "?status__exact=parked" in html
    assert "What brokers told, all accounts" not in page(as_("ann"), "console")


def test_who_has_nothing_is_offered_nothing_to_halt() -> None:
    told = page(signed_in(make_user("new")), "console")
    assert "You have nothing to halt yet" in told
    assert "Halt now" not in told


def test_halts_are_paged(cell: Position) -> None:
    for number in range(51):
        rearm(halt_id=stop(cell, f"number {number}.").pk, reason="over", actor="user:ann")
    ann = as_("ann")
    html = page(ann, "console")
    assert ("number 50." in html, "number 0." in html) == (True, False)
    older = re.search(r"\?(earlier=[^\"]+)", html)
    assert "number 0." in ann.get(f"{reverse('console')}?{older[1]}").content.decode()


def test_the_console_costs_the_same_however_much_there_is(cell: Position) -> None:
    ann = as_("ann")
    stop(cell)
    few = queries(ann, "console")
    for symbol in ("AAPL", "GOOG", "MSFT"):
        other = make_position(cell.portfolio, symbol=symbol)
        make_quote(symbol)
        stop(other)
        rearm(halt_id=stop(other).pk, reason="over", actor="user:ann")
        stop(other)
    assert queries(ann, "console") == few <= 25


def test_the_banner_costs_every_page_one_query(cell: Position) -> None:
    ann = as_("ann")
    calm = queries(ann, "orders")
    stop(cell)
    halt(scope="account", target_id=cell.portfolio.account_id, reason="so", actor="user:ann")
    assert queries(ann, "orders") == calm
