"""Accounts as their pages show them: the owner's whole, to members of a portfolio on one its name and state."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Prefetch, Q, QuerySet

from portfolios.models import Account, Event, Portfolio
from reporting.happening import Happening
from reporting.paging import Slice, slice_of
from trading.risk.selectors import why_untrusted

EVENTS = 20
MOST = 100


class Shown(NamedTuple):
    """untrusted: why nothing is sent there now, in words; empty for who may not know. portfolios: by name."""

    account: Account
    owned: bool
    untrusted: str
    portfolios: list[str]


class AccountPage(NamedTuple):
    shown: Shown
    portfolios: list[Portfolio]
    movable: list[Portfolio]
    events: list[Happening]

    @property
    def is_remote(self) -> bool:
        return self.shown.account.adapter not in ("paper", "none")


def accounts_of(user: Any, cursor: str) -> tuple[Slice[Any], list[Shown]]:
    """One page, the newest first."""
    seen = Portfolio.objects.visible_to(user).order_by("name", "pk")
    page = slice_of(visible(user).prefetch_related(Prefetch("portfolios", seen, "seen")), cursor, "accounts")
    return page, [shown(account, user, account.seen) for account in page.rows]  # type: ignore[attr-defined]


def visible(user: Any) -> QuerySet[Account]:
    return Account.objects.filter(Q(owner=user) | Q(portfolios__memberships__user=user)).distinct()


def shown(account: Account, user: Any, portfolios: Sequence[Portfolio] = ()) -> Shown:
    owned = account.owner_id == user.pk
    names = [portfolio.name for portfolio in portfolios]
    return Shown(account, owned, why_untrusted(account) if owned else "", names)


def account_page(account: Account, user: Any) -> AccountPage:
    one = shown(account, user)
    on_it = list(account.portfolios.visible_to(user).order_by("name", "pk")[:MOST])
    if not one.owned:
        return AccountPage(one, on_it, [], [])
    others = Portfolio.objects.owned_by(user).filter(state=Portfolio.Status.ACTIVE).exclude(account=account)
    log = Event.objects.filter(stream_id=account.public_id).order_by("-seq")[:EVENTS]
    movable = list(others.order_by("name", "pk")[:MOST]) if account.state == Account.Status.ACTIVE else []
    return AccountPage(one, on_it, movable, [Happening(event, event.content) for event in log])


def adapters() -> list[str]:
    """The paper venue first: it is meant unless something else is said."""
    return sorted(settings.BROKERS, key=lambda name: (name != "paper", name))
