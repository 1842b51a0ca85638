"""Members whatever they are called, by page and by API; and letters to those who are not members yet."""

from urllib.parse import quote

import pytest
from django.core import mail
from django.test import Client

from portfolios.models import Membership, Portfolio
from tests.factories import make_portfolio, make_user
from tests.integration.browsing import page, signed_in
from tests.integration.problems import problem

pytestmark = pytest.mark.django_db
JSON = "application/json"
# The form of a new account lets half of them in; a program or an identity provider that makes users, all.
ODD_NAMES = ("a/b", "a/role", "/", "a b", "ü", "..", "%2F", "a?b#c", "o'neil@example.com", '<i>&"', "invite")


@pytest.fixture(params=ODD_NAMES)
def odd(request: pytest.FixtureRequest) -> Membership:
    portfolio = make_portfolio(**{request.param: "viewer"})
    return portfolio.memberships.get(role="viewer")


def test_an_odd_name_is_promoted_and_sent_away_by_page(odd: Membership) -> None:
    owner, at = signed_in(odd.portfolio.owner), f"/portfolios/{odd.portfolio.public_id}"
    assert f"/members/{odd.pk}/role" in page(owner, "members", odd.portfolio)
    owner.post(f"{at}/members/{odd.pk}/role", {"role": "trader"})
    odd.refresh_from_db()
    assert odd.role == "trader"
    owner.post(f"{at}/members/{odd.pk}/remove")
    assert not Membership.objects.filter(pk=odd.pk).exists()


def test_an_odd_name_is_promoted_and_sent_away_by_api(odd: Membership) -> None:
    owner = signed_in(odd.portfolio.owner)
    url = f"/v1/portfolios/{odd.portfolio.public_id}/members/{quote(odd.user.username, safe='')}"
    assert owner.patch(url, {"role": "trader"}, JSON).json()["username"] == odd.user.username
    assert owner.delete(url).status_code == 204
    assert problem(owner.delete(url)) == (404, "member_not_found")


def test_every_page_of_an_odd_name_opens(odd: Membership) -> None:
    person = signed_in(odd.user)
    for name, of in (("overview", None), ("profile", None), ("members", odd.portfolio), ("portfolio", odd.portfolio)):
        assert page(person, name, of)


def test_a_member_of_another_portfolio_is_not_reached_through_ours() -> None:
    ours, theirs = make_portfolio(), make_portfolio(make_user("eve"), bob="viewer")
    bob = theirs.memberships.get(role="viewer")
    answer = signed_in(ours.owner).post(f"/portfolios/{ours.public_id}/members/{bob.pk}/remove")
    assert answer.status_code == 404
    assert Membership.objects.filter(pk=bob.pk).exists()


def test_a_portfolio_is_not_given_to_a_name_that_is_none() -> None:
    ours = make_portfolio()
    for name in ("nobody", "", "\0", "x" * 10_000):
        answer = signed_in(ours.owner).post(f"/portfolios/{ours.public_id}/transfer", {"username": name})
        assert answer.status_code == 302, name
    assert Portfolio.objects.owned_by(ours.owner).get() == ours


def invited(portfolio: Portfolio, **body: str) -> dict[str, object]:
    made = signed_in(portfolio.owner).post(f"/v1/portfolios/{portfolio.public_id}/invitations", body, JSON)
    assert made.status_code == 201
    return dict(made.json())


def test_inviting_by_api_sends_the_letter_the_page_sends() -> None:
    portfolio = make_portfolio()
    told = invited(portfolio, role="viewer", email="gus@example.com")
    (letter,) = mail.outbox
    assert told["letter_sent"] is True
    assert letter.to == ["gus@example.com"]
    assert str(told["link"]) in letter.body
    assert Client().get(str(told["link"]), follow=True).status_code == 200


def test_inviting_whoever_has_the_link_sends_no_letter() -> None:
    assert invited(make_portfolio(), role="viewer")["letter_sent"] is False
    assert mail.outbox == []
