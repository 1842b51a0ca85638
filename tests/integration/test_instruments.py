"""What is not traded at present gets no order, from nobody, and says why."""

import pytest

from portfolios.errors import Refused
from portfolios.models import Event, User
from tests.factories import make_quote
from tests.market import assert_sound, later, make_fallen_cell, tick
from trading.domain.choices import Side
from trading.market.models import Instrument
from trading.models import Order
from trading.services.crowd import evaluate_cells
from trading.services.evaluation import evaluate_position
from trading.services.ordering import place_order

pytestmark = pytest.mark.django_db
WHY = "this symbol is not traded at present"


@pytest.fixture
def cell():
    Instrument.objects.create(symbol="IBM", tradable=False)
    return make_fallen_cell()


def test_the_robot_skips_and_says_why_and_goes_on_when_it_is_traded_again(cell) -> None:
    assert tick(cell) is None
    event = Event.objects.of(cell).get(type="skipped")
    assert event.content["outputs"]["gates"]["halted"] == WHY
    Instrument.objects.update(tradable=True)
    make_quote("IBM", "97", at=later())
    assert evaluate_position(position_id=cell.pk).order
    assert_sound()


def test_so_it_is_for_many_together(cell) -> None:
    evaluate_cells(position_ids=[cell.pk])
    assert Event.objects.of(cell).get(type="skipped").content["outputs"]["gates"]["halted"] == WHY
    assert Order.objects.count() == 0


def test_a_person_is_refused_with_the_reason(cell) -> None:
    author = User.objects.get(pk=cell.portfolio.owner_id)
    asked = {"position_id": cell.pk, "side": Side.BUY, "quantity": 1_000_000, "limit": None, "author": author}
    with pytest.raises(Refused, match=WHY):
        place_order(**asked, actor="user:test", key="k")
    Instrument.objects.update(tradable=True)
    assert place_order(**asked, actor="user:test", key="k").quantity == 1_000_000
