"""Who may enter a portfolio, and how that changes: invited, promoted, sent away, gone. Each step leaves its event."""

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from portfolios.errors import Refused
from portfolios.events import EventType
from portfolios.models import Invitation, Membership, Portfolio, Role, User
from portfolios.services.accounts import hand_over
from portfolios.services.journal import Journal
from portfolios.services.tokens import digest_of

GOOD_FOR = timedelta(days=7)
MOST_OPEN = 50
OFFERED = (Role.TRADER, Role.VIEWER)


@transaction.atomic
def invite(*, portfolio_id: int, email: str | None, role: str, actor: str) -> tuple[Invitation, str]:
    """An invitation and its secret, which nobody can show again. Raises Refused."""
    offered = role_offered(role)
    portfolio = locked(portfolio_id)
    if portfolio.invitations.open_at(timezone.now()).count() >= MOST_OPEN:
        raise Refused("too_many_invitations", f"at most {MOST_OPEN} invitations may be open", status=409)
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        portfolio=portfolio,
        email=(email or "").strip(),
        role=offered,
        digest=digest_of(secret),
        invited_by=actor,
        expires_at=timezone.now() + GOOD_FOR,
    )
    tell(portfolio, EventType.ACCESS_GRANTED, f"Somebody is invited as {offered}.", offered, actor, invitation)
    return invitation, secret


def find_invitation(secret: str) -> Invitation | None:
    """The open invitation with this secret, its portfolio with it."""
    invitations = Invitation.objects.open_at(timezone.now()).select_related("portfolio")
    return invitations.filter(digest=digest_of(secret)).first()


@transaction.atomic
def withdraw_invitation(*, invitation_id: int, actor: str) -> None:
    """From now on its link opens nothing. Withdrawing twice, or after it was accepted, changes nothing."""
    invitation = Invitation.objects.get(pk=invitation_id)
    portfolio = locked(invitation.portfolio_id)
    open_still = Invitation.objects.open_at(timezone.now()).filter(pk=invitation_id)
    if open_still.update(withdrawn_at=timezone.now()):
        words = f"An invitation as {invitation.role} is withdrawn."
        tell(portfolio, EventType.ACCESS_REVOKED, words, invitation.role, actor, invitation)


@transaction.atomic
def accept_invitation(*, secret: str, user: User) -> Membership:
    """The holder of the secret becomes a member. Raises Refused: invitation_not_found, _for_another, already_member."""
    found = find_invitation(secret)
    if found is None:
        raise Refused("invitation_not_found", "this invitation is used, withdrawn, expired or never was", status=404)
    portfolio = locked(found.portfolio_id)
    invitation = Invitation.objects.open_at(timezone.now()).filter(pk=found.pk).first()
    if invitation is None:  # somebody was quicker
        raise Refused("invitation_not_found", "this invitation is used, withdrawn, expired or never was", status=404)
    if invitation.email and invitation.email.casefold() != user.email.casefold():
        raise Refused("invitation_for_another", "this invitation is for another e-mail address", status=403)
    if portfolio.memberships.filter(user=user).exists():
        raise Refused("already_member", "you are a member of this portfolio already", status=409)
    membership = Membership.objects.create(portfolio=portfolio, user=user, role=invitation.role)
    invitation.accepted_at, invitation.accepted_by = timezone.now(), user
    invitation.save(update_fields=("accepted_at", "accepted_by"))
    words = f"{user.get_username()} accepted and may enter as {membership.role}."
    tell(portfolio, EventType.ACCESS_GRANTED, words, membership.role, f"user:{user.get_username()}", invitation)
    return membership


@transaction.atomic
def change_role(*, portfolio_id: int, user_id: int, role: str, actor: str) -> Membership:
    """Raises Refused: member_not_found, ownership_is_transferred, unknown_role."""
    offered = role_offered(role)
    portfolio = locked(portfolio_id)
    membership = member_of(portfolio, user_id)
    refuse_owner(membership, "an owner gives the portfolio to another member first")
    if membership.role == offered:
        return membership
    membership.role, membership.by_group = offered, False
    membership.save(update_fields=("role", "by_group"))
    words = f"{membership.user.get_username()} may now enter as {offered}."
    tell(portfolio, EventType.ACCESS_GRANTED, words, offered, actor)
    return membership


