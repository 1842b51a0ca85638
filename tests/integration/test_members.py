"""Who may enter a portfolio: invited, promoted, sent away; there is always exactly one owner, and the log knows all."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from portfolios.errors import Refused
from portfolios.models import Event, Invitation, Membership, Portfolio, Role
from portfolios.services.members import (
    accept_invitation,
    change_role,
    find_invitation,
    invite,
    leave,
    remove_member,
    transfer_ownership,
    withdraw_invitation,
)
from tests.at_once import at_once
from tests.factories import make_portfolio, make_user

pytestmark = pytest.mark.django_db
ANN = "user:ann"


def told(portfolio: Portfolio) -> list[str]:
    return list(Event.objects.of(portfolio).values_list("type", flat=True))


def test_an_invitation_makes_a_member_once_and_is_told_twice() -> None:
    portfolio, bob, eve = make_portfolio(), make_user("bob"), make_user("eve")
    invitation, secret = invite(portfolio_id=portfolio.pk, email=None, role="trader", actor=ANN)
    assert secret not in str(Invitation.objects.values().get())
    assert find_invitation(secret) == invitation
    assert accept_invitation(secret=secret, user=bob).role == Role.TRADER
    with pytest.raises(Refused) as again:
        accept_invitation(secret=secret, user=eve)
    assert (again.value.code, again.value.status) == ("invitation_not_found", 404)
    assert told(portfolio)[1:] == ["access_granted", "access_granted"]
    assert Portfolio.objects.steered_by(bob).get() == portfolio


def test_an_expired_withdrawn_or_misread_invitation_opens_nothing() -> None:
    portfolio, bob = make_portfolio(), make_user("bob")
    withdrawn, first = invite(portfolio_id=portfolio.pk, email=None, role="viewer", actor=ANN)
    withdraw_invitation(invitation_id=withdrawn.pk, actor=ANN)
    withdraw_invitation(invitation_id=withdrawn.pk, actor=ANN)
    expired, second = invite(portfolio_id=portfolio.pk, email=None, role="viewer", actor=ANN)
    Invitation.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    for secret in (first, second, "", first[:-1], withdrawn.digest, f"{first}\udcff"):
        with pytest.raises(Refused):
            accept_invitation(secret=secret, user=bob)
    assert told(portfolio)[1:] == ["access_granted", "access_revoked", "access_granted"]


def test_an_invitation_by_e_mail_is_for_that_address_alone() -> None:
    portfolio = make_portfolio()
    _, secret = invite(portfolio_id=portfolio.pk, email="bob@example.com", role="viewer", actor=ANN)
    with pytest.raises(Refused, match="another e-mail"):
        accept_invitation(secret=secret, user=make_user("eve", email="eve@example.com"))
    assert accept_invitation(secret=secret, user=make_user("bob", email="Bob@Example.com")).role == Role.VIEWER
    assert "example.com" not in "".join(Event.objects.values_list("text", flat=True)).lower()


@pytest.mark.parametrize(("role", "code"), [("owner", "ownership_is_transferred"), ("king", "unknown_role")])
def test_only_the_roles_of_trader_and_viewer_are_given_away(role: str, code: str) -> None:
    portfolio = make_portfolio(bob="viewer")
    bob = portfolio.memberships.get(role="viewer").user
    for attempt in (
        lambda: invite(portfolio_id=portfolio.pk, email=None, role=role, actor=ANN),
        lambda: change_role(portfolio_id=portfolio.pk, user_id=bob.pk, role=role, actor=ANN),
    ):
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.code == code


def test_who_is_in_already_does_not_use_up_an_invitation() -> None:
    portfolio = make_portfolio()
    _, secret = invite(portfolio_id=portfolio.pk, email=None, role="viewer", actor=ANN)
    with pytest.raises(Refused, match="already"):
        accept_invitation(secret=secret, user=portfolio.owner)
    assert find_invitation(secret)


def test_roles_change_members_go_and_each_step_is_told() -> None:
    portfolio = make_portfolio(bob="viewer", eve="trader")
    bob, eve = (portfolio.memberships.get(user__username=name).user for name in ("bob", "eve"))
    before = len(told(portfolio))
    change_role(portfolio_id=portfolio.pk, user_id=bob.pk, role="trader", actor=ANN)
    change_role(portfolio_id=portfolio.pk, user_id=bob.pk, role="trader", actor=ANN)
    remove_member(portfolio_id=portfolio.pk, user_id=bob.pk, actor=ANN)
    leave(portfolio_id=portfolio.pk, user=eve)
    assert told(portfolio)[before:] == ["access_granted", "access_revoked", "access_revoked"]
    assert not Portfolio.objects.visible_to(bob).exists()
    assert not Portfolio.objects.visible_to(eve).exists()
    with pytest.raises(Refused, match="no such member"):
        leave(portfolio_id=portfolio.pk, user=eve)


def test_ownership_passes_on_and_there_is_never_none() -> None:
    portfolio = make_portfolio(bob="viewer")
    ann, bob = portfolio.owner, portfolio.memberships.get(role="viewer").user
    for attempt in (
        lambda: leave(portfolio_id=portfolio.pk, user=ann),
        lambda: remove_member(portfolio_id=portfolio.pk, user_id=ann.pk, actor=ANN),
        lambda: change_role(portfolio_id=portfolio.pk, user_id=ann.pk, role="viewer", actor=ANN),
    ):
        with pytest.raises(Refused):
            attempt()
    _, secret = invite(portfolio_id=portfolio.pk, email=None, role="trader", actor=ANN)
    transfer_ownership(portfolio_id=portfolio.pk, user_id=bob.pk, actor=ANN)
    assert dict(portfolio.memberships.values_list("user__username", "role")) == {"ann": "trader", "bob": "owner"}
    assert Portfolio.objects.get().owner == bob
    assert find_invitation(secret) is None
    leave(portfolio_id=portfolio.pk, user=ann)


def test_the_database_itself_keeps_one_owner() -> None:
    portfolio = make_portfolio(bob="trader")
    bob = portfolio.memberships.get(role="trader")
    deeds = (
        lambda: Membership.objects.filter(role="owner").delete(),
        lambda: Membership.objects.filter(role="owner").update(role="viewer"),
        lambda: Membership.objects.filter(pk=bob.pk).update(role="owner"),
    )
    for deed in deeds:
        with pytest.raises(IntegrityError):
            done_and_checked(deed)


@transaction.atomic
def done_and_checked(deed: Callable[[], object]) -> None:
    deed()
    connection.check_constraints()


@pytest.mark.django_db(transaction=True)
def test_two_people_with_one_link_make_one_member() -> None:
    portfolio = make_portfolio()
    people = [make_user(name) for name in ("bob", "eve", "dan", "kim")]
    _, secret = invite(portfolio_id=portfolio.pk, email=None, role="viewer", actor=ANN)

    def accept(user):  # type: ignore[no-untyped-def]
        try:
            return accept_invitation(secret=secret, user=user)
        except Refused as refused:
            return refused.code

    results = at_once(*(lambda user=user: accept(user) for user in people))
    assert results.count("invitation_not_found") == 3
    assert portfolio.memberships.count() == 2
