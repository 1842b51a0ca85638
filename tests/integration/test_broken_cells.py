"""One cell that cannot be worked on never stops the market of the others."""

from datetime import timedelta

import pytest
from django.db import connection

from portfolios.domain.amounts import MAX_AMOUNT, MICROS
from portfolios.errors import Refused
from portfolios.models import Event, Position
from tests.factories import NOON, make_position, make_quote
from tests.market import tick
from trading.domain.choices import Side
from trading.errors import BrokenCell
from trading.management.commands.feed import settle
from trading.models import Order
from trading.services.opening import open_position
from trading.services.ordering import place_order
from trading.services.quarantine import setting_aside
from trading.services.replay import step_is_done
from trading.tasks import execute_order

pytestmark = pytest.mark.django_db


def ordered(position: Position, side: Side, quantity: int) -> Order:
    owner = position.portfolio.owner
    return place_order(
        position_id=position.pk, side=side, quantity=quantity, limit=None, author=owner, actor="user:o", key="k"
    )


def test_a_sale_that_would_bring_in_more_than_the_limit_is_never_sent() -> None:
    position = make_position(shares="1000000000000", cash="0")
    quote = make_quote(price="145")
    order = ordered(position, Side.SELL, MAX_AMOUNT)
    settle([quote])
    order.refresh_from_db()
    position.refresh_from_db()
    assert order.status == "cancelled"
    assert position.shares == MAX_AMOUNT
    assert step_is_done([quote])


def test_a_cell_worth_more_than_the_limit_is_not_opened() -> None:
    portfolio = make_position().portfolio
    make_quote(symbol="IBM", price="145")
    with pytest.raises(Refused) as refused:
        open_position(
            portfolio=portfolio,
            symbol="IBM",
            shares=MAX_AMOUNT,
            cash=0,
            anchor=0,
            given_settings=None,
            author=portfolio.owner,
            actor="user:o",
        )
    assert refused.value.field == "qty"


def test_without_a_price_an_order_that_no_price_could_make_affordable_is_refused() -> None:
    position = make_position(cash="1000")
    with pytest.raises(Refused) as refused:
        ordered(position, Side.BUY, MAX_AMOUNT // 2)
    assert refused.value.code == "insufficient_cash"
    assert ordered(position, Side.BUY, 2 * MICROS).reserved_cash == 0


def test_a_cell_that_breaks_is_quarantined_and_the_others_go_on() -> None:
    broken = make_position(shares="10")
    sound = make_position(portfolio=broken.portfolio, shares="10")
    quote = make_quote(price="100")
    tick(broken)
    tick(sound)
    with connection.cursor() as cursor:  # a damaged row: its settings can no longer be read
        cursor.execute(
            "INSERT INTO portfolios_settingsversion (portfolio_id, position_id, number, given, note, created_at)"
            " VALUES (%s, %s, 1, '{\"nonsense\": true}', '', now()) RETURNING id",
            [broken.portfolio_id, broken.pk],
        )
        version = cursor.fetchone()[0]
    Position.objects.filter(pk=broken.pk).update(settings_version=version)
    quote = make_quote(price="90", at=NOON + timedelta(minutes=1))
    settle([quote])
    broken.refresh_from_db()
    sound.refresh_from_db()
    assert broken.state == Position.Status.QUARANTINED
    assert Event.objects.of(broken).last().type == "quarantined"
    assert sound.shares > 10 * MICROS
    assert step_is_done([quote])


def test_a_bell_for_a_broken_order_says_which_cell_it_set_aside(settings) -> None:
    position = make_position(cash="1000")
    make_quote(price="100")
    order = ordered(position, Side.BUY, MICROS)
    settings.BROKERS = {}
    with pytest.raises(BrokenCell):
        execute_order(order_id=order.pk)
    position.refresh_from_db()
    assert position.state == Position.Status.QUARANTINED


def test_a_database_that_is_away_is_nobodys_fault() -> None:
    from django.db import OperationalError

    position = make_position()
    with pytest.raises(OperationalError), setting_aside(position.pk):
        raise OperationalError("the connection is gone")
    position.refresh_from_db()
    assert position.state == Position.Status.ACTIVE