@transaction.atomic
def remove_member(*, portfolio_id: int, user_id: int, actor: str) -> None:
    """Raises Refused: member_not_found, ownership_is_transferred."""
    portfolio = locked(portfolio_id)
    membership = member_of(portfolio, user_id)
    refuse_owner(membership, "an owner gives the portfolio to another member before going")
    membership.delete()
    words = f"{membership.user.get_username()} may no longer enter."
    tell(portfolio, EventType.ACCESS_REVOKED, words, membership.role, actor)


def leave(*, portfolio_id: int, user: User) -> None:
    """Raises Refused: member_not_found, ownership_is_transferred."""
    remove_member(portfolio_id=portfolio_id, user_id=user.pk, actor=f"user:{user.get_username()}")


@transaction.atomic
def transfer_ownership(*, portfolio_id: int, user_id: int, actor: str) -> None:
    """A member becomes the owner, the owner a trader; the old owner's open invitations end.

    Raises Refused: member_not_found (404), account_is_personal (409).
    """
    portfolio = locked(portfolio_id)
    heir = member_of(portfolio, user_id)
    if not heir.user.is_active:
        raise Refused("member_not_found", "this member's account is closed", status=404)
    if heir.role == Role.OWNER:
        return
    hand_over(portfolio=portfolio, heir=heir.user, actor=actor)
    now = timezone.now()
    portfolio.invitations.open_at(now).update(withdrawn_at=now)
    portfolio.memberships.filter(role=Role.OWNER).update(role=Role.TRADER)
    heir.role, heir.by_group = Role.OWNER, False
    heir.save(update_fields=("role", "by_group"))
    Portfolio.objects.filter(pk=portfolio.pk).update(owner=heir.user)
    words = f"{heir.user.get_username()} owns the portfolio from now on."
    tell(portfolio, EventType.ACCESS_GRANTED, words, Role.OWNER, actor)


@transaction.atomic
def set_group_role(*, portfolio_id: int, user: User, role: str | None) -> None:
    """What the groups of the identity provider say today. They touch neither an owner nor what a person gave."""
    portfolio = locked(portfolio_id)
    membership = portfolio.memberships.filter(user=user).first()
    if (membership and not membership.by_group) or (membership.role if membership else None) == role:
        return
    if role is None and membership:
        membership.delete()
        words, kind = f"{user.get_username()} may no longer enter.", EventType.ACCESS_REVOKED
    else:
        terms = {"role": role_offered(role or ""), "by_group": True}
        Membership.objects.update_or_create(portfolio=portfolio, user=user, defaults=terms)
        words, kind = f"{user.get_username()} may enter as {role}.", EventType.ACCESS_GRANTED
    tell(portfolio, kind, words, role or "", "groups of the identity provider")


def locked(portfolio_id: int) -> Portfolio:
    return Portfolio.objects.select_for_update(no_key=True).get(pk=portfolio_id)


def member_of(portfolio: Portfolio, user_id: int) -> Membership:
    membership = portfolio.memberships.select_related("user").filter(user_id=user_id).first()
    if membership is None:
        raise Refused("member_not_found", "there is no such member", status=404)
    return membership


def member_named(portfolio: Portfolio, username: str) -> Membership:
    """Compared here and not by the database, which cannot even be asked for some names. Raises Refused."""
    for membership in portfolio.memberships.select_related("user"):
        if membership.user.get_username() == username:
            return membership
    raise Refused("member_not_found", "there is no such member", status=404)


def role_offered(role: str) -> Role:
    if role == Role.OWNER:
        raise Refused("ownership_is_transferred", "ownership is transferred, not offered", field="role")
    if role not in OFFERED:
        raise Refused("unknown_role", f"must be one of {', '.join(OFFERED)}", field="role")
    return Role(role)


def refuse_owner(membership: Membership, why: str) -> None:
    if membership.role == Role.OWNER:
        raise Refused("ownership_is_transferred", why, status=409)


def tell(
    portfolio: Portfolio, kind: EventType, words: str, role: str, actor: str, invitation: Invitation | None = None
) -> None:
    """One event in the portfolio's stream; no e-mail address goes into what can never be erased."""
    journal = Journal(portfolio, market_at=timezone.now(), actor=actor)
    journal.add(kind, words, subject=invitation.public_id if invitation else None, outputs={"role": role})
    journal.write()
