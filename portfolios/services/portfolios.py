"""Portfolios and who may enter them."""

from django.db import transaction
from django.utils import timezone

from portfolios.errors import Refused
from portfolios.events import EventType
from portfolios.models import Membership, Portfolio, Position, Role, User
from portfolios.services.accounts import BY_HAND, PAPER, begin_account
from portfolios.services.journal import Journal

MAX_NAME = 80


@transaction.atomic
def create_portfolio(*, owner: User, name: str, mode: str = Portfolio.Mode.PAPER, source: str = "replay") -> Portfolio:
    """A portfolio on paper unless said otherwise, with an account of its own and its owner as first member."""
    on_paper, actor = mode == Portfolio.Mode.PAPER, f"user:{owner.get_username()}"
    name_of_account, adapter = ("Paper", PAPER) if on_paper else ("By hand", BY_HAND)
    account = begin_account(owner=owner, name=name_of_account, adapter=adapter, mode=mode, actor=actor)
    portfolio = Portfolio.objects.create(owner=owner, name=name, mode=mode, source=source, account=account)
    add_member(portfolio=portfolio, user=owner, role=Role.OWNER, actor=actor)
    return portfolio


@transaction.atomic
def add_member(*, portfolio: Portfolio, user: User, role: str, actor: str) -> Membership:
    """Grant or change a role; both leave an event in the portfolio's stream."""
    locked = Portfolio.objects.select_for_update(no_key=True).get(pk=portfolio.pk)
    membership, _ = Membership.objects.update_or_create(portfolio=locked, user=user, defaults={"role": role})
    journal = Journal(locked, market_at=timezone.now(), actor=actor)
    journal.add(EventType.ACCESS_GRANTED, f"{user.get_username()} may enter as {role}.", outputs={"role": role})
    journal.write()
    return membership


@transaction.atomic
def default_portfolio(*, user: User) -> Portfolio:
    """The first portfolio the user may act in; a new one of his own when there is none."""
    User.objects.select_for_update().get(pk=user.pk)
    first = Portfolio.objects.steered_by(user).filter(state=Portfolio.Status.ACTIVE).order_by("pk").first()
    return first or create_portfolio(owner=user, name="My portfolio")


def checked_name(name: str) -> str:
    """As it is kept: single spaces. Raises Refused: invalid_name."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise Refused("invalid_name", f"must be 1 to {MAX_NAME} printable characters", field="name")
    return name


@transaction.atomic
def rename_portfolio(*, portfolio_id: int, name: str, actor: str) -> Portfolio:
    """The same name again changes nothing."""
    portfolio = Portfolio.objects.select_for_update(no_key=True).get(pk=portfolio_id)
    if portfolio.name == name:
        return portfolio
    journal = Journal(portfolio, market_at=timezone.now(), actor=actor)
    inputs = {"before": portfolio.name, "after": name}
    journal.add(EventType.PORTFOLIO_RENAMED, f"{portfolio.name} is now called {name}.", inputs=inputs)
    portfolio.name = name
    portfolio.save(update_fields=["name"])
    journal.write()
    return portfolio


@transaction.atomic
def close_portfolio(*, portfolio_id: int, actor: str) -> Portfolio:
    """For good, once every cell in it is closed, which has neither an order nor money. Twice is as good as once.

    Raises Refused (409).
    """
    portfolio = Portfolio.objects.select_for_update(no_key=True).get(pk=portfolio_id)
    if portfolio.state == Portfolio.Status.CLOSED:
        return portfolio
    left = portfolio.positions.exclude(state=Position.Status.CLOSED).count()
    if left:
        raise Refused("cells_open", f"close its cells first: {left} left", status=409)
    journal = Journal(portfolio, market_at=timezone.now(), actor=actor)
    journal.add(EventType.PORTFOLIO_CLOSED, "The portfolio is closed.", state=Portfolio.Status.CLOSED)
    portfolio.state = Portfolio.Status.CLOSED
    journal.write()
    return portfolio
