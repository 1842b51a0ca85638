"""Rows made, written and asked for the quick way are those that Django makes, writes and finds."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolios.bulk import insert_all, insert_missing
from portfolios.models import Event, Position
from portfolios.prepared import PreparedRead, Slot, array_text, execute, new_row, store
from tests.factories import NOON, make_portfolio, make_position, make_quote
from tests.market import later
from trading.market.models import Pace, Quote
from trading.models import Order

CELLS = PreparedRead(lambda: Position.objects.filter(pk__is_any_of=Slot("cells")).order_by("pk"))
OF_PORTFOLIOS = PreparedRead(lambda: Position.objects.filter(portfolio__is_any_of=Slot("portfolios")).order_by("pk"))
LONG_AGO = datetime(1999, 1, 1, 1, 1, 1, 7, UTC)
HOSTILE = ["", "NULL", "null", "a,b", "{x}", 'say "no"', "back\\slash", "\\N", "two\nlines\ttab", " edge ", "naïve €"]


@pytest.mark.parametrize("model", [Event, Order, Quote])
def test_a_new_row_is_as_django_makes_it(model: Any) -> None:
    slow, quick = model(), new_row(model)
    names = [field.attname for field in model._meta.concrete_fields if field.attname != "public_id"]
    assert {name: getattr(quick, name) for name in names} == {name: getattr(slow, name) for name in names}
    assert quick._state.adding
    assert quick._state.db is None


def test_a_new_row_has_its_own_chance_and_knows_its_columns() -> None:
    assert new_row(Order).public_id != new_row(Order).public_id
    mine = uuid.uuid4()
    assert new_row(Order, public_id=mine).public_id == mine
    with pytest.raises(TypeError, match="Order has no quantiti"):
        new_row(Order, quantiti=1)


@pytest.mark.django_db
def test_words_numbers_and_instants_survive_an_array() -> None:
    def back(values: list[Any], kind: str) -> list[Any]:
        return [value for (value,) in execute(f"SELECT unnest($1::{kind}[])", [array_text(values)])]

    assert back([*HOSTILE, None], "text") == [*HOSTILE, None]
    assert back([0, -1, 2**63 - 1, None, -(2**63)], "bigint") == [0, -1, 2**63 - 1, None, -(2**63)]
    assert back([NOON, None], "timestamptz") == [NOON, None]
    assert back([NOON.date()], "date") == [NOON.date()]
    assert back([True, False], "boolean") == [True, False]
    assert back([], "bigint") == []

    @given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
    def any_words(words: list[str]) -> None:
        assert back(list(words), "text") == words

    any_words()


def saved(rows: list[Any]) -> None:
    for row in rows:
        row.save(force_insert=True)


def stored(rows: list[Any]) -> None:
    pace = Pace.objects.create(symbol="OTHER", source="replay")
    store([rows], pace, ("price",))


WAYS: dict[str, Callable[[list[Any]], None]] = {
    "saved": saved,
    "stored": stored,
    "copied": lambda rows: insert_all(type(rows[0]), rows),
    "missing": lambda rows: insert_missing(type(rows[0]), rows),
}


def hostile_rows(model: Any) -> list[Any]:
    """With nothing where nothing may be, and with the longest numbers."""
    if model is Quote:
        given = {"symbol": "IBM", "source": "replay", "last": 100, "received_at": NOON}
        return [
            Quote(**given, at=later(1), bid=None, ask=None, last_at=None, origin=""),
            Quote(
                **given,
                at=later(2),
                bid=10**12,
                ask=10**12,
                last_at=datetime(1999, 1, 1, 1, 1, 1, 7, UTC),
                origin="\\N",
            ),
        ]
    common = {"stream": Event.Stream.POSITION, "stream_id": uuid.UUID(int=7), "type": "evaluated", "actor": "user:x"}
    common |= {"market_at": NOON, "recorded_at": NOON, "state_after": "active", "prev_hash": "0" * 64, "hash": "1" * 64}
    return [
        Event(**common, seq=number, text=text, d_cash=-(10**18), subject=None if number % 2 else uuid.UUID(int=8))
        for number, text in enumerate(HOSTILE)
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("model", [Quote, Event])
@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_writing_leaves_the_same_row(model: Any, way: str) -> None:
    rows = hostile_rows(model)
    names = [field.attname for field in model._meta.concrete_fields if not field.primary_key]
    wanted = [tuple(getattr(row, name) for name in names) for row in rows]
    WAYS[way](rows)
    assert list(model.objects.order_by("pk").values_list(*names)) == wanted


@pytest.mark.django_db
def test_what_is_there_already_stays_as_it_is() -> None:
    known = make_quote(price="97")
    other = Quote(symbol="IBM", source="replay", at=known.at, last=100, received_at=NOON)
    fresh = Quote(symbol="IBM", source="replay", at=later(9), last=200, received_at=NOON)
    insert_missing(Quote, [other, fresh])
    insert_missing(Quote, [])
    assert list(Quote.objects.order_by("at").values_list("at", "last")) == [(known.at, known.last), (later(9), 200)]


@pytest.mark.django_db
def test_any_of_some_keys_are_those_in_the_list() -> None:
    portfolios = [make_portfolio(name=name) for name in ("one",)]
    cells = [make_position(portfolios[0]) for _ in range(3)]
    assert CELLS.all(cells=array_text([cells[2].pk, cells[0].pk, 0])) == [cells[0], cells[2]]
    assert CELLS.all(cells=array_text([])) == []
    assert CELLS.first(cells=array_text([cells[1].pk])) == cells[1]
    assert OF_PORTFOLIOS.all(portfolios=array_text([portfolios[0].pk])) == cells
