"""From a provider's claims to a person of ours: known by (issuer, subject), never by e-mail address."""

import hashlib
import re
from typing import Any, NamedTuple

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from portfolios.identity.errors import SignInDenied
from portfolios.identity.groups import groups_in, is_staff, read_grants, roles_by_portfolio
from portfolios.identity.models import Identity, Session
from portfolios.models import Portfolio, User
from portfolios.services.members import set_group_role

NAME = re.compile(r"[\w.@+-]{1,120}")
TAKEN = "An account with your e-mail address exists. Sign in with its password, then connect the two in your profile."


class Person(NamedTuple):
    """Somebody as verified claims describe him; the e-mail address only if the provider verified it."""

    issuer: str
    subject: str
    email: str
    name: str
    groups: list[str]


def person_in(claims: dict[str, Any]) -> Person:
    verified = claims.get("email_verified")
    email = claims.get("email") if verified is True or verified == "true" else ""  # Cognito writes it as text
    names = (claims.get("preferred_username"), claims.get("cognito:username"), email)
    name = next((name for name in names if isinstance(name, str) and NAME.fullmatch(name)), "")
    groups = groups_in(claims, settings.OIDC_GROUPS_CLAIM)
    return Person(claims["iss"], claims["sub"], email if isinstance(email, str) else "", name, groups)


def sign_in(person: Person, *, invited: bool = False) -> User:
    """His account, made at the first sign-in. Raises SignInDenied."""
    try:
        return known_or_new(person, invited)
    except IntegrityError:  # he signed in twice at once, and the other one was quicker
        return known_or_new(person, invited)


@transaction.atomic
def known_or_new(person: Person, invited: bool) -> User:
    identity = find_identity(person.issuer, person.subject)
    if identity is None:
        identity = Identity.objects.create(user=new_user(person, invited), **columns_of(person))
    if not identity.user.is_active:
        raise SignInDenied("account_closed", "This account is closed.")
    refresh(identity, person)
    return identity.user


def find_identity(issuer: str, subject: str) -> Identity | None:
    return Identity.objects.select_related("user").filter(issuer=issuer, subject=subject).first()


def columns_of(person: Person) -> dict[str, str]:
    return {"issuer": person.issuer, "subject": person.subject, "email": person.email}


def new_user(person: Person, invited: bool) -> User:
    """Without a password. An account that has the address already is somebody's: it is connected by its owner only."""
    if not (settings.OIDC_CREATE_USERS or invited):
        raise SignInDenied("account_unknown", "Nobody has opened an account for you here yet.")
    if person.email and User.objects.filter(email__iexact=person.email).exists():
        raise SignInDenied("account_exists", TAKEN, status=409)
    return User.objects.create_user(username=free_name(person), email=person.email)


def free_name(person: Person) -> str:
    """The name he goes by there, if nobody has it here; else made his own by a piece of his identity's hash."""
    mark = hashlib.sha256(f"{person.issuer} {person.subject}".encode()).hexdigest()[:8]
    if person.name and not User.objects.filter(username__iexact=person.name).exists():
        return person.name
    return f"{person.name or 'person'}-{mark}"


def refresh(identity: Identity, person: Person) -> None:
    """What the provider says today: his verified address, if it is nobody else's, and what his groups open."""
    user = identity.user
    if person.email and not User.objects.filter(email__iexact=person.email).exclude(pk=user.pk).exists():
        user.email = person.email
        user.save(update_fields=("email",))
    identity.email, identity.used_at = person.email or identity.email, timezone.now()
    apply_groups(identity, person.groups)
    identity.save(update_fields=("email", "used_at", "made_staff"))


def apply_groups(identity: Identity, groups: list[str]) -> None:
    """Gives what the groups give and takes away what they gave before; what people gave is left alone."""
    grants = read_grants(settings.OIDC_ROLES)
    user, staff = identity.user, is_staff(grants, groups)
    if staff != user.is_staff and (staff or identity.made_staff):
        user.is_staff = identity.made_staff = staff
        user.save(update_fields=("is_staff",))
    roles = roles_by_portfolio(grants, groups)
    for portfolio in Portfolio.objects.filter(public_id__in=roles).order_by("pk"):
        set_group_role(portfolio_id=portfolio.pk, user=user, role=roles[portfolio.public_id])


@transaction.atomic
def link_identity(*, user: User, person: Person) -> Identity:
    """Somebody signed in here and there: from now on either opens the same account. Raises SignInDenied."""
    known = find_identity(person.issuer, person.subject)
    if known is not None and known.user_id != user.pk:
        raise SignInDenied("identity_taken", "That sign-in belongs to another account here.", status=409)
    identity = known or Identity.objects.create(user=user, **columns_of(person))
    refresh(identity, person)
    return identity


@transaction.atomic
def unlink_identity(*, user: User, identity_id: int) -> None:
    """Raises Refused when it is the only way in."""
    identity = user.identities.select_for_update().filter(pk=identity_id).first()
    if identity is None:
        raise SignInDenied("identity_not_found", "there is no such sign-in", status=404)
    if not user.has_usable_password() and user.identities.count() == 1:
        raise SignInDenied("last_way_in", "this is your only way in", status=409)
    identity.user = user
    apply_groups(identity, [])
    identity.delete()


def end_session(*, user: User, public_id: str) -> bool:
    """Whoever uses it is signed out at his next step. Whether there was one."""
    ended, _ = Session.objects.filter(user=user, public_id=public_id).delete()
    return bool(ended)


def end_other_sessions(*, user: User, but: str) -> int:
    ended, _ = Session.objects.filter(user=user).exclude(session_key=but).delete()
    return ended


def forget_old_sessions() -> int:
    forgotten, _ = Session.objects.filter(expire_date__lt=timezone.now()).delete()
    return forgotten
